package stats

import "math"

// exactPairs is the maximum product of two sample sizes for which the exact distribution is
// computed. Above it, the normal distribution is used, whose rank is off by less than one.
const exactPairs = 10_000

// Independent estimates the ratio between two sets of samples that share no blocks, such as those
// of two runs. It works on logarithms: the estimate is Hodges and Lehmann's shift (the median of
// all differences between a sample of the first and a sample of the second); the interval and the
// p-value are those of the Mann–Whitney test (Hollander, Wolfe and Chicken, Nonparametric
// Statistical Methods, 3rd ed., sections 4.2 and 4.3; R: wilcox.test(conf.int = TRUE)). It is
// exact if both distributions are the same except for a factor. Samples that are not positive
// finite numbers have no logarithm; if there are any, the ratio is unknown (N is 0).
//
// N is the size of the smaller set. The interval is nil if the sets are too small for one with
// [Confidence].
func Independent(a, b []float64) Ratio {
	x, y := logs(a), logs(b)
	if len(x) == 0 || len(y) == 0 || len(x) < len(a) || len(y) < len(b) {
		return Ratio{Ratio: math.NaN(), P: 1}
	}
	estimate, ci := shift(x, y)
	r := Ratio{N: min(len(x), len(y)), Ratio: math.Exp(estimate), P: 1, apart: &[2][]float64{x, y}}
	if ci != nil {
		r.CI = &Interval{math.Exp(ci.Low), math.Exp(ci.High)}
		r.P = mannWhitneyP(x, y)
	}
	return r
}

func logs(values []float64) []float64 {
	var all []float64
	for _, v := range values {
		if positive(v) {
			all = append(all, math.Log(v))
		}
	}
	return all
}

// shift estimates how much higher x is than y, with an interval.
func shift(x, y []float64) (float64, *Interval) {
	differences := make([]float64, 0, len(x)*len(y))
	for _, v := range x {
		for _, w := range y {
			differences = append(differences, v-w)
		}
	}
	estimate := medianOf(differences)
	k := mannWhitneyRank(len(x), len(y))
	if k == 0 {
		return estimate, nil
	}
	return estimate, &Interval{orderStatisticOf(differences, k-1), orderStatisticOf(differences, len(differences)-k)}
}

// mannWhitneyRank returns the rank, counted from either end, of the differences that bound the
// interval, or 0 if there is none.
func mannWhitneyRank(m, n int) int {
	if m*n > exactPairs {
		pairs := float64(m * n)
		return int(pairs/2 - 1.959964*math.Sqrt(pairs*float64(m+n+1)/12))
	}
	k, sum := 0, 0.0
	for _, p := range mannWhitney(m, n) {
		if sum += p; sum > (1-Confidence)/2 {
			break
		}
		k++
	}
	return k
}

// mannWhitney returns the distribution of U without ties under the null hypothesis: element u is
// P(U = u). The largest of all samples is one of the m with probability m/(m+n), and is then
// above n others (Mann and Whitney, Annals of Mathematical Statistics 18, 1947).
func mannWhitney(m, n int) []float64 {
	row := make([][]float64, n+1) // for i samples of the first, by the number of the second
	for j := range row {
		row[j] = []float64{1}
	}
	for i := 1; i <= m; i++ {
		next := [][]float64{{1}}
		for j := 1; j <= n; j++ {
			p := make([]float64, i*j+1)
			for u, q := range row[j] {
				p[u+j] += q * float64(i) / float64(i+j)
			}
			for u, q := range next[j-1] {
				p[u] += q * float64(j) / float64(i+j)
			}
			next = append(next, p)
		}
		row = next
	}
	return row[n]
}

// JudgeIndependent gives the ratios of a family of [Independent] comparisons their verdicts:
// faster or slower with Holm's correction over the family; equivalent if the interval is inside
// the margin.
func JudgeIndependent(family []Ratio, higherIsBetter bool, margin float64) []Comparison {
	p := make([]float64, len(family))
	for i, r := range family {
		p[i] = r.P
	}
	adjusted := Holm(p)
	all := make([]Comparison, len(family))
	for i, r := range family {
		c := Comparison{Ratio: r, PAdjusted: adjusted[i], Verdict: Inconclusive}
		switch {
		case r.CI == nil:
		case r.CI.Low >= 1/(1+margin) && r.CI.High <= 1+margin:
			c.Verdict = Equivalent
		case c.PAdjusted > Level || r.CI.Contains(1):
		case (r.CI.Low > 1) == higherIsBetter:
			c.Verdict = Faster
		default:
			c.Verdict = Slower
		}
		all[i] = c
	}
	return all
}

// ThroughCommon compares two figures that share no blocks through a third that shares blocks with
// each of them: it is the ratio of the first's ratios to the third and the second's. It is valid
// if the third is the same in the blocks of both.
func ThroughCommon(a, b, third map[int]float64) Ratio {
	return Independent(Paired(a, third).Ratios(), Paired(b, third).Ratios())
}

// apartMargin is [Ratio.pMargin] for figures that share no blocks: it uses the Mann–Whitney tests
// with one side shifted by the margin.
func apartMargin(sides *[2][]float64, limit float64) float64 {
	moved := func(by float64) []float64 {
		x := make([]float64, len(sides[0]))
		for i, v := range sides[0] {
			x[i] = v + by
		}
		return x
	}
	return max(mannWhitneyP(moved(limit), sides[1]), mannWhitneyP(moved(-limit), sides[1]))
}
