package facts

import (
	"slices"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// never returns the first probe that never succeeded in any cell of a network, or nil
// if there is none. A probe that only the plugin fails comes before one that the
// nodes' own network fails too.
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

// Underlay says that the nodes' own network does not work either where a cell does
// not, so that the plugin is not to blame. It is empty if the nodes' network works.
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

// UnreachedByHost reports whether the nodes' own packets did not pass either where a
// plugin's did not.
func UnreachedByHost(r *model.Report, a results.Reachability) bool {
	return a.Plugin != results.HostPlugin && slices.ContainsFunc(r.Reachability, func(o results.Reachability) bool {
		return o.Plugin == results.HostPlugin && o.Topology == a.Topology && o.Direction == a.Direction && o.From == a.From && o.To == a.To && !o.Reachable
	})
}

// noneFrom lists the directions in which neither a plugin's pods nor the nodes reach
// each other. It is empty if the nodes' network works in any direction in which the
// plugin fails.
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
