package stats

import (
	"cmp"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/stat/distuv"
)

// exactUpTo is the number of values up to which rank tests use their exact distribution. Beyond
// it, the normal approximation only differs after the third digit, and the exact distribution
// takes cubic time.
const exactUpTo = 200

// signedRankP returns the two-sided p-value of Wilcoxon's signed-rank test that x is symmetric
// around centre, or 1 if there are no values.
//
// Equal distances share the mean of their ranks. Values at the centre keep their ranks but count
// for neither side (Pratt, Remarks on zeros and ties in the Wilcoxon signed rank procedures, JASA
// 54, 1959). The distribution is exact given the distances, with both signs equally likely.
// Without ties it equals that of R's wilcox.test, with ties that of
// coin::wilcoxsign_test(zero.method = "Pratt", distribution = "exact").
func signedRankP(x []float64, centre float64) float64 {
	d := make([]float64, len(x))
	for i, v := range x {
		d[i] = v - centre
	}
	ranks := doubledRanks(d, math.Abs)
	var signed []int
	plus, sum := 0, 0
	for i, v := range d {
		if math.Abs(v) < rounding {
			continue
		}
		signed = append(signed, ranks[i])
		sum += ranks[i]
		if v > 0 {
			plus += ranks[i]
		}
	}
	least := min(plus, sum-plus)
	if len(signed) > exactUpTo {
		variance := 0.0 // of a sum in which each rank counts or not
		for _, r := range signed {
			variance += float64(r) * float64(r) / 4
		}
		// The 1 is half a rank (ranks are doubled): the continuity correction.
		z := (float64(least) + 1 - float64(sum)/2) / math.Sqrt(variance)
		return min(1, 2*distuv.UnitNormal.CDF(z))
	}
	return min(1, 2*subsetSumCDF(signed, least))
}

// doubledRanks returns twice the rank of every value, ordered by key, starting from 2. Doubling
// makes the mean rank of equal values a whole number.
func doubledRanks(x []float64, key func(float64) float64) []int {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(key(x[i]), key(x[j])) })
	ranks := make([]int, len(x))
	for first := 0; first < len(order); {
		next := first + 1
		for next < len(order) && sameSize(key(x[order[first]]), key(x[order[next]])) {
			next++
		}
		for _, i := range order[first:next] {
			ranks[i] = first + 1 + next // twice the mean of first+1 … next
		}
		first = next
	}
	return ranks
}

// rounding is the difference up to which two logarithms of ratios are considered equal.
const rounding = 1e-12

func sameSize(a, b float64) bool { return math.Abs(a-b) < rounding }

// subsetSumCDF returns the probability that a random subset of parts, with each part picked by a
// fair coin toss, has a sum of at most limit.
func subsetSumCDF(parts []int, limit int) float64 {
	p := make([]float64, limit+1)
	p[0] = 1
	for _, part := range parts {
		for w := limit; w >= 0; w-- {
			p[w] /= 2
			if w >= part {
				p[w] += p[w-part] / 2
			}
		}
	}
	all := 0.0
	for _, v := range p {
		all += v
	}
	return all
}

// signedRanks caches the results of [signedRank]: an adaptive run needs them for every pair after
// every block.
var signedRanks sync.Map

// signedRank returns the rank, counted from either end, of the Walsh averages that bound the
// interval for n pairs, or 0 if there is none.
func signedRank(n int) int {
	if k, known := signedRanks.Load(n); known {
		return k.(int)
	}
	k := signedRankAt(n, (1-Confidence)/2)
	signedRanks.Store(n, k)
	return k
}

// signedRankAt is signedRank for an interval that misses with probability tail on each side.
func signedRankAt(n int, tail float64) int {
	if n > exactUpTo {
		// Hollander, Wolfe and Chicken, 3rd ed., equation 3.41.
		mean, variance := float64(n)*float64(n+1)/4, float64(n)*float64(n+1)*float64(2*n+1)/24
		return int(mean + distuv.UnitNormal.Quantile(tail)*math.Sqrt(variance))
	}
	p := signedRankCDF(n)
	k := 0
	for k < len(p) && p[k] <= tail {
		k++
	}
	return k
}

// signedRankCDF returns the distribution of Wilcoxon's signed-rank statistic under the null
// hypothesis: element w is P(W ≤ w). Each of the ranks 1 to n counts with probability ½.
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
