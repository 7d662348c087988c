package stats

import (
	"maps"
	"math"
	"slices"
)

// Ratio compares two figures by the samples that they have in the same blocks.
type Ratio struct {
	// N is the number of blocks in which both have a positive sample.
	N int
	// Ratio estimates the first figure over the second.
	Ratio float64
	// CI covers it with at least [Confidence]. Nil if N is below [MinSamples].
	CI *Interval
}

// Paired compares samples by block: what slows the machine in one block slows
// both samples of it, and cancels in their ratio. It works on the logarithms
// of the ratios: the estimate is Hodges and Lehmann's (the median of all
// pairwise means), the interval the exact one of Wilcoxon's signed-rank test
// (Hollander, Wolfe and Chicken, Nonparametric Statistical Methods, 3rd ed.,
// sections 3.2 and 3.3; R: wilcox.test(conf.int = TRUE)). The interval is
// exact for any symmetric distribution of the log ratios.
//
// The maps hold samples by block number. Blocks in which either is missing or
// not a positive finite number have no ratio and are left out; N tells.
func Paired(a, b map[int]float64) Ratio {
	var logs []float64
	for _, block := range slices.Sorted(maps.Keys(a)) {
		x, y := a[block], b[block] // 0 where the block is missing
		if positive(x) && positive(y) {
			logs = append(logs, math.Log(x/y))
		}
	}
	r := Ratio{N: len(logs), Ratio: math.NaN()}
	if r.N == 0 {
		return r
	}
	means := walshAverages(logs)
	r.Ratio = math.Exp(middle(means))
	if k := signedRank(r.N); k > 0 {
		r.CI = &Interval{math.Exp(means[k-1]), math.Exp(means[len(means)-k])}
	}
	return r
}

func positive(v float64) bool { return v > 0 && !math.IsInf(v, 0) }

// walshAverages are the means of all pairs, each value with itself included,
// sorted.
func walshAverages(x []float64) []float64 {
	means := make([]float64, 0, len(x)*(len(x)+1)/2)
	for i := range x {
		for j := i; j < len(x); j++ {
			means = append(means, x[i]/2+x[j]/2)
		}
	}
	slices.Sort(means)
	return means
}

// signedRank is the rank, counted from either end, of the Walsh averages that
// bound the interval for n pairs; 0 if there is none.
func signedRank(n int) int {
	p := signedRankCDF(n)
	k := 0
	for k < len(p) && p[k] <= (1-Confidence)/2 {
		k++
	}
	return k
}

// signedRankCDF is the distribution of Wilcoxon's signed-rank statistic under
// the null hypothesis: element w is P(W ≤ w). Each of the ranks 1 to n counts
// or does not, with probability ½.
func signedRankCDF(n int) []float64 {
	p := make([]float64, n*(n+1)/2+1)
	p[0] = 1
	for rank := 1; rank <= n; rank++ {
		for w := len(p) - 1; w >= 0; w-- {
			p[w] /= 2
			if w >= rank {
				p[w] += p[w-rank] / 2
			}
		}
	}
	for w := 1; w < len(p); w++ {
		p[w] += p[w-1]
	}
	return p
}
