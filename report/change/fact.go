package change

import (
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/stats"
)

// exact compares two values of a figure that does not vary. It needs no statistics: what is
// different has changed.
func (one *Cell) exact() {
	ratio := *one.New / *one.Old
	one.Ratio, one.CI = &ratio, &[2]float64{ratio, ratio}
	switch {
	case ratio == 1:
		one.Verdict = stats.Equivalent
	case (ratio > 1) == (one.better == "higher"):
		one.Verdict = stats.Faster
	default:
		one.Verdict = stats.Slower
	}
}

// exactRatio returns the ratio of two values of such a figure.
func exactRatio(now, old *model.Metric) Ratio {
	ratio := now.Median / old.Median
	return Ratio{ratio, &[2]float64{ratio, ratio}}
}
