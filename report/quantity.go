package report

import (
	"fmt"
	"math"
	"strings"

	"github.com/cnibench/cnibench/results"
)

// scale is a unit with the prefix that fits a figure.
type scale struct {
	by   float64 // divide figures by it
	unit string
}

// scaleOf picks the prefix for a figure of a unit.
func scaleOf(v float64, unit string) scale {
	v = math.Abs(v)
	switch unit {
	case "s":
		switch {
		case v < 1e-3:
			return scale{1e-6, "µs"}
		case v < 1:
			return scale{1e-3, "ms"}
		}
		return scale{1, "s"}
	case "bit/s":
		for _, s := range []scale{{1e9, "Gbit/s"}, {1e6, "Mbit/s"}, {1e3, "kbit/s"}} {
			if v >= s.by {
				return s
			}
		}
	case "1/s":
		for _, s := range []scale{{1e6, "M/s"}, {1e3, "k/s"}} {
			if v >= s.by {
				return s
			}
		}
		return scale{1, "/s"}
	case "byte":
		// An MTU is read in bytes.
		for _, s := range []scale{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
			if v >= s.by && v >= 64<<10 {
				return s
			}
		}
		return scale{1, "B"}
	case "1":
		return scale{1, ""}
	}
	return scale{1, unit}
}

// figure writes a number with three significant digits, whole numbers below a
// million as they are.
func figure(v float64) string {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		return "?"
	case v == math.Trunc(v) && math.Abs(v) < 1e6, math.Abs(v) >= 1000:
		return fmt.Sprintf("%.0f", v)
	case math.Abs(v) >= 100:
		return fmt.Sprintf("%.0f", v)
	case math.Abs(v) >= 10:
		return fmt.Sprintf("%.1f", v)
	case math.Abs(v) >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

// quantity writes a figure with its unit.
func quantity(v float64, unit string) string {
	s := scaleOf(v, unit)
	return strings.TrimSpace(figure(v/s.by) + " " + s.unit)
}

// withInterval writes a median and its interval in one unit.
func withInterval(v float64, ci *[2]float64, unit string) string {
	if ci == nil {
		return quantity(v, unit)
	}
	s := scaleOf(v, unit)
	return strings.TrimSpace(fmt.Sprintf("%s [%s, %s] %s", figure(v/s.by), figure(ci[0]/s.by), figure(ci[1]/s.by), s.unit))
}

// ratio writes a ratio to the baseline.
func ratio(v *VsHost) string {
	switch {
	case v == nil:
		return ""
	case v.CI == nil:
		return "×" + times(v.Ratio)
	}
	return fmt.Sprintf("×%s [%s, %s]", times(v.Ratio), times(v.CI[0]), times(v.CI[1]))
}

// times writes a ratio with as many digits as a difference of half a percent
// needs.
func times(v float64) string {
	if v >= 10 {
		return figure(v)
	}
	return fmt.Sprintf("%.3f", v)
}

// share writes a share of one as a percentage with its sign.
func share(v float64) string { return fmt.Sprintf("%+.1f %%", 100*v) }

// printable makes text from agents and kernels harmless on a terminal.
func printable(s string) string { return results.Printable(s) }

// Quantity writes a figure with its unit, for people.
func Quantity(v float64, unit string) string { return quantity(v, unit) }

// WithInterval writes a figure and its interval (nil if there is none) in one unit.
func WithInterval(v float64, ci *[2]float64, unit string) string { return withInterval(v, ci, unit) }

// Times writes a ratio and its interval (nil if there is none).
func Times(r float64, ci *[2]float64) string { return ratio(&VsHost{Ratio: r, CI: ci}) }
