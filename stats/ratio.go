package stats

import (
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Ratio compares two figures: it estimates the first divided by the second.
type Ratio struct {
	// N is the number of blocks that the estimate is based on.
	N int
	// Ratio is the estimate, or NaN if there is none.
	Ratio float64
	// CI covers the ratio with [Confidence]. It is nil if N is below [MinSamples].
	CI *Interval
	// P is the two-sided p-value of the hypothesis that the ratio is 1, or 1 if there is no CI.
	P float64
	// Logs are the logarithms of the blocks' ratios, in block order; nil for two figures that
	// share no blocks.
	Logs []float64
	// Widened is the factor by which correlation between neighbouring blocks widened CI
	// (see [Together]), at least 1.
	Widened float64
	// Spread says how much the ratio varies between and within deployments; nil unless the ratio
	// is that of [OverDeployments].
	Spread *Spread

	raw *Interval // the interval of independent blocks, as logarithms
	own float64   // the correlation of neighbouring blocks, see [correlation]
	// below and above are the standard errors of the estimate's logarithm towards either bound of CI,
	// with nu degrees of freedom; sd is the standard error without the allowance for what was not
	// detected.
	below, above, nu, sd float64
}

// limitLog bounds the logarithms of ratios: beyond it, the ratio itself is not a finite number.
const limitLog = 700

// Paired compares samples by block: anything that slows the machine during a block slows both of
// its samples and cancels in their ratio. It works on the logarithms of the ratios: the estimate
// is that of Hodges and Lehmann (the median of all pairwise means), and the interval is the exact
// one of Wilcoxon's signed-rank test (Hollander, Wolfe and Chicken, Nonparametric Statistical
// Methods, 3rd ed., sections 3.2 and 3.3; R: wilcox.test(conf.int = TRUE)), widened by what
// neighbouring blocks have in common (see [Together], which also looks at the other pairs).
// Without that, it would be exact for independent blocks with any symmetric distribution.
//
// The maps hold samples by block number. Blocks in which either sample is missing or not a
// positive finite number, or whose ratio is not one, have no ratio and are ignored; N is the
// number of the others.
func Paired(a, b map[int]float64) Ratio {
	var logs []float64
	for _, block := range slices.Sorted(maps.Keys(a)) {
		x, y := a[block], b[block] // 0 if the block is missing
		if !positive(x) || !positive(y) {
			continue
		}
		// Not log(x/y), whose quotient may overflow.
		if l := math.Log(x) - math.Log(y); math.Abs(l) < limitLog {
			logs = append(logs, l)
		}
	}
	return ofLogs(logs)
}

// ofLogs estimates a ratio from the logarithms of the blocks' ratios.
func ofLogs(logs []float64) Ratio {
	r := Ratio{N: len(logs), Ratio: math.NaN(), P: 1, Logs: logs, Widened: 1}
	if r.N == 0 {
		return r
	}
	means := walshAverages(logs)
	r.Ratio = math.Exp(medianOf(means))
	if k := signedRank(r.N); k > 0 {
		r.raw = &Interval{orderStatisticOf(means, k-1), orderStatisticOf(means, len(means)-k)}
	}
	r.own = correlation(logs)
	return r.widen(r.own)
}

// Unwidened returns a paired ratio as if its blocks were independent: with the interval and the
// p-values of the signed-rank test alone.
func (r Ratio) Unwidened() Ratio {
	if r.raw == nil {
		return r
	}
	r.CI = &Interval{math.Exp(r.raw.Low), math.Exp(r.raw.High)}
	r.Widened, r.below, r.above = 1, 0, 0 // the t-test decides nothing
	r.P = r.against(0)
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

// se returns the standard error of the estimate's logarithm.
func (r Ratio) se() float64 { return (r.below + r.above) / 2 }

// bounded sets the interval and the p-value from the standard errors.
func (r Ratio) bounded() Ratio {
	estimate, q := math.Log(r.Ratio), quantile(r.nu)
	r.CI = &Interval{math.Exp(estimate - q*r.below), math.Exp(estimate + q*r.above)}
	if math.IsInf(r.CI.High, 0) || r.CI.Low == 0 {
		r.CI = nil // not ratios of figures that were measured
	}
	r.P = r.against(0)
	return r
}

// against returns the two-sided p-value of the hypothesis that the logarithm of the ratio is
// limit. Two tests must agree, so the larger p-value counts: the signed-rank test of the blocks,
// which is exact for independent blocks, and the t-test with the standard error of the interval,
// which takes correlation between blocks into account. So it is at most 5 % only if CI does not
// contain the limit.
func (r Ratio) against(limit float64) float64 {
	if r.CI == nil {
		return 1
	}
	difference, se := math.Log(r.Ratio)-limit, r.below
	if difference < 0 {
		se = r.above
	}
	p := tTest(difference, se, r.nu)
	if r.Logs != nil {
		p = max(p, signedRankP(r.Logs, limit))
	}
	return p
}

// tTest returns the two-sided p-value of a difference with this standard error and these degrees
// of freedom.
func tTest(difference, se, nu float64) float64 {
	switch {
	case math.Abs(difference) < rounding:
		return 1
	case se < rounding:
		return 0
	}
	return min(1, 2*student(nu).CDF(-math.Abs(difference)/se))
}

// student returns Student's t-distribution with nu degrees of freedom.
func student(nu float64) distuv.StudentsT { return distuv.StudentsT{Sigma: 1, Nu: min(nu, 1e6)} }

// quantile returns the factor of the standard error in a two-sided interval with [Confidence].
func quantile(nu float64) float64 { return student(nu).Quantile(1 - Level/2) }

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
