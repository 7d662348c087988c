package advice

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// figures holds the metrics by which plugins are ranked. Each kind has one vote, so that many probes of
// one kind do not outvote another kind.
var figures = map[string]map[string]string{ // kind, probe, metric
	"throughput": {"tcp-stream": "goodput", "udp-pps": "rate"},
	"latency":    {"tcp-rr": "p50", "udp-rr": "p50", "tcp-crr": "rate", "load-latency": "p50"},
}

// Figure reports whether a probe's metric is used for ranking.
func Figure(probe, metric string) bool {
	for kind := range figures {
		if figures[kind][base(probe)] == metric {
			return true
		}
	}
	return false
}

func base(probe string) string {
	name, _, _ := strings.Cut(probe, ":")
	return name
}

// preference is a rule that decides which of two plugins is better if speed does not. Preferences apply
// in order: together they form a lexicographic order, which is transitive because each of them is an
// order.
type preference struct {
	rule         string
	text, source words.Text
	// known is the reason to give if only the preferred plugin's key is known.
	known words.Text
	// key returns the value by which plugins are ordered, smallest first. Plugins with an unknown key
	// come last.
	key func(*subject) (value int64, known bool)
	// figures returns the evidence for two plugins whose keys are both known.
	figures func(a, b *subject) words.Text
}

var preferences = []preference{
	{rule: "fewer-bytes", text: words.PrefersFewerBytes, source: words.SourceCaptures,
		known: words.OnlyOneSeenOnWire,
		key: func(s *subject) (int64, bool) {
			if s.plugin.Overhead == nil {
				return 0, false
			}
			return int64(*s.plugin.Overhead), true
		},
		figures: func(a, b *subject) words.Text {
			return words.BytesAgainstOther.With(*a.plugin.Overhead, *b.plugin.Overhead, b.plugin.Name)
		}},
	{rule: "agents-ran", text: words.PrefersOwnAgents, source: words.SourceDataPath,
		key: func(s *subject) (int64, bool) {
			if s.plugin.Fidelity == DataPath {
				return 1, true
			}
			return 0, true
		}},
	{rule: "fewer-moving-parts", text: words.PrefersFewerParts, source: words.Quote("modes.yaml, 2026-11-23"),
		known: words.OnlyOneDocumented,
		key:   func(s *subject) (int64, bool) { return int64(s.mode.Agents), s.mode.Agents > 0 },
		figures: func(a, b *subject) words.Text {
			return words.PartsAgainstOther.With(a.mode.Agents, b.mode.Agents, b.plugin.Name)
		}},
	{rule: "less-memory", text: words.PrefersLessMemory, source: words.SourceMemory,
		known: words.OnlyOneMemoryMeasured,
		key:   func(s *subject) (int64, bool) { return s.plugin.Memory, s.plugin.Memory > 0 },
		figures: func(a, b *subject) words.Text {
			return words.MemoryAgainstOther.With(a.plugin.Memory>>20, b.plugin.Memory>>20, b.plugin.Name)
		}},
}

// byName decides if nothing else does.
var byName = preference{rule: "by-name", text: words.FirstByName, source: words.SourceName}

// compare returns a negative number if a is better and a positive one if b is, with the reason to give
// and its evidence.
func (p *preference) compare(a, b *subject) (c int, settled preference, evidence words.Text) {
	x, xKnown := p.key(a)
	y, yKnown := p.key(b)
	settled = *p
	switch {
	case xKnown != yKnown:
		settled.text = p.known
		return cmp.Compare(answer(yKnown), answer(xKnown)), settled, words.Text{}
	case xKnown && p.figures != nil:
		evidence = p.figures(a, b)
	}
	return cmp.Compare(x, y), settled, evidence
}

// outcome is the ranking of the plugins that fit.
type outcome struct {
	winner   *subject
	because  []Reason
	rejected []Rejected
	unknown  []words.Text
	why      words.Text // the end of the summary
	// preferred is the text of the first preference that decided in favour of the winner.
	preferred     words.Text
	measured      bool // speeds were compared
	decided       bool // and they decided the ranking
	distinguished bool // some verdict showed a difference in speed between the winner and another plugin
	compared      int  // number of comparisons of the winner with the others
	// apart holds the plugins that fit but were not compared with the winner by speed.
	apart []*subject
}

// tally compares one plugin with another by all figures.
type tally struct {
	net      int // kinds of figures that it wins minus those that it loses
	evidence []words.Text
	compared int
	decided  int // comparisons that found one of the two plugins faster
	equal    int // comparisons that found the two plugins equivalent
}

// tie returns how a plugin that wins as many kinds of figures as it loses compares with another, and
// what decides between them. Not finding a difference does not show that there is none.
func (d tally) tie(other string, settled words.Text) words.Text {
	switch {
	case d.decided > 0:
		return words.TieMixed.With(other, settled)
	case d.equal == d.compared:
		return words.TieEqual.With(other, settled)
	}
	return words.TieUnshown.With(other, settled)
}

// tally compares two plugins by all their figures.
func (f *Facts) tally(a, b string) tally {
	var d tally
	for _, kind := range []string{"throughput", "latency"} {
		balance := 0
		for _, c := range f.Comparisons {
			sign := 0
			switch {
			case c.A == a && c.B == b:
				sign = 1
			case c.A == b && c.B == a:
				sign = -1
			}
			if sign == 0 || figures[kind][base(c.Probe)] != c.Metric {
				continue
			}
			d.compared++
			d.evidence = append(d.evidence, c.Evidence)
			switch c.Verdict {
			case stats.Faster:
				balance += sign
				d.decided++
			case stats.Slower:
				balance -= sign
				d.decided++
			case stats.Equivalent:
				d.equal++
			}
		}
		d.net += cmp.Compare(balance, 0)
	}
	return d
}

// rank finds the best of the plugins that fit: the one that wins against most others by speed
// (Copeland's method: pairwise wins minus losses), with ties broken by the preferences. A plugin whose
// speed was not measured never beats one whose speed was. Speeds in different kernels are never
// compared. Plugins measured in the machine's own kernel come first, because a kernel that runs in one
// process says least about a cluster's.
func rank(f *Facts, fit []*subject) outcome {
	score, compared := map[*subject]int{}, map[*subject]int{}
	for _, a := range fit {
		for _, b := range fit {
			d := f.tally(a.plugin.Name, b.plugin.Name)
			compared[a] += d.compared
			score[a] += cmp.Compare(d.net, 0)
		}
	}
	order := slices.Clone(fit)
	slices.SortStableFunc(order, func(a, b *subject) int {
		_, preferred, _ := prefer(a, b)
		return cmp.Or(
			cmp.Compare(answer(!f.timed(a.plugin.Name)), answer(!f.timed(b.plugin.Name))),
			cmp.Compare(a.plugin.Kernel, b.plugin.Kernel),
			cmp.Compare(answer(compared[a] == 0), answer(compared[b] == 0)),
			cmp.Compare(score[b], score[a]),
			preferred)
	})
	o := outcome{winner: order[0], compared: compared[order[0]], measured: compared[order[0]] > 0, decided: true}
	for _, loser := range order[1:] {
		o.lost(f, loser, score)
	}
	o.explain(order)
	return o
}

// timed reports whether a plugin's speed was measured, that is, compared with any other plugin or the
// baseline.
func (f *Facts) timed(plugin string) bool {
	return slices.ContainsFunc(f.Comparisons, func(c Comparison) bool { return c.A == plugin || c.B == plugin })
}

// prefer applies the preferences in order and returns the one that decides. c is negative if a is
// better.
func prefer(a, b *subject) (p preference, c int, evidence words.Text) {
	for i := range preferences {
		if c, settled, evidence := preferences[i].compare(a, b); c != 0 {
			return settled, c, evidence
		}
	}
	return byName, strings.Compare(a.plugin.Name, b.plugin.Name), words.Text{}
}

// lost records why a plugin that fits lost to the winner.
func (o *outcome) lost(f *Facts, loser *subject, score map[*subject]int) {
	winner := o.winner.plugin.Name
	d := f.tally(loser.plugin.Name, winner)
	r := Reason{Rule: "slower", Evidence: words.Clauses(d.evidence...), Source: words.SourceVerdicts}
	switch {
	case loser.plugin.Kernel != o.winner.plugin.Kernel && f.timed(loser.plugin.Name):
		o.apart = append(o.apart, loser)
		r.Rule, r.Text = "other-kernel", words.FitsInOtherKernel.With(kernelNamed(loser.plugin.Kernel), winner)
	case d.compared == 0 && f.timed(winner):
		o.apart = append(o.apart, loser)
		r.Rule, r.Text = "speed-unknown", words.FitsUncompared.With(winner)
		o.unknown = append(o.unknown, words.PluginSpeedUncompared.With(loser.plugin.Name))
	case d.compared == 0:
		p, _, evidence := prefer(o.winner, loser)
		r.Rule, r.Source, r.Evidence = p.rule, p.source, evidence
		r.Text = words.FitsOtherPreferred.With(winner, p.text)
		o.decided = false
		o.preferred = cmp.Or(o.preferred, p.text)
		o.because = append(o.because, Reason{Rule: p.rule, Text: words.UncomparedAnd.With(loser.plugin.Name, p.text), Evidence: evidence, Source: p.source})
	case d.net < 0:
		o.distinguished = true
		r.Text = words.FitsSlower.With(winner)
	case score[loser] < score[o.winner]:
		r.Text = words.FitsFewerWins.With(winner)
	case d.net > 0:
		o.distinguished = true
		r.Text = words.FitsFasterNoMoreWins.With(winner)
		o.decided = false
		o.because = append(o.because, Reason{Rule: "most-wins", Text: words.WinsAsMany.With(loser.plugin.Name),
			Source: words.SourceVerdicts})
	default:
		p, _, evidence := prefer(o.winner, loser)
		r.Rule, r.Source = p.rule, p.source
		r.Text = words.FitsTie.With(winner, d.tie(loser.plugin.Name, p.text))
		r.Evidence = words.Clauses(evidence, r.Evidence)
		o.decided, o.distinguished = false, o.distinguished || d.decided > 0
		o.preferred = cmp.Or(o.preferred, p.text)
		o.because = append(o.because, Reason{Rule: p.rule, Text: d.tie(loser.plugin.Name, p.text), Evidence: evidence, Source: p.source})
	}
	o.rejected = append(o.rejected, Rejected{loser.plugin.Name, append([]Reason{r}, costs(loser, o.winner)...)})
}

// kernelNamed returns the name of a kernel in which figures were measured.
func kernelNamed(kernel string) words.Text {
	return cmp.Or(words.Quote(kernel), words.OwnKernel)
}

// slower returns, for a plugin that is excluded anyway, the figures by which it is slower than the
// winner, or nil if it is not.
func (o *outcome) slower(f *Facts, excluded string) []Reason {
	d := f.tally(excluded, o.winner.plugin.Name)
	if d.net >= 0 {
		return nil
	}
	return []Reason{{Rule: "slower", Text: words.SlowerThanWinner.With(o.winner.plugin.Name), Evidence: words.Clauses(d.evidence...), Source: words.SourceVerdicts}}
}

// costs returns the additional costs of a plugin that fits, compared with the winner.
func costs(loser, winner *subject) []Reason {
	a, b := loser.plugin.Overhead, winner.plugin.Overhead
	if a == nil || b == nil || *a <= *b {
		return nil
	}
	return []Reason{{Rule: "costs-bytes", Text: words.TakesMoreBytes.With(*a, winner.plugin.Name, *b),
		Evidence: loser.plugin.Facts[Encapsulates].Evidence, Source: words.SourceCapture}}
}

// explain records why the winner won.
func (o *outcome) explain(order []*subject) {
	if len(order) == 1 {
		return
	}
	slower, next := 0, Rejected{}
	for _, r := range o.rejected {
		if r.Because[0].Rule != "slower" {
			continue
		}
		if slower++; slower == 1 {
			next = r
		}
	}
	others := len(order) - 1 - len(o.apart) // plugins that were compared with the winner
	switch {
	case others == 0:
		o.decided = false
		o.why = words.OnlySpeedThatCounts
	case !o.measured:
		o.decided = false
		o.why = words.PreferredUncompared.With(o.preferred)
	case o.decided && slower == others:
		o.why = words.Fastest
	case o.decided:
		o.why = words.WinsMostComparisons
	case !o.distinguished:
		o.why = words.NoneShownFaster.With(o.preferred)
	default:
		o.why = words.NoneWinsMore.With(cmp.Or(o.preferred, words.PreferredByRules))
	}
	o.why = words.Clauses(append([]words.Text{o.why}, o.notCompared()...)...)
	if slower > 0 {
		o.because = append([]Reason{{Rule: "fastest", Text: words.FasterThanOthers.With(slower, others, next.Plugin),
			Evidence: next.Because[0].Evidence, Source: words.SourceVerdicts}}, o.because...)
	}
}

// notCompared returns which plugins' speed could not be compared with the winner's, and why.
func (o *outcome) notCompared() []words.Text {
	var kernels, unknown []string
	in := map[string][]string{}
	for _, s := range o.apart {
		k := s.plugin.Kernel
		switch {
		case k == o.winner.plugin.Kernel:
			unknown = append(unknown, s.plugin.Name)
		case in[k] == nil:
			kernels = append(kernels, k)
			fallthrough
		default:
			in[k] = append(in[k], s.plugin.Name)
		}
	}
	var said []words.Text
	for _, k := range kernels {
		said = append(said, words.SpeedInOtherKernel.With(words.ListNames(in[k]), kernelNamed(k)))
	}
	if len(unknown) > 0 {
		said = append(said, words.SpeedUncompared.With(words.ListNames(unknown)))
	}
	return said
}
