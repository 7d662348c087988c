package change

import (
	"testing"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// TestFacts compares a figure that was sampled twice in the later run, and in every round of an
// earlier one of an old version.
func TestFacts(t *testing.T) {
	for _, c := range []struct {
		name     string
		was, now float64
		ratio    float64
		verdict  stats.Verdict
	}{
		{"the same", 1450, 1450, 1, stats.Equivalent},
		{"smaller", 1500, 1450, 1450. / 1500, stats.Slower},
		{"larger, by less than the margin", 1450, 1460, 1460. / 1450, stats.Faster},
	} {
		t.Run(c.name, func(t *testing.T) {
			of := func(value float64, samples int) *model.Report {
				m := model.Metric{Probe: "mtu", Name: "path", Unit: "byte", Better: "higher", Fact: samples == 2, Median: value, N: samples}
				for range samples {
					m.Samples = append(m.Samples, value)
				}
				return &model.Report{Cells: []model.Cell{{Cell: results.Cell{Plugin: "calico-bgp", Topology: results.On("l2"), Wire: "none"}, Status: "ok", Metrics: []model.Metric{m}}}}
			}
			run := results.Run{Host: results.Host{CPU: "one", CPUs: 2, Kernel: "6.1"}}
			got := Between(Side{run, of(c.was, 12)}, Side{run, of(c.now, 2)}, 0.03)
			if one := got.Cells[0]; len(got.Cells) != 1 || one.Verdict != c.verdict || one.Ratio == nil || *one.Ratio != c.ratio || *one.CI != [2]float64{c.ratio, c.ratio} {
				t.Errorf("%+v", got.Cells)
			}
		})
	}
}
