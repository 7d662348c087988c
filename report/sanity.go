package report

import (
	"fmt"
	"strings"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// Implausible is a result that contradicts physics or the set-up. It is
// reported, never changed.
type Implausible struct {
	Rule     string `json:"rule"`
	Plugin   string `json:"plugin"`
	Topology string `json:"topology"`
	Kernel   string `json:"kernel,omitempty"` // "" for the machine's own
	Wire     string `json:"wire"`
	Text     string `json:"text"`
	Check    string `json:"check"` // what to look at
}

// rule is what must not be. Exactly one of pair, figure and network is set.
type rule struct {
	name string
	// pair finds a comparison that breaks the rule.
	pair func(b *builder, c *Comparison) bool
	// figure finds a figure of a cell that breaks it.
	figure func(b *builder, c *Cell, m *Metric) bool
	// network names the network whose packets show that a cell breaks it, whatever
	// its figures are; "" if it does not.
	network func(b *builder, c *Cell) string
	text    string // follows the sentence or the figure
	check   string
}

// rules are all of them. Pairs have the baseline as the second one.
var rules = []rule{
	{
		name: "faster-than-underlay",
		pair: func(_ *builder, c *Comparison) bool {
			return c.B == results.HostPlugin && c.Topology != results.SameNode && c.better()
		},
		text: "But every packet of a pod also takes the way that the host's own packets take.",
		check: "whether both ends of the baseline and of the pods were on the same CPUs, whether the baseline's NIC has offloads switched off " +
			"that the pods' devices have, and whether the traffic crosses the wire at all (the encap probe)",
	},
	{
		name: "tunnel-faster-than-plain",
		pair: func(b *builder, c *Comparison) bool {
			a, o := b.plugin(c.A), b.plugin(c.B)
			if a == nil || o == nil || c.B == results.HostPlugin || family(a.Name) != family(o.Name) {
				return false
			}
			one, other := b.onWire(&Cell{Cell: results.Cell{Plugin: c.A, Topology: c.Topology}}, c.Probe), b.onWire(&Cell{Cell: results.Cell{Plugin: c.B, Topology: c.Topology}}, c.Probe)
			if !one.known || !other.known {
				return false
			}
			return one.overhead > 0 && other.overhead == 0 && c.better() || one.overhead == 0 && other.overhead > 0 && c.worse()
		},
		text:  "But one plugin's tunnel does all that its plain routing does, and more.",
		check: "whether the routes of the plain mode lead over the wire directly, and checksum and segmentation offloads of both",
	},
	{
		name: "above-the-wire",
		figure: func(b *builder, _ *Cell, m *Metric) bool {
			return m.Expected != nil && m.CI != nil && m.CI[0] > *m.Expected*(1+b.margin())
		},
		text:  "is more than the wire carries",
		check: "whether the wire's rate is set on every NIC on the way, and whether bytes are counted at the receiver",
	},
	{
		name: "not-on-this-wire",
		network: func(b *builder, c *Cell) string {
			return b.report.apartOnWire(c.Plugin, results.HostPlugin, c.Topology)
		},
		text:  "So the packets of pods and those of the nodes themselves took different paths, whose figures do not compare.",
		check: "which interface the pods' packets leave by, and how fast that one is; until then take no figure of this plugin for what the measured wire allows",
	},
	{
		name: "control-differs",
		pair: func(_ *builder, c *Comparison) bool {
			return c.Control && (c.Verdict == stats.Faster || c.Verdict == stats.Slower)
		},
		text:  "But both are the same plugin, deployed twice.",
		check: "what differs between the two networks (order of creation, CPUs, leftovers); until then take other differences of this size for nothing",
	},
}

// family is the plugin that a mode belongs to: the first word of its name.
func family(name string) string {
	first, _, _ := strings.Cut(name, "-")
	return first
}

// better reports whether A is better than B by more than the margin, with the
// whole interval.
func (c *Comparison) better() bool {
	return c.Verdict == stats.Faster && (c.CI[0] > 1+c.Margin || c.CI[1] < 1/(1+c.Margin))
}

// worse is the opposite.
func (c *Comparison) worse() bool {
	return c.Verdict == stats.Slower && (c.CI[0] > 1+c.Margin || c.CI[1] < 1/(1+c.Margin))
}

// implausible applies the rules.
func (b *builder) implausible() []Implausible {
	found := []Implausible{}
	for _, r := range rules {
		if r.pair != nil {
			for i := range b.report.Comparisons {
				if c := &b.report.Comparisons[i]; r.pair(b, c) {
					found = append(found, Implausible{Rule: r.name, Plugin: c.A, Topology: c.Topology, Wire: c.Wire, Text: c.Sentence + " " + r.text, Check: r.check})
				}
			}
			continue
		}
		for i := range b.report.Cells {
			c := &b.report.Cells[i]
			if r.network != nil {
				if of := r.network(b, c); of != "" && c.Plugin != results.HostPlugin {
					found = append(found, Implausible{Rule: r.name, Plugin: c.Plugin, Topology: c.Topology, Wire: c.Wire, Check: r.check,
						Text: fmt.Sprintf("%s on %s: %s. %s", of, c.Topology, b.report.path(of, c.Topology).Evidence, r.text)})
				}
				continue
			}
			for j := range c.Metrics {
				if m := &c.Metrics[j]; r.figure(b, c, m) {
					found = append(found, Implausible{Rule: r.name, Plugin: c.Plugin, Topology: c.Topology, Wire: c.Wire, Check: r.check,
						Text: fmt.Sprintf("%s %s of %s over %s, %s, %s.", m.Probe, m.Name, c.Plugin, wireName(c.Wire), withInterval(m.Median, m.CI, m.Unit), r.text)})
				}
			}
		}
	}
	return found
}
