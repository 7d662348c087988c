package report

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/results"
)

// warn collects what a reader must know before any figure.
func (b *builder) warn() {
	r := b.report
	say := func(format string, args ...any) { r.Warnings = append(r.Warnings, fmt.Sprintf(format, args...)) }
	for _, e := range r.Encapsulation {
		switch {
		case missed(&e) && r.path(e.Plugin, e.Topology).Value == "":
			say("%s on %s: %s. %s", e.Plugin, e.Topology, r.path(e.Plugin, e.Topology).Evidence, strings.Join(e.Warnings, "; "))
		case missed(&e):
			say("%s on %s: %s. Its figures are not those of this wire: none is compared with what took it. %s",
				e.Plugin, e.Topology, r.path(e.Plugin, e.Topology).Evidence, strings.Join(e.Warnings, "; "))
		case !e.Agrees:
			say("the wire disagrees: %s on %s is configured for %s, but what was seen is %s (%d of %d packets). Its figures are not those of %s. %s",
				e.Plugin, e.Topology, form(e.Configured, e.ConfiguredPort, e.ExpectedBytes), form(e.Effective, e.Port, e.OverheadBytes),
				e.Frames, e.Sent, e.Plugin, strings.Join(e.Warnings, "; "))
		case len(e.Warnings) > 0:
			say("on the wire of %s on %s: %s", e.Plugin, e.Topology, strings.Join(e.Warnings, "; "))
		}
	}
	switch {
	case r.Run.Finished == nil:
		say("the run was cut off: what follows is the record so far")
	case !r.Run.Complete:
		say("the run was interrupted after %d rounds: what follows is the record so far", r.Run.Rounds)
	}
	for _, a := range r.Reachability {
		if a.Plugin == results.HostPlugin && a.Direction == results.PodToPod && !a.Reachable {
			say("the nodes' own network on %s does not carry packets (%s): a fault of the underlay, which is charged to no plugin", a.Topology, way(a))
		}
	}
	b.warnPrecision(say)
	b.warnApart(say)
	for _, p := range b.order {
		if n := len(b.exits[p]); n > 0 {
			say("agents of %s on %s exited %d times, the last: %s", p.plugin, p.topology, n, b.exits[p][n-1].text)
		}
	}
	b.warnAbsent()
}

// warnApart says in which rounds each plugin was measured, if they were measured
// one after the other, and what that means.
func (b *builder) warnApart(say func(string, ...any)) {
	asked := b.recorded.Run.Asked
	if !asked.Apart() {
		return
	}
	var when []string
	for _, plugin := range asked.Plugins {
		if first, last := b.roundsOf(plugin); last > 0 && plugin != results.HostPlugin {
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

// roundsOf are the first and the last round of a plugin, counted from 1; 0 if it
// has no sample.
func (b *builder) roundsOf(plugin string) (first, last int) {
	for cell, samples := range b.samples {
		if cell.Plugin != plugin {
			continue
		}
		for _, s := range samples {
			last = max(last, s.Block+1)
			if first == 0 || s.Block+1 < first {
				first = s.Block + 1
			}
		}
	}
	return first, last
}

// warnPrecision says which ratios are known less well than asked for, in a run
// that had no fixed number of rounds, and what it would take.
func (b *builder) warnPrecision(say func(string, ...any)) {
	asked := b.recorded.Run.Asked
	if asked.Rounds > 0 {
		return
	}
	type wide struct {
		width float64
		text  string
	}
	var all []wide
	for _, c := range b.report.Comparisons {
		if c.CI == nil {
			continue
		}
		if width := (c.CI[1] - c.CI[0]) / *c.Ratio; width > asked.Precision {
			all = append(all, wide{width, fmt.Sprintf("%s against %s by %s over %s (%.1f %%, about %d rounds)", c.A, c.B, c.Probe, c.Wire,
				100*width, c.judged.RoundsFor(asked.Precision))})
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
		100*asked.Precision, b.report.Run.Rounds, len(all), len(b.report.Comparisons), strings.Join(worst, ", "))
}

// CauseNotReached is why a network has no record: nothing was seen of it,
// neither that it works nor that it does not.
const CauseNotReached = "the run ended before it was brought up"

// warnAbsent adds cells for networks that were asked for and of which nothing
// is recorded.
func (b *builder) warnAbsent() {
	asked := b.recorded.Run.Asked
	for _, topology := range asked.Topology {
		for _, plugin := range asked.Plugins {
			if b.recordedOf(plugin, topology) {
				continue
			}
			for _, wire := range asked.Wire {
				b.report.Cells = append(b.report.Cells, Cell{Cell: results.Cell{Plugin: plugin, Topology: topology, Wire: wire},
					Status: results.StatusFailed, Cause: CauseNotReached, Versions: map[string]string{}, Metrics: []Metric{}})
			}
		}
	}
}

// recordedOf reports whether anything is recorded of a network, in any kernel.
func (b *builder) recordedOf(plugin, topology string) bool {
	return slices.ContainsFunc(b.order, func(p place) bool {
		bare, _ := results.SplitGround(p.topology)
		return p.plugin == plugin && bare == topology
	})
}

// form describes an encapsulation in a few words.
func form(kind string, port, overhead int) string {
	switch {
	case kind == "none" && overhead == 0:
		return "no encapsulation"
	case port != 0:
		return fmt.Sprintf("%s to port %d (%d bytes)", kind, port, overhead)
	case overhead == 0:
		return kind
	}
	return fmt.Sprintf("%s (%d bytes)", kind, overhead)
}

var figures = regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)

// withoutFigures makes warnings equal that differ in their figures alone.
func withoutFigures(warning string) string { return figures.ReplaceAllString(warning, "…") }
