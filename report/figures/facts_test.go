package figures

import (
	"testing"

	"github.com/cnibench/cnibench/results"
)

// TestFact checks that the interval of a figure that does not vary is the range of its values,
// however few there are.
func TestFact(t *testing.T) {
	for _, c := range []struct {
		name   string
		fact   bool
		values []float64
		median float64
		ci     *[2]float64
	}{
		{"the start of a run alone", true, []float64{1450}, 1450, &[2]float64{1450, 1450}},
		{"start and end", true, []float64{1450, 1450}, 1450, &[2]float64{1450, 1450}},
		{"it changed", true, []float64{1500, 1450}, 1450, &[2]float64{1450, 1500}},
		{"two samples of what varies", false, []float64{1500, 1450}, 1475, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var samples []results.Sample
			for i, v := range c.values {
				samples = append(samples, results.Sample{Probe: "mtu", Block: i, Values: map[string]float64{"path": v}})
			}
			m := metric(results.Metric{Probe: "mtu", Name: "path", Unit: "byte", Better: "higher", Fact: c.fact}, samples)
			if m == nil || m.Median != c.median || (m.CI == nil) != (c.ci == nil) || c.ci != nil && *m.CI != *c.ci || c.fact && len(m.Warnings) > 0 {
				t.Errorf("%+v", m)
			}
		})
	}
}
