package change

import (
	"bytes"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// side returns a run of host and calico-bgp: calico-bgp's goodput is around level, and
// the goodput of host around host.
func side(level, host, noise float64) Side {
	samples := func(of float64) (all []float64) {
		for _, i := range []float64{0, -2, 1, 2, -1, 1, -2, 0, 2, -1} {
			all = append(all, of*math.Exp(noise*i))
		}
		return all
	}
	cell := func(plugin string, of float64) model.Cell {
		m := model.Metric{Probe: "tcp-stream", Name: "goodput", Unit: "bit/s", Better: "higher", Placement: "split", Median: of, N: 10, Samples: samples(of)}
		m.Location = stats.LocationOf([][]float64{m.Samples})
		if plugin != results.HostPlugin {
			m.VsHost = &model.VsHost{N: 10, Ratio: of / host, Judged: ratio(samples(of / host))}
		}
		return model.Cell{Cell: results.Cell{Plugin: plugin, Topology: results.On("l2"), Wire: "none"}, Status: "ok", Metrics: []model.Metric{m}}
	}
	return Side{Run: results.Run{ID: "a", Host: results.Host{CPU: "one", CPUs: 2, Kernel: "6.1"}, Versions: map[string]string{"flanneld": "v1"}},
		Report: &model.Report{Cells: []model.Cell{cell("host", host), cell("calico-bgp", level)}}}
}

// ratio returns the ratio whose blocks have these values.
func ratio(values []float64) stats.Ratio {
	a, b := map[int]float64{}, map[int]float64{}
	for i, v := range values {
		a[i], b[i] = v, 1
	}
	return stats.Paired(a, b)
}

func TestBetween(t *testing.T) {
	for _, c := range []struct {
		name          string
		old, now      Side
		other         bool // another machine
		verdict       stats.Verdict
		judged, cells int
	}{
		{"the same again is no proof with one deployment", side(8, 10, 0.001), side(8, 10, 0.001), false, stats.Inconclusive, 2, 2},
		{"a difference that deployments have too", side(8, 10, 0.001), side(7.2, 10, 0.001), false, stats.Inconclusive, 2, 2},
		{"faster than deployments differ", side(6, 10, 0.001), side(9, 10, 0.001), false, stats.Faster, 2, 2},
		{"slower", side(8, 10, 0.001), side(4, 10, 0.001), false, stats.Slower, 2, 2},
		{"everything slowed down, host too", side(8, 10, 0.001), side(4, 5, 0.001), false, stats.Inconclusive, 2, 2},
		{"the same again in six deployments", deployed(side(8, 10, 0.001)), deployed(side(8, 10, 0.001)), false, stats.Equivalent, 2, 2},
		{"a little slower in six deployments", deployed(side(8, 10, 0.001)), deployed(side(7.2, 10, 0.001)), false, stats.Slower, 2, 2},
		{"noise", side(8, 10, 0.1), side(8.2, 10, 0.1), false, stats.Inconclusive, 2, 2},
		{"a machine of twice the speed, the same share of host", side(8, 10, 0.001), side(16, 20, 0.001), true, stats.Inconclusive, 1, 1},
		{"a machine of twice the speed, a smaller share of host", side(8, 10, 0.001), side(10, 20, 0.001), true, stats.Slower, 1, 1},
		{"and as many deployments of both", deployed(side(8, 10, 0.001)), deployed(side(16, 20, 0.001)), true, stats.Equivalent, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.other {
				c.now.Run.Host.CPU = "two"
			}
			got := Between(c.old, c.now, 0.03)
			if got.SameMachine == c.other || len(got.Cells) != c.cells {
				t.Fatalf("%+v", got)
			}
			for _, cell := range got.Cells {
				if cell.Plugin == "calico-bgp" && cell.Verdict != c.verdict {
					t.Errorf("%s, want %s: %+v", cell.Verdict, c.verdict, cell)
				}
				if cell.Plugin != results.HostPlugin && cell.Unit != "ratio" {
					t.Errorf("an absolute figure is compared across machines: %+v", cell)
				}
			}
		})
	}
}

// deployed returns the side with every plugin's ratio from as many deployments as a verdict on the
// plugin needs, which differ by 0.2 %.
func deployed(s Side) Side {
	for i := range s.Report.Cells {
		m := &s.Report.Cells[i].Metrics[0]
		if m.VsHost == nil {
			continue
		}
		var each []stats.Ratio
		for d := range stats.MinDeployments {
			var values []float64
			for range 6 {
				values = append(values, m.VsHost.Ratio*(1+0.002*float64(d%3-1)))
			}
			each = append(each, ratio(values))
		}
		m.VsHost.Judged = stats.OverDeployments(each)
	}
	return s
}

// TestHostMoved checks that a plugin whose ratio changed gets no verdict if host changed too, and
// that the cause says so.
func TestHostMoved(t *testing.T) {
	for _, c := range []struct {
		name string
		now  Side
		says string
	}{
		{"host stayed", side(4, 10, 0.001), ""},
		{"host is slower by half", side(1, 5, 0.001), "host itself moved between the runs (×0.50"},
		{"host moved within what minutes differ by", side(4, 10.5, 0.001), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, cell := range Between(side(8, 10, 0.001), c.now, 0.03).Cells {
				if cell.Plugin != results.HostPlugin && (!strings.HasPrefix(cell.Cause, c.says) || (c.says == "") != (cell.Cause == "")) {
					t.Errorf("%q, want %q", cell.Cause, c.says)
				}
			}
		})
	}
}

func TestWhatIsMissingOnOneSide(t *testing.T) {
	old, now := side(8, 10, 0.001), side(8, 10, 0.001)
	now.Report.Cells[1] = model.Cell{Cell: now.Report.Cells[1].Cell, Status: "failed", Cause: words.Quote("no route")}
	old.Report.Cells = append(old.Report.Cells, model.Cell{Cell: results.Cell{Plugin: "flannel-vxlan", Topology: results.On("l2"), Wire: "none"}, Metrics: old.Report.Cells[0].Metrics})
	c := Between(old, now, 0.03)
	said := map[string]string{}
	for _, cell := range c.Cells {
		said[cell.Plugin] = cell.Cause
	}
	if said["calico-bgp"] != "its status in the later run is failed: no route" || said["flannel-vxlan"] != "the later run does not have it" || said["host"] != "" {
		t.Errorf("%q", said)
	}
	again := Between(now, old, 0.03)
	for _, cell := range again.Cells {
		if cell.Plugin != "host" && (cell.Cause != "the earlier run does not have it" || cell.Verdict != stats.Inconclusive) {
			t.Errorf("%+v", cell)
		}
	}
}

func TestPlacementIsNotCompared(t *testing.T) {
	old, now := side(8, 10, 0.001), side(9, 10, 0.001)
	now.Report.Cells[1].Metrics[0].Placement = "same"
	for _, cell := range Between(old, now, 0.03).Cells {
		if cell.Plugin == "calico-bgp" && (cell.Verdict != stats.Inconclusive || !strings.Contains(cell.Cause, "placement")) {
			t.Errorf("%+v", cell)
		}
	}
}

func TestEnvironmentComesFirst(t *testing.T) {
	old, now := side(8, 10, 0.001), side(8, 10, 0.001)
	now.Run.Host.Kernel = "6.2\x1b[2J<b>"
	now.Run.Versions = map[string]string{"flanneld": "v2", "bird": "2"}
	c := Between(old, now, 0.03)
	var text, markdown, asJSON bytes.Buffer
	for out, render := range map[*bytes.Buffer]func(io.Writer) error{&text: c.Text, &markdown: c.Markdown, &asJSON: c.JSON} {
		if err := render(out); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(out.String(), "\x1b") {
			t.Errorf("the terminal gets %q", out)
		}
	}
	for _, says := range []string{"kernel 6.1, now 6.2", "version of flanneld v1, now v2", "version of bird none, now 2"} {
		if i := strings.Index(text.String(), says); i < 0 || i > strings.Index(text.String(), "PLUGIN") {
			t.Errorf("%q is not before the table:\n%s", says, &text)
		}
	}
	if strings.Contains(markdown.String(), "<b>") {
		t.Errorf("markup in %s", &markdown)
	}
}

// TestWhatFailedLater checks the cause that is given where the later run does not have
// a figure of the earlier one, or only figures from before the network broke.
func TestWhatFailedLater(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*model.Cell)
		says   string
	}{
		{"all samples failed", func(c *model.Cell) {
			c.Metrics, c.Failures = nil, []model.Failure{{Probe: "tcp-stream", Failed: 6, Of: 6, Cause: words.Quote("timed out")}}
		}, "in the later run tcp-stream failed 6 of 6: timed out"},
		{"it failed", func(c *model.Cell) {
			c.Metrics, c.Status, c.Cause = nil, results.StatusFailed, words.Quote("no packet")
		}, "its status in the later run is failed: no packet"},
		{"it broke", func(c *model.Cell) {
			c.Status, c.Cause, c.BrokeRound, c.WorkedRounds = results.StatusBroke, words.Quote("no packet"), 5, 4
		}, "in the later run it worked for 4 rounds, then broke in round 5"},
		{"it broke before the probe's first sample", func(c *model.Cell) {
			c.Metrics, c.Status, c.Cause, c.BrokeRound = nil, results.StatusBroke, words.Quote("no packet"), 1
		}, "in the later run it came up, then broke in round 1"},
		{"it is not there", func(c *model.Cell) { c.Metrics = nil }, "the later run does not have it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			now := side(8, 10, 0.001)
			c.change(&now.Report.Cells[1])
			for _, cell := range Between(side(8, 10, 0.001), now, 0.03).Cells {
				if cell.Plugin == "calico-bgp" && (cell.Verdict != stats.Inconclusive || !strings.HasPrefix(cell.Cause, c.says)) {
					t.Errorf("%+v, want %q", cell, c.says)
				}
			}
		})
	}
}

// TestHostMovedALittle holds the rule at its borders: host has moved if its interval excludes 1, unless
// it lies within the margin.
func TestHostMovedALittle(t *testing.T) {
	for _, c := range []struct {
		name      string
		low, high float64 // of host in the later run; in the earlier one it was 10
		moved     bool
	}{
		{"not shown to have moved", 9.9, 10.6, false},
		{"moved within the margin", 10.05, 10.2, false},
		{"moved by more than the margin, perhaps", 10.1, 10.8, true},
		{"moved by more than the margin", 11, 12, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			old, now := deployed(side(8, 10, 0.001)), deployed(side(8, 10, 0.001))
			level := func(low, high float64) stats.Location {
				return stats.Location{Median: math.Sqrt(low * high), CI: &stats.Interval{Low: low, High: high}, Deployments: stats.MinDeployments}
			}
			old.Report.Cells[0].Metrics[0].Location = level(9.999, 10.001)
			now.Report.Cells[0].Metrics[0].Location = level(c.low, c.high)
			for _, cell := range Between(old, now, 0.03).Cells {
				if moved := strings.HasPrefix(cell.Cause, "host itself moved"); cell.Plugin != results.HostPlugin && moved != c.moved {
					t.Errorf("%+v", cell)
				}
			}
		})
	}
}
