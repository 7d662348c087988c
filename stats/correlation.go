package stats

import "math"

// The blocks of a run are drawn so that anything that happens to the machine strikes all networks
// alike. What happens to one network alone does not cancel: a plugin whose own speed wanders from
// block to block makes neighbouring blocks alike, and n of them are worth fewer than n. Intervals
// and p-values take this into account; without it, plugins without a difference were called
// different in up to 28 of 100 runs of 12 blocks in which the effect had an autocorrelation of 0.6
// (cmd/simulate, "wandering").

// undetected returns the correlation that is assumed in n blocks in addition to the one that is seen:
// the estimate is uncertain, the more the fewer blocks there are, and the correlation of neighbours
// understates a slow movement below fast noise. Smaller values failed cmd/simulate's goal of 5 %.
func undetected(n int) float64 { return 0.19 + 2/float64(n) }

// leastWorth is the least number of independent blocks that the blocks of an interval are worth, and
// leastFreedom the least number of degrees of freedom. A few blocks cannot show that they are worth
// less, and Student's quantiles grow so fast there that an interval would say nothing.
const (
	leastWorth   = 2
	leastFreedom = 3
)

// correlation estimates the correlation of neighbouring values from that of their ranks, corrected
// for its bias: in n independent values, neighbours have a correlation of about −1/n (Marriott and
// Pope, Biometrika 41, 1954). It is 0 if there are too few values, or if all are equal.
func correlation(x []float64) float64 {
	n := float64(len(x))
	e := FindEcho(x)
	if len(x) < MinSamples || e.P == 1 && e.Lag1 == 0 {
		return 0
	}
	return (n*e.Lag1 + 1) / (n - 4)
}

// inflation returns the factor by which a correlation of r between neighbours inflates a standard
// error, if the correlation decays from value to value (Bayley and Hammersley, JRSS Supplement 8,
// 1946).
func inflation(r float64) float64 {
	r = min(max(r, 0), 0.95)
	return math.Sqrt((1 + r) / (1 - r))
}

// Together widens the intervals of a family of paired ratios: all pairs of one question. Each
// ratio gets the correlation of its own blocks or the mean of the family, whichever is larger:
// the first alone is uncertain, and the second alone would hide one plugin among many.
func Together(family []Ratio) []Ratio {
	sum, n := 0.0, 0
	for _, r := range family {
		if r.raw != nil {
			sum += r.own
			n++
		}
	}
	all := make([]Ratio, len(family))
	for i, r := range family {
		if all[i] = r; r.raw != nil {
			all[i] = r.widen(max(r.own, sum/float64(n)))
		}
	}
	return all
}

// widen sets the interval and the p-value of a paired ratio whose neighbouring blocks have this
// correlation.
func (r Ratio) widen(correlation float64) Ratio {
	if r.raw == nil {
		return r
	}
	n, estimate := float64(r.N), math.Log(r.Ratio)
	worth := func(correlation float64) float64 { return max(n/math.Pow(inflation(correlation), 2), leastWorth) }
	assumed := worth(correlation + undetected(r.N))
	r.Widened = math.Sqrt(n / assumed)
	r.nu = max(assumed-1, leastFreedom)
	q := quantile(n - 1)
	r.below, r.above = r.Widened*(estimate-r.raw.Low)/q, r.Widened*(r.raw.High-estimate)/q
	r.sd = r.se() / r.Widened * math.Sqrt(n/worth(correlation))
	return r.bounded()
}
