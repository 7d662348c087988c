package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
)

// warn collects what a reader must know before any figure.
func warn(b *gather.Run) {
	r := b.Report
	say := func(format string, args ...any) { r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...)) }
	for _, e := range r.Encapsulation {
		switch {
		case facts.Missed(&e) && facts.SeenOnWire(r, e.Plugin, e.Topology).Value == "":
			say("%s on %s: %s. %s", e.Plugin, e.Topology, facts.SeenOnWire(r, e.Plugin, e.Topology).Evidence, strings.Join(e.Warnings, "; "))
		case facts.Missed(&e):
			say("%s on %s: %s. Its figures are not those of this wire: none is compared with what took it. %s",
				e.Plugin, e.Topology, facts.SeenOnWire(r, e.Plugin, e.Topology).Evidence, strings.Join(e.Warnings, "; "))
		case !e.Agrees:
			say("the wire disagrees: %s on %s is configured for %s, but what was seen is %s (%d of %d packets). Its figures are not those of %s. %s",
				e.Plugin, e.Topology, facts.Form(e.Configured, e.ConfiguredPort, e.ExpectedBytes), facts.Form(e.Effective, e.Port, e.OverheadBytes),
				e.Frames, e.Sent, e.Plugin, strings.Join(e.Warnings, "; "))
		case len(e.Warnings) > 0:
			say("on the wire of %s on %s: %s", e.Plugin, e.Topology, strings.Join(e.Warnings, "; "))
		}
	}
	switch {
	case r.Run.Finished == nil:
		say("the run was cut off: what follows is the record so far")
	case !r.Run.Complete:
		say(quantity.Plural(r.Run.Rounds, "the run was interrupted after %d round: what follows is the record so far", "the run was interrupted after %d rounds: what follows is the record so far"), r.Run.Rounds)
	}
	for _, a := range r.Reachability {
		if a.Plugin == results.HostPlugin && a.Direction == results.PodToPod && !a.Reachable {
			say("the nodes' own network on %s does not carry packets (%s): a fault of the underlay, which is charged to no plugin", a.Topology, facts.Way(a))
		}
	}
	warnPrecision(b, say)
	warnApart(b, say)
	for _, p := range b.Order {
		if n := len(b.Exits[p]); n > 0 {
			last := b.Exits[p][n-1].Text
			if n == 1 {
				say("an agent of %s on %s ended once while the run was under way: %s", p.Plugin, p.Topology, last)
				continue
			}
			say("agents of %s on %s exited %d times, the last: %s", p.Plugin, p.Topology, n, last)
		}
	}
	warnAbsent(b)
}

// warnApart says in which rounds each plugin was measured, if they were measured
// one after the other, and what that means.
func warnApart(b *gather.Run, say func(string, ...any)) {
	asked := b.Recorded.Run.Asked
	if !asked.Apart() {
		return
	}
	var when []string
	for _, plugin := range asked.Plugins {
		if first, last := b.RoundsOf(plugin); last > 0 && plugin != results.HostPlugin {
			when = append(when, fmt.Sprintf("%s in rounds %d to %d", plugin, first, last))
		}
	}
	if len(asked.Contexts) > 0 {
		say("the plugins are those of different clusters (%s), measured one after the other (%s): different machines, so the host's own figures are left out, "+
			"and only ratios to the host of the same rounds compare", strings.Join(asked.Contexts, ", "), strings.Join(when, ", "))
		return
	}
	say("the plugins were installed one after the other, the host measured beside each (%s): between plugins, ratios to the host of the same rounds are compared, "+
		"and what changed in the cluster from one installation to the next is not told apart from the plugins", strings.Join(when, ", "))
}

// warnPrecision says which ratios are known less well than asked for, in a run
// that had no fixed number of rounds, and what it would take.
func warnPrecision(b *gather.Run, say func(string, ...any)) {
	asked := b.Recorded.Run.Asked
	if asked.Rounds > 0 {
		return
	}
	type wide struct {
		width float64
		text  string
	}
	var all []wide
	for _, c := range b.Report.Comparisons {
		if c.CI == nil {
			continue
		}
		if width := (c.CI[1] - c.CI[0]) / *c.Ratio; width > asked.Precision {
			all = append(all, wide{width, fmt.Sprintf("%s against %s by %s over %s (%.1f %%, about %d rounds)", c.A, c.B, c.Probe, c.Wire,
				100*width, c.Judged.RoundsFor(asked.Precision))})
		}
	}
	if len(all) == 0 {
		return
	}
	slices.SortStableFunc(all, func(a, b wide) int { return cmp.Compare(b.width, a.width) })
	var worst []string
	for _, w := range all[:min(len(all), 3)] {
		worst = append(worst, w.text)
	}
	say("the precision of %.1f %% was not reached after %d rounds for %d of %d ratios; the widest, with the rounds that each would take: %s",
		100*asked.Precision, b.Report.Run.Rounds, len(all), len(b.Report.Comparisons), strings.Join(worst, ", "))
}

// warnAbsent adds cells for networks that were asked for and of which nothing
// is recorded.
func warnAbsent(b *gather.Run) {
	asked := b.Recorded.Run.Asked
	for _, topology := range asked.Topology {
		for _, plugin := range asked.Plugins {
			if b.RecordedOf(plugin, topology) {
				continue
			}
			for _, wire := range asked.Wire {
				b.Report.Cells = append(b.Report.Cells, model.Cell{Cell: results.Cell{Plugin: plugin, Topology: topology, Wire: wire},
					Status: results.StatusFailed, Cause: model.CauseNotReached, Versions: map[string]string{}, Metrics: []model.Metric{}})
			}
		}
	}
}
