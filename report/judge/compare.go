// Package judge gives the verdicts on all pairs of plugins, and names what weakens or
// contradicts them.
package judge

import (
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/figures"
	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// question is the question that a family of comparisons answers: which plugin is best
// by one figure on one topology at one rate limit.
type question struct {
	topology results.Topology
	wire     string
	metric   results.Metric
}

// questions returns one question for the headline of each probe on each topology at each
// rate limit. Facts are what they are: they need no verdict.
func questions(b *gather.Run) []question {
	var all []question
	asked := b.Recorded.Run.Asked
	for _, topology := range b.Topologies() {
		for _, wire := range asked.Wire {
			seen := map[string]bool{}
			for _, m := range b.Recorded.Run.Metrics {
				if !seen[m.Probe] && m.Better != "" && !m.Fact {
					all = append(all, question{topology, wire, m})
				}
				seen[m.Probe] = true
			}
		}
	}
	return all
}

// margin returns the difference below which plugins are equivalent. Old records, which
// do not have it, get the default.
func margin(b *gather.Run) float64 {
	if m := b.Recorded.Run.Asked.Margin; m > 0 {
		return m
	}
	return stats.DefaultMargin
}

// Compare adds the verdicts on all pairs to the report, with notes on what weakens them.
// The questions are independent and are answered concurrently.
func Compare(b *gather.Run) {
	questions := questions(b)
	families := make([][]model.Comparison, len(questions))
	var wg sync.WaitGroup
	for i, q := range questions {
		wg.Go(func() { families[i] = familyOf(b, q) })
	}
	wg.Wait()
	b.Report.Comparisons = append(b.Report.Comparisons, slices.Concat(families...)...)
	for i := range b.Report.Comparisons {
		sameAsCompared(b, &b.Report.Comparisons[i])
	}
	b.Report.RunWide = runWideOf(families)
	b.Report.Sensitivity = sensitivityOf(b)
	b.Report.Implausible = implausibleOf(b)
}

// runWideOf says how often a run with these families has some wrong verdict.
func runWideOf(families [][]model.Comparison) model.RunWide {
	r := model.RunWide{}
	for _, family := range families {
		if slices.ContainsFunc(family, func(c model.Comparison) bool { return c.CI != nil }) {
			r.Families++
		}
	}
	r.AnyWrong = min(1, stats.Level*float64(r.Families))
	if r.Families > 1 {
		r.Text = words.Stop(words.RunWide.With(r.Families, quantity.Percent(stats.Level), quantity.Percent(r.AnyWrong)))
	}
	return r
}

// sameAsCompared gives the ratio to the baseline in the table of figures the interval of the
// comparison, which knows the other pairs of the family.
func sameAsCompared(b *gather.Run, c *model.Comparison) {
	cell := b.Report.Cell(results.Cell{Plugin: c.A, Topology: c.Topology, Wire: c.Wire})
	if c.B != results.HostPlugin || cell == nil {
		return
	}
	if m := cell.Metric(c.Probe, c.Metric); m != nil && m.VsHost != nil && c.Ratio != nil {
		m.VsHost.CI, m.VsHost.Judged = c.CI, c.Judged.Ratio
	}
}

// familyOf answers one question, and notes what weakens each verdict.
func familyOf(b *gather.Run, q question) []model.Comparison {
	family := judgePairs(b, q, anySample)
	most := 0
	for _, c := range family {
		most = max(most, c.Common)
	}
	for i := range family {
		note(&family[i], most)
		noteWarmUp(b, q, family, i)
	}
	return family
}

// anySample keeps all samples.
func anySample(results.Sample) bool { return true }

// judgePairs compares every pair of plugins by the samples for which keep is true.
func judgePairs(b *gather.Run, q question, keep func(results.Sample) bool) []model.Comparison {
	m := model.Metric{Probe: q.metric.Probe, Name: q.metric.Name}
	samples := map[string][]results.Sample{}
	var names []string
	for _, p := range b.Order {
		if p.Topology != q.topology {
			continue
		}
		all := b.Samples[results.Cell{Plugin: p.Plugin, Topology: q.topology, Wire: q.wire}]
		if len(figures.ByBlock(all, &m)) > 0 {
			samples[p.Plugin] = slices.DeleteFunc(slices.Clone(all), func(s results.Sample) bool { return !keep(s) })
			names = append(names, p.Plugin)
		}
	}
	pairs := results.Pairs(names)
	family := make([]model.Comparison, len(pairs))
	ratios := make([]stats.Ratio, len(pairs))
	for i, pair := range pairs {
		c := &family[i]
		*c = model.Comparison{
			Pair:   model.Pair{A: pair[0], B: pair[1], Topology: q.topology, Kernel: q.topology.Kernel, Wire: q.wire, Probe: q.metric.Probe, Metric: q.metric.Name},
			Better: q.metric.Better, Margin: margin(b), Control: results.IsControl(pair[0]), Notes: []words.Text{},
			Family: len(pairs), ThroughHost: measuredApart(b, pair), Away: facts.ApartOnWire(b.Report, pair[0], pair[1], q.topology)}
		ratios[i] = ratioOf(b, c, samples, &m)
	}
	higher := q.metric.Better == "higher"
	for i, judged := range stats.Judge(stats.Together(ratios), higher, margin(b)) {
		if family[i].Control {
			judged.JudgeControl(len(pairs), higher, margin(b))
		}
		family[i].Judged = judged
		fill(&family[i])
	}
	return family
}

// ratioOf returns the ratio of a comparison, with the blocks, deployments and series that it rests
// on.
func ratioOf(run *gather.Run, c *model.Comparison, samples map[string][]results.Sample, m *model.Metric) stats.Ratio {
	a, b, host := samples[c.A], samples[c.B], samples[results.HostPlugin]
	c.Deployments = 1
	switch {
	case c.Away != "":
		return stats.Paired(nil, nil)
	case c.ThroughHost:
		x, inX, ofX := figures.Ratio(run, a, host, m)
		y, inY, ofY := figures.Ratio(run, b, host, m)
		c.Common, c.Series = min(inX, inY), [][]float64{x.Logs, y.Logs}
		c.Deployments = max(1, min(ofX, ofY))
		return stats.Between(x, y, 0)
	}
	r, common, deployments := figures.Ratio(run, a, b, m)
	c.Common, c.Series = common, [][]float64{r.Logs}
	c.Deployments = max(1, deployments)
	return r
}

// measuredApart reports whether two plugins were measured one after the other, so that
// no block has both.
func measuredApart(b *gather.Run, pair [2]string) bool {
	return b.Recorded.Run.Asked.Apart() && pair[0] != results.HostPlugin && pair[1] != results.HostPlugin
}

// fill copies the judgement into the comparison. Blocks in which one of the two samples
// is zero have no ratio. If there are any, the verdict is inconclusive, because the other
// blocks do not represent them.
func fill(c *model.Comparison) {
	j := &c.Judged
	if j.N < c.Common {
		j.Verdict, j.CI = stats.Inconclusive, nil
	}
	c.N, c.P, c.PAdjusted, c.PMarginAdjusted, c.Verdict = j.N, j.P, j.PAdjusted, j.PMarginAdjusted, j.Verdict
	if s := j.Spread; s != nil {
		c.Spread = &model.Spread{Between: math.Expm1(s.Between), Within: math.Expm1(s.Within)}
	}
	if j.N > 0 && j.N == c.Common {
		c.Ratio, c.CI = &j.Ratio.Ratio, figures.Bounds(j.CI)
	}
	if d := j.Detectable(c.Family); !math.IsInf(d, 0) {
		c.Detectable = &d
	}
	c.Sentence = sentenceOf(c)
}

// correlatedLevel is the p-value below which correlated rounds are noted. The interval is widened
// in any case; the note says why it is wide.
const correlatedLevel = 0.01

// note adds notes on what weakened a verdict: fewer common blocks than the pair of the
// family with the most, a drift of the ratio beyond the margin, and correlated blocks.
func note(c *model.Comparison, most int) {
	say := func(m words.Message, args ...any) { c.Notes = append(c.Notes, m.With(args...)) }
	if c.ThroughHost && c.Away == "" {
		say(words.NeverUpTogether, c.Common)
	}
	if c.Common < most && c.Away == "" {
		say(words.FewRoundsCommon, c.Common, most)
	}
	for _, logs := range c.Series {
		if d := stats.FindDrift(logs); d.P*float64(c.Family) <= stats.Level && math.Abs(d.Change) > math.Log1p(c.Margin) {
			say(words.RatioDrifted, quantity.Share(math.Expm1(d.Change)), d.P)
		}
		if e := stats.FindEcho(logs); e.P <= correlatedLevel {
			say(words.RoundsCorrelated, e.Lag1, c.Judged.Widened)
		}
	}
}

// noteWarmUp adds a note if the first rounds of a ratio differ from the rest, with the
// verdict without them.
func noteWarmUp(b *gather.Run, q question, family []model.Comparison, i int) {
	c := &family[i]
	n := 0
	for _, logs := range c.Series {
		n = max(n, stats.WarmUp(logs))
	}
	if n == 0 {
		return
	}
	first := map[int]bool{} // blocks
	for _, plugin := range []string{c.A, c.B} {
		for j, block := range blocksOf(b.Samples[results.Cell{Plugin: plugin, Topology: q.topology, Wire: q.wire}]) {
			if j < n {
				first[block] = true
			}
		}
	}
	rest := judgePairs(b, q, func(s results.Sample) bool { return !first[s.Block] })[i]
	without := words.VerdictStays
	if rest.Verdict != c.Verdict {
		without = words.VerdictBecomes.With(quantity.VerdictText(rest.Verdict))
	}
	c.Notes = append(c.Notes, words.WarmUpDiffers.With(n, without))
}

// blocksOf returns the numbers of the blocks with samples, in order.
func blocksOf(samples []results.Sample) []int {
	seen := map[int]bool{}
	for _, s := range samples {
		seen[s.Block] = true
	}
	return slices.Sorted(maps.Keys(seen))
}
