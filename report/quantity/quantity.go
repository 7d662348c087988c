// Package quantity formats figures for people: a number with a fitting prefix of its
// unit and a suitable number of digits.
package quantity

import (
	"fmt"
	"math"
	"strings"
)

// Scale is a unit with a prefix that fits a figure.
type Scale struct {
	By   float64 // divide figures by it
	Unit string
}

// ScaleOf returns the scale for a figure in a base unit.
func ScaleOf(v float64, unit string) Scale {
	v = math.Abs(v)
	switch unit {
	case "s":
		switch {
		case v < 1e-3:
			return Scale{1e-6, "µs"}
		case v < 1:
			return Scale{1e-3, "ms"}
		}
		return Scale{1, "s"}
	case "bit/s":
		for _, s := range []Scale{{1e9, "Gbit/s"}, {1e6, "Mbit/s"}, {1e3, "kbit/s"}} {
			if v >= s.By {
				return s
			}
		}
	case "1/s":
		for _, s := range []Scale{{1e6, "M/s"}, {1e3, "k/s"}} {
			if v >= s.By {
				return s
			}
		}
		return Scale{1, "/s"}
	case "byte":
		// MTUs are shown in bytes.
		for _, s := range []Scale{{1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
			if v >= s.By && v >= 64<<10 {
				return s
			}
		}
		return Scale{1, "B"}
	case "1":
		return Scale{1, ""}
	}
	return Scale{1, unit}
}

// Figure formats a number with three significant digits, and whole numbers below a
// million exactly.
func Figure(v float64) string {
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

// Format formats a figure with its unit.
func Format(v float64, unit string) string {
	s := ScaleOf(v, unit)
	return strings.TrimSpace(Figure(v/s.By) + " " + s.Unit)
}

// Interval formats a figure and its interval (nil if there is none) in the same unit.
func Interval(v float64, ci *[2]float64, unit string) string {
	if ci == nil {
		return Format(v, unit)
	}
	s := ScaleOf(v, unit)
	return strings.TrimSpace(fmt.Sprintf("%s [%s, %s] %s", Figure(v/s.By), Figure(ci[0]/s.By), Figure(ci[1]/s.By), s.Unit))
}

// Ratio formats a ratio and its interval (nil if there is none).
func Ratio(r float64, ci *[2]float64) string {
	if ci == nil {
		return "×" + Times(r)
	}
	return fmt.Sprintf("×%s [%s, %s]", Times(r), Times(ci[0]), Times(ci[1]))
}

// Times formats a ratio with enough digits to show a difference of half a percent.
func Times(v float64) string {
	if v >= 10 {
		return Figure(v)
	}
	return fmt.Sprintf("%.3f", v)
}

// Share formats a share of one as a percentage with its sign.
func Share(v float64) string { return fmt.Sprintf("%+.1f %%", 100*v) }

// Percent formats a share of one as a percentage without a plus sign.
func Percent(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }
