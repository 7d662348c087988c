package change

import "github.com/cnibench/cnibench/stats"

// exact compares two values of a figure that does not vary. It needs no statistics: what is
// different has changed.
func (one *Cell) exact() {
	r := exactly(*one.New, *one.Old)
	one.Ratio, one.CI = &r.Ratio, r.CI
	switch {
	case r.Ratio == 1:
		one.Verdict = stats.Equivalent
	case (r.Ratio > 1) == (one.better == "higher"):
		one.Verdict = stats.Faster
	default:
		one.Verdict = stats.Slower
	}
}

// exactly returns the ratio of two values of such a figure.
func exactly(now, old float64) Ratio {
	return Ratio{now / old, &[2]float64{now / old, now / old}}
}
