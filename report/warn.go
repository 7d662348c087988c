package report

import (
	"cmp"
	"slices"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// warn adds the warnings that a reader must see before any figure.
func warn(b *gather.Run) {
	r := b.Report
	say := func(t words.Text) { r.Warnings = append(r.Warnings, t) }
	for _, e := range r.Encapsulation {
		warned := words.Clauses(e.Warnings...)
		switch {
		case facts.Missed(&e) && facts.SeenOnWire(r, e.Plugin, e.Topology).Value == "":
			say(words.Sentences(words.Of(words.On.With(e.Plugin, e.Topology), facts.SeenOnWire(r, e.Plugin, e.Topology).Evidence), warned))
		case facts.Missed(&e):
			say(words.TookOtherPath.With(e.Plugin, e.Topology, facts.SeenOnWire(r, e.Plugin, e.Topology).Evidence, warned))
		case !e.Agrees && facts.Looked(&e):
			say(words.WireDisagrees.With(e.Plugin, e.Topology, facts.Form(e.Configured, e.ConfiguredPort, e.ExpectedBytes), facts.Form(e.Effective, e.Port, e.OverheadBytes),
				e.Frames, e.Sent, e.Plugin, warned))
		case len(e.Warnings) > 0:
			say(words.WireNote.With(e.Plugin, e.Topology, warned))
		}
	}
	switch {
	case r.Run.Finished == nil:
		say(words.RunCutOff)
	case !r.Run.Complete:
		say(words.Plural(r.Run.Rounds, words.RunInterruptedAfterRound, words.RunInterruptedAfterRounds).With(r.Run.Rounds))
	}
	for _, a := range r.Reachability {
		if a.Plugin == results.HostPlugin && a.Direction == results.PodToPod && !a.Reachable {
			say(words.HostDoesNotCarry.With(a.Topology, facts.Way(a)))
		}
	}
	for i := range r.Policy {
		if text := facts.ContradictionText(&r.Policy[i]); !text.Empty() {
			say(text)
		}
	}
	for i := range r.Cells {
		c := &r.Cells[i]
		if text := facts.OneWay(r, c); !text.Empty() && r.OnCluster() {
			say(words.Of(words.On.With(c.Plugin, c.Topology), text))
		}
	}
	warnPrecision(b, say)
	warnApart(b, say)
	for _, p := range b.Order {
		if n := len(b.Exits[p]); n > 0 {
			last := b.Exits[p][n-1].Text
			if n == 1 {
				say(words.AgentEndedOnce.With(p.Plugin, p.Topology, last))
				continue
			}
			say(words.AgentsExited.With(p.Plugin, p.Topology, n, last))
		}
	}
	warnAbsent(b)
}

// warnApart says in which rounds each plugin was measured if the plugins were measured
// one after the other, and what that means for the figures.
func warnApart(b *gather.Run, say func(words.Text)) {
	asked := b.Recorded.Run.Asked
	if !asked.Apart() {
		return
	}
	var when []words.Text
	for _, plugin := range asked.Plugins {
		if first, last := b.RoundsOf(plugin); last > 0 && plugin != results.HostPlugin {
			when = append(when, words.InRounds.With(plugin, first, last))
		}
	}
	if len(asked.Contexts) > 0 {
		say(words.FromDifferentClusters.With(words.ListNames(asked.Contexts), words.List(when...)))
		return
	}
	say(words.InstalledInTurn.With(words.List(when...)))
}

// warnPrecision says which ratios are less precise than requested in a run without a
// fixed number of rounds, and how many rounds would be needed.
func warnPrecision(b *gather.Run, say func(words.Text)) {
	asked := b.Recorded.Run.Asked
	if asked.Rounds > 0 {
		return
	}
	type wide struct {
		width float64 // by its target
		text  words.Text
	}
	var all []wide
	for _, c := range b.Report.Comparisons {
		if c.CI == nil {
			continue
		}
		target := stats.TargetWidth(asked.Precision, *c.Ratio)
		if width := (c.CI[1] - c.CI[0]) / *c.Ratio; width > target {
			all = append(all, wide{width / target, words.WideRatio.With(c.A, c.B, c.Probe, c.Wire, 100*width, c.Judged.RoundsFor(target))})
		}
	}
	if len(all) == 0 {
		return
	}
	slices.SortStableFunc(all, func(a, b wide) int { return cmp.Compare(b.width, a.width) })
	var worst []words.Text
	for _, w := range all[:min(len(all), 3)] {
		worst = append(worst, w.text)
	}
	say(words.PrecisionNotReached.With(100*asked.Precision, b.Report.Run.Rounds, len(all), len(b.Report.Comparisons), words.List(worst...)))
}

// warnAbsent adds cells for networks that were requested but have no records.
func warnAbsent(b *gather.Run) {
	asked := b.Recorded.Run.Asked
	for _, topology := range asked.Topology {
		for _, plugin := range asked.Plugins {
			if b.RecordedOf(plugin, topology) {
				continue
			}
			for _, wire := range asked.Wire {
				b.Report.Cells = append(b.Report.Cells, model.Cell{Cell: results.Cell{Plugin: plugin, Topology: results.On(topology), Wire: wire},
					Status: results.StatusFailed, Cause: model.CauseNotReached, Versions: map[string]string{}, Metrics: []model.Metric{}})
			}
		}
	}
}
