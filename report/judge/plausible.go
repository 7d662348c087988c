package judge

import (
	"strings"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/figures"
	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// rule describes an implausible result. Exactly one of pair, figure and network is set.
type rule struct {
	name string
	// pair reports whether a comparison is implausible.
	pair func(b *gather.Run, c *model.Comparison) bool
	// figure reports whether a figure of a cell is implausible.
	figure func(b *gather.Run, c *model.Cell, m *model.Metric) bool
	// network names the network whose packets show that a cell is implausible,
	// whatever its figures are; "" if it is not.
	network func(b *gather.Run, c *model.Cell) string
	text    words.Text // follows the sentence or the figure
	check   words.Text
}

// rules lists all rules. The baseline is always the second plugin of a pair.
var rules = []rule{
	{
		name: "faster-than-underlay",
		pair: func(_ *gather.Run, c *model.Comparison) bool {
			return c.B == results.HostPlugin && c.Topology.Name != results.SameNode && better(c)
		},
		text:  words.FasterThanUnderlay,
		check: words.CheckUnderlay,
	},
	{
		name: "tunnel-faster-than-plain",
		pair: func(b *gather.Run, c *model.Comparison) bool {
			a, o := b.Plugin(c.A), b.Plugin(c.B)
			if a == nil || o == nil || c.B == results.HostPlugin || family(a.Name) != family(o.Name) {
				return false
			}
			one, other := figures.WireOf(b, &model.Cell{Cell: results.Cell{Plugin: c.A, Topology: c.Topology}}, c.Probe), figures.WireOf(b, &model.Cell{Cell: results.Cell{Plugin: c.B, Topology: c.Topology}}, c.Probe)
			if !one.Known || !other.Known {
				return false
			}
			return one.Overhead > 0 && other.Overhead == 0 && better(c) || one.Overhead == 0 && other.Overhead > 0 && worse(c)
		},
		text:  words.TunnelFasterThanPlain,
		check: words.CheckPlainRoutes,
	},
	{
		name: "above-the-wire",
		figure: func(b *gather.Run, _ *model.Cell, m *model.Metric) bool {
			return m.Expected != nil && m.CI != nil && m.CI[0] > *m.Expected*(1+margin(b))
		},
		text:  words.AboveRate,
		check: words.CheckRate,
	},
	{
		name: "not-on-this-wire",
		network: func(b *gather.Run, c *model.Cell) string {
			return facts.ApartOnWire(b.Report, c.Plugin, results.HostPlugin, c.Topology)
		},
		text:  words.PathsDiffer,
		check: words.CheckInterface,
	},
	{
		name: "control-differs",
		pair: func(_ *gather.Run, c *model.Comparison) bool {
			return c.Control && (c.Verdict == stats.Faster || c.Verdict == stats.Slower)
		},
		text:  words.ControlDiffers,
		check: words.CheckControl,
	},
}

// family returns the plugin that a mode belongs to: the first word of its name.
func family(name string) string {
	first, _, _ := strings.Cut(name, "-")
	return first
}

// better reports whether the whole interval shows that A is better than B by more than
// the margin.
func better(c *model.Comparison) bool {
	return c.Verdict == stats.Faster && (c.CI[0] > 1+c.Margin || c.CI[1] < 1/(1+c.Margin))
}

// worse reports whether the whole interval shows that A is worse than B by more than
// the margin.
func worse(c *model.Comparison) bool {
	return c.Verdict == stats.Slower && (c.CI[0] > 1+c.Margin || c.CI[1] < 1/(1+c.Margin))
}

// implausibleOf returns the results that are implausible by the rules.
func implausibleOf(b *gather.Run) []model.Implausible {
	found := []model.Implausible{}
	for _, r := range rules {
		if r.pair != nil {
			for i := range b.Report.Comparisons {
				if c := &b.Report.Comparisons[i]; r.pair(b, c) {
					found = append(found, model.Implausible{Rule: r.name, Plugin: c.A, Topology: c.Topology, Kernel: c.Topology.Kernel, Wire: c.Wire, Text: words.Following(c.Sentence, r.text), Check: r.check})
				}
			}
			continue
		}
		for i := range b.Report.Cells {
			c := &b.Report.Cells[i]
			if r.network != nil {
				if of := r.network(b, c); of != "" && c.Plugin != results.HostPlugin {
					found = append(found, model.Implausible{Rule: r.name, Plugin: c.Plugin, Topology: c.Topology, Kernel: c.Topology.Kernel, Wire: c.Wire, Check: r.check,
						Text: words.Following(words.Stop(words.Of(words.On.With(of, c.Topology), facts.SeenOnWire(b.Report, of, c.Topology).Evidence)), r.text)})
				}
				continue
			}
			for j := range c.Metrics {
				if m := &c.Metrics[j]; r.figure(b, c, m) {
					found = append(found, model.Implausible{Rule: r.name, Plugin: c.Plugin, Topology: c.Topology, Kernel: c.Topology.Kernel, Wire: c.Wire, Check: r.check,
						Text: words.ComparisonEvidence.With(m.Probe, m.Name, c.Plugin, model.WireName(c.Wire), quantity.Interval(m.Median, m.CI, m.Unit), r.text)})
				}
			}
		}
	}
	return found
}
