package stats

import (
	"math"
	"testing"
)

func TestTargetWidth(t *testing.T) {
	for _, c := range []struct {
		name             string
		precision, ratio float64
		want             float64
	}{
		{"equal", 0.03, 1, 0.03},
		{"a small difference", 0.03, 1.05, 0.03},
		{"a difference of 10 %", 0.03, 1.1, math.Log(1.1) / 2},
		{"eight times slower", 0.03, 0.125, math.Log(8) / 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := TargetWidth(c.precision, c.ratio); math.Abs(got-c.want) > 1e-12 {
				t.Errorf("%g, want %g", got, c.want)
			}
		})
	}
}
