package facts

import (
	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// comparisonsFor returns the verdicts on all pairs of plugins on a topology,
// including the baseline, by the figures that plugins are ranked by. The second copy
// of a plugin is left out, because it cannot be recommended. rounds is the number of
// blocks that the verdicts need to show any difference.
func comparisonsFor(r *model.Report, topology results.Topology) (all []advice.Comparison, rounds int) {
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		if c.Topology != topology || c.Ratio == nil || !advice.Figure(c.Probe, c.Metric) || copied(c) {
			continue
		}
		rounds = max(rounds, stats.MinRounds(c.Family))
		all = append(all, advice.Comparison{A: c.A, B: c.B, Wire: c.Wire, Probe: c.Probe, Metric: c.Metric,
			Ratio: *c.Ratio, CI: c.CI, Verdict: c.Verdict, Evidence: evidenceOf(c)})
	}
	return all, rounds
}

// copied reports whether one side is a plugin's second copy.
func copied(c *model.Comparison) bool {
	return results.Original(c.A) != c.A || results.Original(c.B) != c.B
}

// evidenceOf describes the comparison with its figures.
func evidenceOf(c *model.Comparison) words.Text {
	return words.RatioEvidence.With(c.Probe, c.Metric, model.WireText(c.Wire), c.A, quantity.Ratio(*c.Ratio, c.CI), c.B, quantity.VerdictText(c.Verdict))
}
