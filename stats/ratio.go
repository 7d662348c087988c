package stats

import (
	"maps"
	"math"
	"slices"
)

// Ratio compares two figures by their samples in the same blocks.
type Ratio struct {
	// N is the number of blocks in which both have a positive sample.
	N int
	// Ratio is the estimate of the first figure divided by the second.
	Ratio float64
	// CI covers the ratio with at least [Confidence]. It is nil if N is below [MinSamples].
	CI *Interval
	// P is the two-sided p-value of the signed-rank test that the ratio is 1, or 1 if there are
	// no pairs.
	P float64
	// Logs are the logarithms of the blocks' ratios, in block order.
	Logs []float64

	apart *[2][]float64 // logarithms of both sides' samples, if they share no blocks
}

// Paired compares samples by block: anything that slows the machine during a block slows both of
// its samples and cancels in their ratio. It works on the logarithms of the ratios: the estimate
// is that of Hodges and Lehmann (the median of all pairwise means), and the interval is the exact
// one of Wilcoxon's signed-rank test (Hollander, Wolfe and Chicken, Nonparametric Statistical
// Methods, 3rd ed., sections 3.2 and 3.3; R: wilcox.test(conf.int = TRUE)). The interval is exact
// for any symmetric distribution of the log ratios.
//
// The maps hold samples by block number. Blocks in which either sample is missing or not a
// positive finite number have no ratio and are ignored; N is the number of the others.
func Paired(a, b map[int]float64) Ratio {
	var logs []float64
	for _, block := range slices.Sorted(maps.Keys(a)) {
		x, y := a[block], b[block] // 0 if the block is missing
		if positive(x) && positive(y) {
			logs = append(logs, math.Log(x/y))
		}
	}
	r := Ratio{N: len(logs), Ratio: math.NaN(), P: signedRankP(logs, 0), Logs: logs}
	if r.N == 0 {
		return r
	}
	means := walshAverages(logs)
	r.Ratio = math.Exp(medianOf(means))
	if k := signedRank(r.N); k > 0 {
		r.CI = &Interval{math.Exp(orderStatisticOf(means, k-1)), math.Exp(orderStatisticOf(means, len(means)-k))}
	}
	return r
}

// Ratios returns the ratios of the blocks, in block order.
func (r Ratio) Ratios() []float64 {
	all := make([]float64, len(r.Logs))
	for i, l := range r.Logs {
		all[i] = math.Exp(l)
	}
	return all
}

func positive(v float64) bool { return v > 0 && !math.IsInf(v, 0) }

// walshAverages returns the means of all pairs of values, including each value with itself.
func walshAverages(x []float64) []float64 {
	means := make([]float64, 0, len(x)*(len(x)+1)/2)
	for i := range x {
		for j := i; j < len(x); j++ {
			means = append(means, x[i]/2+x[j]/2)
		}
	}
	return means
}
