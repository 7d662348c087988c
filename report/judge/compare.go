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

// question is what a family of comparisons answers: which plugin is best by
// one figure on one topology over one wire.
type question struct {
	topology results.Topology
	wire     string
	metric   results.Metric
}

// questions are the headlines of all probes on every topology and wire.
func questions(b *gather.Run) []question {
	var all []question
	asked := b.Recorded.Run.Asked
	for _, topology := range b.Topologies() {
		for _, wire := range asked.Wire {
			seen := map[string]bool{}
			for _, m := range b.Recorded.Run.Metrics {
				if !seen[m.Probe] && m.Better != "" {
					all = append(all, question{topology, wire, m})
				}
				seen[m.Probe] = true
			}
		}
	}
	return all
}

// margin is the difference below which plugins are equivalent. Records made
// before it could be asked for have the default.
func margin(b *gather.Run) float64 {
	if m := b.Recorded.Run.Asked.Margin; m > 0 {
		return m
	}
	return stats.DefaultMargin
}

// Compare gives the verdicts on all pairs, and says what weakens them. The
// questions do not touch each other and are answered side by side.
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

// familyOf answers one question, with what weakens each verdict.
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

// judgePairs compares every pair of plugins by the samples to keep.
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
		c := model.Comparison{A: pairs[i][0], B: pairs[i][1], Topology: q.topology, Kernel: q.topology.Kernel, Wire: q.wire, Probe: q.metric.Probe, Metric: q.metric.Name,
			Better: q.metric.Better, Margin: margin, Control: results.IsControl(pairs[i][0]), Notes: []words.Text{},
			Judged: judged, Family: len(pairs), Common: figures.Common(values[pairs[i][0]], values[pairs[i][1]]), ThroughHost: measuredApart(b, pairs[i])}
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

// measuredApart reports whether two were measured one after the other, so that no block
// can have both.
func measuredApart(b *gather.Run, pair [2]string) bool {
	return b.Recorded.Run.Asked.Apart() && pair[0] != results.HostPlugin && pair[1] != results.HostPlugin
}

// fill takes the judgement over. Blocks in which one of the two is zero have
// no ratio; the others must not speak for them.
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

// note adds what weakens a verdict and did happen: blocks without a sample (of
// the most that a pair of the family has),
// drift of the ratio beyond the margin, blocks that echo.
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

// noteWarmUp says whether the first rounds of a ratio differ from the rest, and
// what the verdict would be without them.
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
