package report

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// Comparison is the verdict on one pair of plugins by the headline of one
// probe: how A stands to B. [stats.Judge] says how it is reached.
type Comparison struct {
	A        string `json:"a"`
	B        string `json:"b"`
	Topology string `json:"topology"`
	Kernel   string `json:"kernel,omitempty"` // "" for the machine's own
	Wire     string `json:"wire"`
	Probe    string `json:"probe"`
	Metric   string `json:"metric"`
	// Ratio of A's figure to B's; null if no block has one.
	Ratio     *float64      `json:"ratio"`
	CI        *[2]float64   `json:"ci"` // null: fewer blocks than an interval needs
	P         float64       `json:"p"`
	PAdjusted float64       `json:"p_adjusted"` // by Holm, over the pairs of this topology, wire, probe and metric
	Verdict   stats.Verdict `json:"verdict"`
	N         int           `json:"n"` // blocks that have both
	Margin    float64       `json:"margin"`
	// PMarginAdjusted is the corrected p-value against a difference of the
	// margin or more.
	PMarginAdjusted float64 `json:"p_margin_adjusted"`
	// Detectable is the smallest difference that would have been found with
	// 80 % probability; null: none could.
	Detectable *float64 `json:"detectable"`
	Better     string   `json:"better"`
	// ThroughHost marks two that were never up at once: Ratio is that of their
	// ratios to the baseline, each in blocks of its own.
	ThroughHost bool `json:"through_host,omitempty"`
	// Control marks a plugin that is compared with its own copy.
	Control bool `json:"control"`
	// Sentence is the verdict in words; Notes say what weakens it.
	Sentence string   `json:"sentence"`
	Notes    []string `json:"notes"`

	judged stats.Comparison
	family int    // number of comparisons that were corrected together
	common int    // blocks that have samples of both, zeros included
	away   string // which of the two took another path, so that nothing is compared
}

// question is what a family of comparisons answers: which plugin is best by
// one figure on one topology over one wire.
type question struct {
	topology, wire string
	metric         results.Metric
}

// grounds lists where something was measured, in the order of the record.
func (b *builder) grounds() []string {
	var all []string
	for _, p := range b.order {
		if !slices.Contains(all, p.topology) {
			all = append(all, p.topology)
		}
	}
	return all
}

// questions are the headlines of all probes on every ground and wire.
func (b *builder) questions() []question {
	var all []question
	asked := b.recorded.Run.Asked
	for _, topology := range b.grounds() {
		for _, wire := range asked.Wire {
			seen := map[string]bool{}
			for _, m := range b.recorded.Run.Metrics {
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
func (b *builder) margin() float64 {
	if m := b.recorded.Run.Asked.Margin; m > 0 {
		return m
	}
	return stats.DefaultMargin
}

// compare gives the verdicts on all pairs, and says what weakens them. The
// questions do not touch each other and are answered side by side.
func (b *builder) compare() {
	questions := b.questions()
	families := make([][]Comparison, len(questions))
	var wg sync.WaitGroup
	for i, q := range questions {
		wg.Go(func() { families[i] = b.family(q) })
	}
	wg.Wait()
	b.report.Comparisons = append(b.report.Comparisons, slices.Concat(families...)...)
	b.report.Sensitivity = b.sensitivity()
	b.report.Implausible = b.implausible()
}

// family answers one question, with what weakens each verdict.
func (b *builder) family(q question) []Comparison {
	family := b.judge(q, b.anySample)
	most := 0
	for _, c := range family {
		most = max(most, c.common)
	}
	for i := range family {
		family[i].note(most)
		b.noteWarmUp(q, family, i)
	}
	return family
}

// anySample keeps all samples.
func (b *builder) anySample(results.Sample) bool { return true }

// judge compares every pair of plugins by the samples to keep.
func (b *builder) judge(q question, keep func(results.Sample) bool) []Comparison {
	values := map[string]map[int]float64{}
	var names []string
	for _, p := range b.order {
		if p.topology != q.topology {
			continue
		}
		m := Metric{Probe: q.metric.Probe, Name: q.metric.Name}
		samples := b.samples[results.Cell{Plugin: p.plugin, Topology: q.topology, Wire: q.wire}]
		kept := slices.DeleteFunc(slices.Clone(samples), func(s results.Sample) bool { return !keep(s) })
		if len(byBlock(samples, &m)) > 0 {
			values[p.plugin] = byBlock(kept, &m)
			names = append(names, p.plugin)
		}
	}
	pairs := results.Pairs(names)
	ratios := make([]stats.Ratio, len(pairs))
	for i, p := range pairs {
		if b.report.apartOnWire(p[0], p[1], q.topology) != "" {
			ratios[i] = stats.Paired(nil, nil)
			continue
		}
		if b.apart(p) {
			ratios[i] = stats.ThroughCommon(values[p[0]], values[p[1]], values[results.HostPlugin])
			continue
		}
		ratios[i] = stats.Paired(values[p[0]], values[p[1]])
	}
	margin := b.margin()
	var family []Comparison
	higher := q.metric.Better == "higher"
	for i, judged := range stats.Judge(ratios, higher, margin) {
		if results.IsControl(pairs[i][0]) {
			judged.JudgeControl(len(pairs), higher, margin)
		}
		c := Comparison{A: pairs[i][0], B: pairs[i][1], Topology: q.topology, Wire: q.wire, Probe: q.metric.Probe, Metric: q.metric.Name,
			Better: q.metric.Better, Margin: margin, Control: results.IsControl(pairs[i][0]), Notes: []string{},
			judged: judged, family: len(pairs), common: common(values[pairs[i][0]], values[pairs[i][1]]), ThroughHost: b.apart(pairs[i])}
		if c.away = b.report.apartOnWire(c.A, c.B, c.Topology); c.away != "" {
			c.common = 0
		} else if c.ThroughHost {
			host := values[results.HostPlugin]
			c.common = min(common(values[c.A], host), common(values[c.B], host))
		}
		c.fill()
		family = append(family, c)
	}
	return family
}

// apart reports whether two were measured one after the other, so that no block
// can have both.
func (b *builder) apart(pair [2]string) bool {
	return b.recorded.Run.Asked.Apart() && pair[0] != results.HostPlugin && pair[1] != results.HostPlugin
}

// fill takes the judgement over. Blocks in which one of the two is zero have
// no ratio; the others must not speak for them.
func (c *Comparison) fill() {
	j := &c.judged
	if j.N < c.common {
		j.Verdict, j.CI = stats.Inconclusive, nil
	}
	c.N, c.P, c.PAdjusted, c.PMarginAdjusted, c.Verdict = j.N, j.P, j.PAdjusted, j.PMarginAdjusted, j.Verdict
	if j.N > 0 && j.N == c.common {
		c.Ratio, c.CI = &j.Ratio.Ratio, bounds(j.CI)
	}
	if d := j.Detectable(c.family); !math.IsInf(d, 0) {
		c.Detectable = &d
	}
	c.Sentence = c.sentence()
}

// sentence says the verdict in words.
func (c *Comparison) sentence() string {
	figure := fmt.Sprintf("%s %s over %s", c.Probe, c.Metric, wireName(c.Wire))
	switch c.Verdict {
	case stats.Faster, stats.Slower:
		return fmt.Sprintf("%s is %s than %s: its %s is %s.", c.A, c.Verdict, c.B, figure, difference(*c.Ratio, *c.CI))
	case stats.Equivalent:
		return fmt.Sprintf("%s and %s are equivalent: their %s differs by less than %s (%s to %s).", c.A, c.B, figure,
			percent(c.Margin), share(c.CI[0]-1), share(c.CI[1]-1))
	}
	return fmt.Sprintf("No verdict between %s and %s by %s: %s.", c.A, c.B, figure, c.undecided())
}

// undecided says why there is no verdict and what would bring one.
func (c *Comparison) undecided() string {
	needed := stats.MinRounds(c.family)
	switch {
	case c.away != "":
		return fmt.Sprintf("the packets of %s were not seen on the wire, so the two took different paths", c.away)
	case c.common == 0:
		return "no round has a sample of both"
	case c.N < c.common:
		return fmt.Sprintf("in %d of %d rounds one of the two is zero or no number, which gives no ratio", c.common-c.N, c.common)
	case c.CI == nil:
		return fmt.Sprintf("%d rounds give no interval, %d are needed", c.N, needed)
	case c.N < needed && !c.ThroughHost: // the other test needs fewer
		return fmt.Sprintf("among %d comparisons no difference can be shown in %d rounds, %d are needed", c.family, c.N, needed)
	}
	text := fmt.Sprintf("the difference lies between %s and %s", share(c.CI[0]-1), share(c.CI[1]-1))
	if n := c.judged.RoundsToDetect(c.Margin, c.family); n > c.N {
		text += fmt.Sprintf("; about %d rounds would show one of %s", n, percent(c.Margin))
	}
	return text
}

// difference describes a ratio away from 1 and its interval.
func difference(ratio float64, ci [2]float64) string {
	switch {
	case ratio >= 2:
		return fmt.Sprintf("%s times as high (%s to %s)", figure(ratio), figure(ci[0]), figure(ci[1]))
	case ratio > 1:
		return fmt.Sprintf("%s higher (%s to %s)", percent(ratio-1), percent(ci[0]-1), percent(ci[1]-1))
	}
	return fmt.Sprintf("%s lower (%s to %s)", percent(1-ratio), percent(1-ci[1]), percent(1-ci[0]))
}

// percent writes a share of one without a sign.
func percent(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }

func wireName(wire string) string {
	if wire == results.WireNone {
		return "the bare wire"
	}
	return wire
}

// note adds what weakens a verdict and did happen: blocks without a sample (of
// the most that a pair of the family has),
// drift of the ratio beyond the margin, blocks that echo.
func (c *Comparison) note(most int) {
	say := func(format string, args ...any) { c.Notes = append(c.Notes, fmt.Sprintf(format, args...)) }
	if c.ThroughHost && c.away == "" {
		say("they were never up at once: their ratios to the host are compared, each from %d rounds or more of its own", c.common)
	}
	if c.common < most && c.away == "" {
		say("only %d of %d rounds have a sample of both; the verdict speaks of those alone", c.common, most)
	}
	logs := c.judged.Logs
	if d := stats.FindDrift(logs); d.P*float64(c.family) <= stats.Level && math.Abs(d.Change) > math.Log1p(c.Margin) {
		say("the ratio drifted by %s over the run (p %.2g)", share(math.Expm1(d.Change)), d.P)
	}
	if e := stats.FindEcho(logs); e.P*float64(c.family) <= stats.Level {
		say("neighbouring rounds resemble each other (correlation %.2f): %d are worth about %.0f, and the interval is too narrow",
			e.Lag1, c.N, e.Independent(c.N))
	}
}

// noteWarmUp says whether the first rounds of a ratio differ from the rest, and
// what the verdict would be without them.
func (b *builder) noteWarmUp(q question, family []Comparison, i int) {
	c := &family[i]
	n := stats.WarmUp(c.judged.Logs)
	if n == 0 {
		return
	}
	rest := b.judge(q, func(s results.Sample) bool { return s.Block >= n })[i]
	without := "does not change"
	if rest.Verdict != c.Verdict {
		without = "is " + string(rest.Verdict)
	}
	c.Notes = append(c.Notes, fmt.Sprintf("the ratio of about the first %d rounds differs from the rest (warm-up); without them the verdict %s", n, without))
}
