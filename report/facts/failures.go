package facts

import (
	"slices"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// never is the first of those probes that never succeeded in any cell of a
// network in which it was measured; nil if there is none. One that the plugin
// alone fails at goes before one that the nodes' own network fails at too.
func never(r *model.Report, plugin string, topology results.Topology) *model.Failure {
	var shared *model.Failure
	cells := r.CellsOf(plugin, topology)
	for _, c := range cells {
		for i := range c.Failures {
			f := &c.Failures[i]
			if !f.All() || !model.Connecting(f.Probe) || slices.ContainsFunc(cells, func(o *model.Cell) bool { return o.Measured(f.Probe) }) {
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

// Underlay says that the nodes' own network does not work either where a cell
// does not, so that no plugin can be charged with it; "" if it does work.
func Underlay(r *model.Report, c *model.Cell) words.Text {
	host := r.Cell(results.Cell{Plugin: results.HostPlugin, Topology: c.Topology, Wire: c.Wire})
	switch {
	case host == nil || c.Plugin == results.HostPlugin || host.Cause == model.CauseNotReached:
	case host.Status == results.StatusFailed:
		return words.HostDoesNotWork.With(host.Cause)
	case host.Status == results.StatusBroke && c.Status == results.StatusBroke && host.BrokeRound <= c.BrokeRound+1:
		return words.HostBrokeToo.With(host.Broke())
	}
	return words.Text{}
}

// UnreachedByHost reports whether the nodes' own packets do not pass either where
// a plugin's did not.
func UnreachedByHost(r *model.Report, a results.Reachability) bool {
	return a.Plugin != results.HostPlugin && slices.ContainsFunc(r.Reachability, func(o results.Reachability) bool {
		return o.Plugin == results.HostPlugin && o.Topology == a.Topology && o.Direction == a.Direction && o.From == a.From && o.To == a.To && !o.Reachable
	})
}

// noneFrom says which ways the nodes' own network does not carry packets, of
// those that a plugin's pods do not reach each other by; "" unless it accounts
// for all of them.
func noneFrom(r *model.Report, attempts []results.Reachability) words.Text {
	var said []words.Text
	for _, a := range attempts {
		if a.Reachable {
			continue
		}
		if !UnreachedByHost(r, a) {
			return words.Text{}
		}
		said = append(said, Way(a))
	}
	return words.Clauses(said...)
}
