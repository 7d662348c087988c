package report

import (
	"fmt"
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
	b.warnPrecision(say)
	for _, p := range b.order {
		if n := len(b.exits[p]); n > 0 {
			say("agents of %s on %s exited %d times, the last: %s", p.plugin, p.topology, n, b.exits[p][n-1])
		}
	}
	b.warnAbsent()
}

// warnPrecision names the ratios that are known less well than asked for, in a
// run that had no fixed number of rounds.
func (b *builder) warnPrecision(say func(string, ...any)) {
	asked := b.recorded.Run.Asked
	if asked.Rounds > 0 {
		return
	}
	var wide []string
	for _, t := range b.report.tables() {
		for _, w := range t.Rows {
			m := w.Metrics[0]
			if m == nil || m.VsHost == nil || m.VsHost.CI == nil {
				continue
			}
			width := (m.VsHost.CI[1] - m.VsHost.CI[0]) / m.VsHost.Ratio
			if width > asked.Precision {
				wide = append(wide, fmt.Sprintf("%s %s %s over %s (%.1f %%)", w.Cell.Plugin, t.Probe, m.Name, t.Wire, 100*width))
			}
		}
	}
	if len(wide) > 0 {
		say("the precision of %.1f %% was not reached after %d rounds for %s", 100*asked.Precision, b.report.Run.Rounds, strings.Join(wide, ", "))
	}
}

// warnAbsent adds cells for networks that were asked for and of which nothing
// is recorded.
func (b *builder) warnAbsent() {
	asked := b.recorded.Run.Asked
	for _, topology := range asked.Topology {
		for _, plugin := range asked.Plugins {
			if slices.Contains(b.order, place{plugin, topology}) {
				continue
			}
			for _, wire := range asked.Wire {
				b.report.Cells = append(b.report.Cells, Cell{Cell: results.Cell{Plugin: plugin, Topology: topology, Wire: wire},
					Status: results.StatusFailed, Cause: "the run ended before it was brought up", Versions: map[string]string{}, Metrics: []Metric{}})
			}
		}
	}
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
