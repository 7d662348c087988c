package report_test

import (
	"html"
	"io"
	"strings"
	"testing"

	ashtml "github.com/cnibench/cnibench/report/html"
	"github.com/cnibench/cnibench/report/machine"
	"github.com/cnibench/cnibench/report/markdown"
	astext "github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/results"
)

// overPath returns samples of a path whose rate is a share of that of the straight path,
// while the machine becomes slower from block to block.
func overPath(plugin, probe string, share float64, straight ...float64) []results.Record {
	var all []results.Record
	for block, v := range straight {
		s := goodput(plugin, block, 0)
		s.Sample.Probe, s.Sample.Values = probe, map[string]float64{"rate": share * v, "pod-rate": v}
		all = append(all, s)
	}
	return all
}

// withPaths adds the figures of paths to a record, as their probes describe them.
func withPaths(recorded *results.Recorded, probes ...string) *results.Recorded {
	for _, probe := range probes {
		recorded.Run.Metrics = append(recorded.Run.Metrics, results.Metric{Probe: probe, Name: "rate", Unit: "1/s", Better: "higher", Straight: "pod-rate"},
			results.Metric{Probe: probe, Name: "pod-rate", Unit: "1/s", Better: "higher", Evidence: true})
	}
	return recorded
}

// TestPathsInEveryFormat checks that every format shows the figure of a path and its
// ratio to the straight path.
func TestPathsInEveryFormat(t *testing.T) {
	slower := []float64{9000, 8000, 7000, 6000, 5000, 4000}
	recorded := withPaths(record(together(fine("host", "tcp-stream", "goodput", 9e8, six...), fine("flannel-vxlan", "tcp-stream", "goodput", 8e8, six...),
		overPath("flannel-vxlan", "node-port:own", 0.5, slower...), overPath("flannel-vxlan", "from-elsewhere", 0.25, slower...))...), "node-port:own", "from-elsewhere")
	r := build(t, recorded)
	for _, c := range []struct {
		format string
		render func(io.Writer) error
		want   []string
	}{
		{"text", people(astext.Write, r, nil), []string{"pod to a NodePort of its own node  rate", "6.50 [4, 9] k/s", "×0.500 [0.500, 0.500]", "from-elsewhere"}},
		{"page", people(ashtml.Write, r, nil), []string{"<h2>The paths that applications use</h2>", "<td>pod to a NodePort of its own node</td>", "<td>×0.500 [0.500, 0.500]</td>"}},
		{"Markdown", people(markdown.Write, r, nil), []string{"#### The paths that applications use", "| pod to a NodePort of its own node | rate |", "×0.250 [0.250, 0.250]"}},
		{"JSON", of(machine.JSON, r), []string{`"vs_straight": {`, `"name": "pod-rate"`}},
		{"OpenMetrics", of(machine.OpenMetrics, r), []string{`cnibench_vs_straight_ratio{run="test",plugin="flannel-vxlan",topology="l2",wire="1gbit",probe="node-port:own",metric="rate",stat="median"} 0.4999`}},
		{"CSV", of(machine.CSV, recorded), []string{"pod-rate"}},
		{"Chinese text", people(astext.Write, r, chinese(t)), []string{"Pod 到自己节点的 NodePort", "与直接路径之比"}},
	} {
		t.Run(c.format, func(t *testing.T) {
			got := html.UnescapeString(rendered(t, c.render))
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
		})
	}
}

// TestVsStraight checks how a figure is compared with the straight path.
func TestVsStraight(t *testing.T) {
	straightOnly := overPath("flannel-vxlan", "service", 1, 1000, 1000, 1000)
	delete(straightOnly[1].Sample.Values, "rate")
	for _, c := range []struct {
		name    string
		samples []results.Record
		n       int // of the ratio; 0 if there is none
		ci      bool
	}{
		{"six samples", overPath("flannel-vxlan", "service", 0.5, 1000, 3000, 1000, 4000, 1000, 5000), 6, true},
		{"too few for an interval", overPath("flannel-vxlan", "service", 0.5, 1000, 2000), 2, false},
		{"a sample without the path", straightOnly, 2, false},
		{"zeros", overPath("flannel-vxlan", "service", 0.5, 0, 1000), 0, false},
		{"none", nil, 0, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := build(t, withPaths(record(together(fine("host", "tcp-stream", "goodput", 9e8, six...), fine("flannel-vxlan", "tcp-stream", "goodput", 9e8, six...), c.samples)...), "service"))
			m := r.Cell(results.Cell{Plugin: "flannel-vxlan", Topology: results.On("l2"), Wire: "1gbit"}).Metric("service", "rate")
			if m == nil || m.VsStraight == nil {
				if c.n > 0 {
					t.Errorf("%+v", m)
				}
				return
			}
			if v := m.VsStraight; v.N != c.n || (v.CI != nil) != c.ci || v.Name != "pod-rate" {
				t.Errorf("%+v", v)
			}
		})
	}
}
