// Package judge gives the verdicts on all pairs of plugins, and names what weakens or
// contradicts them.
package judge

import (
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
	b.Report.Sensitivity = sensitivityOf(b)
	b.Report.Implausible = implausibleOf(b)
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
	values := map[string]map[int]float64{}
	var names []string
	for _, p := range b.Order {
		if p.Topology != q.topology {
			continue
		}
		m := model.Metric{Probe: q.metric.Probe, Name: q.metric.Name}
		samples := b.Samples[results.Cell{Plugin: p.Plugin, Topology: q.topology, Wire: q.wire}]
		kept := slices.DeleteFunc(slices.Clone(samples), func(s results.Sample) bool { return !keep(s) })
		if len(figures.ByBlock(samples, &m)) > 0 {
			values[p.Plugin] = figures.ByBlock(kept, &m)
			names = append(names, p.Plugin)
		}
	}
	pairs := results.Pairs(names)
	ratios := make([]stats.Ratio, len(pairs))
	for i, p := range pairs {
		if facts.ApartOnWire(b.Report, p[0], p[1], q.topology) != "" {
			ratios[i] = stats.Paired(nil, nil)
			continue
		}
		if measuredApart(b, p) {
			ratios[i] = stats.ThroughCommon(values[p[0]], values[p[1]], values[results.HostPlugin])
			continue
		}
		ratios[i] = stats.Paired(values[p[0]], values[p[1]])
	}
	margin := margin(b)
	var family []model.Comparison
	higher := q.metric.Better == "higher"
	for i, judged := range stats.Judge(ratios, higher, margin) {
		if results.IsControl(pairs[i][0]) {
			judged.JudgeControl(len(pairs), higher, margin)
		}
		c := model.Comparison{
			Pair:   model.Pair{A: pairs[i][0], B: pairs[i][1], Topology: q.topology, Kernel: q.topology.Kernel, Wire: q.wire, Probe: q.metric.Probe, Metric: q.metric.Name},
			Better: q.metric.Better, Margin: margin, Control: results.IsControl(pairs[i][0]), Notes: []words.Text{},
			Judged: judged, Family: len(pairs), Deployments: 1, Common: figures.Common(values[pairs[i][0]], values[pairs[i][1]]), ThroughHost: measuredApart(b, pairs[i])}
		if c.Away = facts.ApartOnWire(b.Report, c.A, c.B, c.Topology); c.Away != "" {
			c.Common = 0
		} else if c.ThroughHost {
			host := values[results.HostPlugin]
			c.Common = min(figures.Common(values[c.A], host), figures.Common(values[c.B], host))
		}
		fill(&c)
		family = append(family, c)
	}
	return family
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
	if j.N > 0 && j.N == c.Common {
		c.Ratio, c.CI = &j.Ratio.Ratio, figures.Bounds(j.CI)
	}
	if d := j.Detectable(c.Family); !math.IsInf(d, 0) {
		c.Detectable = &d
	}
	c.Sentence = sentenceOf(c)
}

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
	logs := c.Judged.Logs
	if d := stats.FindDrift(logs); d.P*float64(c.Family) <= stats.Level && math.Abs(d.Change) > math.Log1p(c.Margin) {
		say(words.RatioDrifted, quantity.Share(math.Expm1(d.Change)), d.P)
	}
	if e := stats.FindEcho(logs); e.P*float64(c.Family) <= stats.Level {
		say(words.RoundsCorrelated,
			e.Lag1, c.N, e.Independent(c.N))
	}
}

// noteWarmUp adds a note if the first rounds of a ratio differ from the rest, with the
// verdict without them.
func noteWarmUp(b *gather.Run, q question, family []model.Comparison, i int) {
	c := &family[i]
	n := stats.WarmUp(c.Judged.Logs)
	if n == 0 {
		return
	}
	rest := judgePairs(b, q, func(s results.Sample) bool { return s.Block >= n })[i]
	without := words.VerdictStays
	if rest.Verdict != c.Verdict {
		without = words.VerdictBecomes.With(quantity.VerdictText(rest.Verdict))
	}
	c.Notes = append(c.Notes, words.WarmUpDiffers.With(n, without))
}
