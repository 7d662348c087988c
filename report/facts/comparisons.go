package facts

import (
	"slices"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// compare adds to the facts of a topology the verdicts on all pairs of plugins,
// including the baseline, by the figures that plugins are ranked by. The second copy
// of a plugin is left out, because it cannot be recommended.
//
// Each family of comparisons has wrong verdicts with a probability of 5 % at most, but
// the advice combines one family for each figure at each rate limit. So a verdict
// counts only if it holds at 5 % divided by their number (Bonferroni): then the advice
// rests on a difference that is none with a probability of 5 % at most, and so it does on
// an equivalence that is none. Each kernel has families of its own, because plugins are
// ranked in one.
func compare(f *advice.Facts, r *model.Report) {
	used := usedFor(r, f.Topology)
	f.Figures = figuresOf(used)
	for _, c := range used {
		tests := c.Family * f.Figures
		if !c.ThroughHost && c.Judged.Logs != nil { // the other test needs fewer
			f.NeededRounds = max(f.NeededRounds, stats.MinRounds(tests))
		}
		f.Comparisons = append(f.Comparisons, advice.Comparison{A: c.A, B: c.B, Wire: c.Wire, Probe: c.Probe, Metric: c.Metric,
			Ratio: *c.Ratio, CI: c.CI, Verdict: c.Verdict, Holds: holds(c, f.Figures), Margin: c.Margin, Evidence: evidenceOf(c, f.Figures),
			Detectable: c.Judged.Detectable(tests), Deployments: c.Deployments, Notes: c.Notes, Undisturbed: undisturbed(r, c)})
	}
}

// usedFor returns the comparisons that the advice for a topology uses.
func usedFor(r *model.Report, topology results.Topology) []*model.Comparison {
	var used []*model.Comparison
	for i := range r.Comparisons {
		if c := &r.Comparisons[i]; c.Topology == topology && c.Ratio != nil && advice.Figure(c.Probe, c.Metric) && !copied(c) {
			used = append(used, c)
		}
	}
	return used
}

// copied reports whether one side is a plugin's second copy.
func copied(c *model.Comparison) bool {
	return results.Original(c.A) != c.A || results.Original(c.B) != c.B
}

// figuresOf counts the families of the comparisons.
func figuresOf(used []*model.Comparison) int {
	families := map[[3]string]bool{}
	for _, c := range used {
		families[[3]string{c.Wire, c.Probe, c.Metric}] = true
	}
	return len(families)
}

// holds reports whether a verdict holds when it is also corrected over the figures.
func holds(c *model.Comparison, figures int) bool {
	p := c.PAdjusted
	if c.Verdict == stats.Equivalent {
		p = c.PMarginAdjusted
	}
	return c.Verdict != stats.Inconclusive && p*float64(figures) <= stats.Level
}

// undisturbed returns the verdict without disturbed samples, or "" if it is the same.
func undisturbed(r *model.Report, c *model.Comparison) stats.Verdict {
	for _, change := range r.Sensitivity.Changes {
		if change.Pair == c.Pair {
			return change.To
		}
	}
	return ""
}

// evidenceOf describes the comparison with its figures.
func evidenceOf(c *model.Comparison, figures int) words.Text {
	verdict := quantity.VerdictText(c.Verdict)
	if c.Verdict != stats.Inconclusive && !holds(c, figures) {
		verdict = words.Aside(verdict, words.NotOverFigures.With(figures))
	}
	return words.RatioEvidence.With(c.Probe, c.Metric, model.WireText(c.Wire), c.A, quantity.Ratio(*c.Ratio, c.CI), c.B, verdict)
}

// controlDiffers is the rule by which report/judge names a plugin that differs from its
// own copy.
const controlDiffers = "control-differs"

// controlsDiffering lists the plugins on a topology that differ from their own copies.
func controlsDiffering(r *model.Report, topology results.Topology) []string {
	var all []string
	for _, i := range r.Implausible {
		if name := results.Original(i.Plugin); i.Rule == controlDiffers && i.Topology == topology && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// implausible lists the rules by which results of a plugin are implausible.
func implausible(r *model.Report, plugin string, topology results.Topology) []string {
	var all []string
	for _, i := range r.Implausible {
		if i.Plugin == plugin && i.Topology == topology && !slices.Contains(all, i.Rule) {
			all = append(all, i.Rule)
		}
	}
	return all
}

// failedSamples counts the samples of the probes that failed on a plugin at least once,
// and those that failed.
func failedSamples(r *model.Report, plugin string, topology results.Topology) (failed, of int) {
	for _, c := range r.CellsOf(plugin, topology) {
		for _, f := range c.Failures {
			failed, of = failed+f.Failed, of+f.Of
		}
	}
	return failed, of
}
