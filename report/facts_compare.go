package report

import (
	"fmt"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// comparisonsFor are the verdicts on all pairs of plugins on a topology, the
// baseline included, by the figures that plugins are ranked by. A plugin's
// second copy is no plugin that could be recommended. rounds is how many blocks
// they need to show any difference.
func (r *Report) comparisonsFor(topology string) (all []advice.Comparison, rounds int) {
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		if c.Topology != topology || c.Ratio == nil || !advice.Figure(c.Probe, c.Metric) || c.copied() {
			continue
		}
		rounds = max(rounds, stats.MinRounds(c.family))
		all = append(all, advice.Comparison{A: c.A, B: c.B, Wire: c.Wire, Probe: c.Probe, Metric: c.Metric,
			Ratio: *c.Ratio, CI: c.CI, Verdict: string(c.Verdict), Evidence: c.evidence()})
	}
	return all, rounds
}

// copied reports whether one side is a plugin's second copy.
func (c *Comparison) copied() bool {
	return results.Original(c.A) != c.A || results.Original(c.B) != c.B
}

// evidence is the comparison with its figures, in a few words.
func (c *Comparison) evidence() string {
	return fmt.Sprintf("%s %s %s: %s is %s of %s: %s", c.Probe, c.Metric, wireText(c.Wire), c.A, ratio(&VsHost{Ratio: *c.Ratio, CI: c.CI}), c.B, c.Verdict)
}

func wireText(wire string) string {
	if wire == results.WireNone {
		return "unshaped"
	}
	return "over " + wire
}
