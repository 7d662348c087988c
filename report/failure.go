package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cnibench/cnibench/results"
)

// Failure is how many samples of a probe failed in a cell.
type Failure struct {
	Probe  string `json:"probe"`
	Failed int    `json:"failed"`
	Of     int    `json:"of"`    // all samples
	Cause  string `json:"cause"` // of the last one that failed
	// Shared says that none succeeded, and that the nodes' own network had none
	// that did either: the fault lies below the plugin.
	Shared bool `json:"shared,omitempty"`

	headline  results.Metric // of the probe
	placement string
}

// All reports whether no sample succeeded.
func (f *Failure) All() bool { return f.Failed == f.Of }

// text says it in a few words.
func (f *Failure) text() string {
	if f.Shared {
		return fmt.Sprintf("%s failed %d of %d: %s; the nodes' own network fails at it too", f.Probe, f.Failed, f.Of, f.Cause)
	}
	return fmt.Sprintf("%s failed %d of %d: %s", f.Probe, f.Failed, f.Of, f.Cause)
}

// String says it in a few words.
func (f *Failure) String() string { return f.text() }

// Failure returns what failed of a probe, nil if nothing did.
func (c *Cell) Failure(probe string) *Failure {
	for i := range c.Failures {
		if f := &c.Failures[i]; f.Probe == probe {
			return f
		}
	}
	return nil
}

// failures counts the samples that failed, by probe, in the order in which the
// run describes them.
func (b *builder) failures(samples []results.Sample) []Failure {
	var all []Failure
	for _, described := range b.recorded.Run.Metrics {
		if slices.ContainsFunc(all, func(f Failure) bool { return f.Probe == described.Probe }) {
			continue
		}
		f := Failure{Probe: described.Probe, headline: described}
		for _, s := range samples {
			if s.Probe != f.Probe {
				continue
			}
			f.Of++
			if cause := failed(s, described); cause != "" {
				f.Failed, f.Cause, f.placement = f.Failed+1, cause, s.Placement.Mode
			}
		}
		all = append(all, f)
	}
	return slices.DeleteFunc(all, func(f Failure) bool { return f.Failed == 0 })
}

// failed is why a sample has no headline, "" if it has one.
func failed(s results.Sample, headline results.Metric) string {
	if v, ok := s.Values[headline.Name]; s.Error == "" && ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
		return fmt.Sprintf("its %s is no finite number", headline.Name)
	}
	return s.Error
}

// shareFailures marks the failures that the nodes' own network has too, and
// names each of them once.
func (b *builder) shareFailures() {
	var named []string
	for i := range b.report.Cells {
		c := &b.report.Cells[i]
		host := b.host(c)
		if c.Plugin == results.HostPlugin || host == nil {
			continue
		}
		for j := range c.Failures {
			f := &c.Failures[j]
			if f.Shared = f.All() && b.hostFailsBeside(c, host, f.headline); !f.Shared {
				continue
			}
			its := host.Failure(f.Probe)
			text := fmt.Sprintf("the nodes' own network on %s over %s fails at %s (%d of %d samples, the last: %s): a fault of the underlay, which is charged to no plugin",
				c.Topology, wireName(c.Wire), f.Probe, its.Failed, its.Of, its.Cause)
			if !slices.Contains(named, text) {
				named = append(named, text)
			}
		}
	}
	b.report.Warnings = append(b.report.Warnings, named...)
}

// hostFailsBeside reports whether the baseline was measured in blocks in which a
// cell was, and failed at the probe in all of them.
func (b *builder) hostFailsBeside(c, host *Cell, headline results.Metric) bool {
	blocks := map[int]bool{}
	for _, s := range b.samples[c.Cell] {
		if s.Probe == headline.Probe {
			blocks[s.Block] = true
		}
	}
	beside := 0
	for _, s := range b.samples[host.Cell] {
		if s.Probe != headline.Probe || !blocks[s.Block] {
			continue
		}
		if failed(s, headline) == "" {
			return false
		}
		beside++
	}
	return beside > 0
}

// connects are the probes that any path between two pods passes, however slow it
// is. A network at which one of them never succeeds does not work. Others, such as
// udp-pps, ask for more than that packets arrive.
var connects = []string{"tcp-stream", "tcp-rr", "udp-rr", "tcp-crr"}

// connecting reports whether a probe, with its parameters, is one of them.
func connecting(probe string) bool {
	name, _, _ := strings.Cut(probe, ":")
	return slices.Contains(connects, name)
}

// never is the first of those probes that never succeeded in any cell of a
// network in which it was measured; nil if there is none. One that the plugin
// alone fails at goes before one that the nodes' own network fails at too.
func (r *Report) never(plugin, topology string) *Failure {
	var shared *Failure
	cells := r.cells(plugin, topology)
	for _, c := range cells {
		for i := range c.Failures {
			f := &c.Failures[i]
			if !f.All() || !connecting(f.Probe) || slices.ContainsFunc(cells, func(o *Cell) bool { return o.measured(f.Probe) }) {
				continue
			}
			if !f.Shared {
				return f
			}
			if shared == nil {
				shared = f
			}
		}
	}
	return shared
}

// measured reports whether a cell has a figure of a probe.
func (c *Cell) measured(probe string) bool {
	return slices.ContainsFunc(c.Metrics, func(m Metric) bool { return m.Probe == probe })
}

// Outcome says in words what became of a cell that is not ok.
func (c *Cell) Outcome() string {
	if c.Status == results.StatusBroke {
		return c.broke()
	}
	return c.Status + ": " + c.Cause
}

// broke says when a network that worked stopped working, and why.
func (c *Cell) broke() string {
	at := c.BrokeAt.UTC().Format(time.TimeOnly + " UTC")
	if c.BrokeRound <= 1 {
		return fmt.Sprintf("came up, then broke in round 1 at %s: %s", at, c.Cause)
	}
	return fmt.Sprintf("worked for %d rounds, then broke in round %d at %s: %s", c.BrokeRound-1, c.BrokeRound, at, c.Cause)
}

// Underlay says that the nodes' own network does not work either where a cell
// does not, so that no plugin can be charged with it; "" if it does work.
func (r *Report) Underlay(c *Cell) string {
	host := r.Cell(results.Cell{Plugin: results.HostPlugin, Topology: c.Topology, Wire: c.Wire})
	switch {
	case host == nil || c.Plugin == results.HostPlugin || host.Cause == CauseNotReached:
	case host.Status == results.StatusFailed:
		return "the nodes' own network does not work either: " + host.Cause
	case host.Status == results.StatusBroke && c.Status == results.StatusBroke && host.BrokeRound <= c.BrokeRound+1:
		return "the nodes' own network broke too: it " + host.broke()
	}
	return ""
}

// UnreachedByHost reports whether the nodes' own packets do not pass either where
// a plugin's did not.
func (r *Report) UnreachedByHost(a results.Reachability) bool {
	return a.Plugin != results.HostPlugin && slices.ContainsFunc(r.Reachability, func(o results.Reachability) bool {
		return o.Plugin == results.HostPlugin && o.Topology == a.Topology && o.Direction == a.Direction && o.From == a.From && o.To == a.To && !o.Reachable
	})
}

// noneFrom says which ways the nodes' own network does not carry packets, of
// those that a plugin's pods do not reach each other by; "" unless it accounts
// for all of them.
func (r *Report) noneFrom(attempts []results.Reachability) string {
	var said []string
	for _, a := range attempts {
		if a.Reachable {
			continue
		}
		if !r.UnreachedByHost(a) {
			return ""
		}
		said = append(said, way(a))
	}
	return strings.Join(said, "; ")
}
