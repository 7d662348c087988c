package advice

import (
	"cmp"
	"math"
	"slices"

	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// outcome is the choice among the plugins that fit, with the reasons for it.
type outcome struct {
	*ranking
	facts    *Facts
	winner   *subject
	because  []Reason
	rejected []Rejected
	unknown  []words.Text
	why      words.Text // the end of the summary
	// preferred holds the preferences that decided in favour of the winner, each text once.
	preferred []preference
	measured  bool // speeds were compared to choose
	// deciding holds the comparisons that the choice rests on, and tied those of them with plugins that
	// speed did not put below the winner.
	deciding, tied []Comparison
	// apart holds the plugins that fit but were not compared with the winner by speed.
	apart []*subject
	// partly holds the plugins that were compared with the winner by some of the figures only.
	partly []string
}

// choose chooses one of the plugins that fit: the one of those that nothing is shown to be faster than
// that the preferences put first.
func choose(f *Facts, fit []*subject) outcome {
	o := outcome{ranking: newRanking(f, fit), facts: f}
	o.winner = o.order[0]
	for _, loser := range o.order[1:] {
		d := o.tallies[pair{o.winner, loser}]
		if d.partial {
			o.partly = append(o.partly, loser.plugin.Name)
		}
		o.rejected = append(o.rejected, Rejected{loser.plugin.Name, append([]Reason{o.lost(loser)}, costs(loser, o.winner)...)})
	}
	o.measured = len(o.deciding) > 0
	o.explain()
	return o
}

// lost returns why a plugin that fits lost to the winner.
func (o *outcome) lost(loser *subject) Reason {
	winner := o.winner.plugin.Name
	d := o.tallies[pair{o.winner, loser}]
	faster := o.beater(loser)
	switch {
	case loser.plugin.Kernel != o.winner.plugin.Kernel && o.facts.timed(loser.plugin.Name):
		o.apart = append(o.apart, loser)
		return Reason{Rule: "other-kernel", Text: words.FitsInOtherKernel.With(kernelNamed(loser.plugin.Kernel), winner), Source: o.facts.source()}
	case faster != nil && !(o.cycle && slices.Contains(o.leaders, loser)):
		by := o.tallies[pair{faster, loser}]
		o.deciding = append(o.deciding, by.figures...)
		return Reason{Rule: "slower", Text: words.FitsSlower.With(faster.plugin.Name), Evidence: by.evidence(), Source: o.facts.source()}
	case o.facts.timed(winner) && !slices.Contains(o.contenders, loser):
		o.uncompared(loser)
		why := words.FitsUncompared
		if len(d.figures) > 0 {
			why = words.FitsTooFewRounds
		}
		return Reason{Rule: "speed-unknown", Text: why.With(winner), Evidence: d.evidence(), Source: o.facts.source()}
	}
	return o.lessPreferred(loser, d, faster)
}

// lessPreferred returns the preference by which a plugin lost that speed does not put below the winner.
func (o *outcome) lessPreferred(loser *subject, d tally, faster *subject) Reason {
	p, _, evidence := prefer(o.winner, loser)
	winner, name := o.winner.plugin.Name, loser.plugin.Name
	if !slices.ContainsFunc(o.preferred, func(q preference) bool { return q.text == p.text }) {
		o.preferred = append(o.preferred, p)
	}
	o.deciding, o.tied = append(o.deciding, d.figures...), append(o.tied, d.figures...)
	f, against := Reason{Rule: p.rule, Evidence: evidence, Source: p.source}, Reason{Rule: p.rule, Evidence: words.Clauses(evidence, d.evidence()), Source: p.source}
	switch {
	case len(d.figures) == 0:
		if o.facts.timed(winner) {
			o.uncompared(loser)
		}
		f.Text, against.Text = words.UncomparedAnd.With(name, p.text), words.FitsOtherPreferred.With(winner, p.text)
	case faster != nil:
		f.Text, against.Text = words.PreferredInCircle.With(name, p.text), words.FitsInCircle.With(faster.plugin.Name, winner, p.text)
	default:
		tie := d.tie(name, p.text)
		f.Text, against.Text = tie, words.FitsTie.With(winner, tie)
	}
	o.because = append(o.because, f)
	return against
}

// uncompared records that the speed of a plugin was not compared with the winner's.
func (o *outcome) uncompared(s *subject) {
	o.apart = append(o.apart, s)
	o.unknown = append(o.unknown, words.PluginSpeedUncompared.With(s.plugin.Name))
}

// slower returns, for a plugin that is excluded anyway, the figures by which it is slower than the
// winner, or nil if it is not.
func (o *outcome) slower(excluded string) []Reason {
	d := o.facts.tally(excluded, o.winner.plugin.Name)
	if d.net >= 0 {
		return nil
	}
	return []Reason{{Rule: "slower", Text: words.SlowerThanWinner.With(o.winner.plugin.Name), Evidence: d.evidence(), Source: o.facts.source()}}
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
func (o *outcome) explain() {
	var beaten []*subject
	for _, s := range o.contenders {
		if o.beats(o.winner, s) {
			beaten = append(beaten, s)
		}
	}
	preferred := words.OfThesePreferred.With(o.winner.plugin.Name, o.preferredBy())
	fastest := len(beaten) == len(o.contenders)-1
	var led Reason // what speed says of the leaders
	switch {
	case len(o.order) == 1:
		return
	case len(o.contenders) == 1:
		o.why = words.OnlySpeedThatCounts
	case !o.measured:
		o.why = words.PreferredUncompared.With(o.preferredBy())
	case o.cycle:
		led = Reason{Rule: "circle", Text: words.EachSlowerThanAnother.With(namesOf(o.leaders)), Source: words.SourceTopCycle}
		o.why = words.Clauses(o.here(led.Text), preferred)
	case fastest:
		o.why = o.here(words.Fastest)
	case len(o.leaders) == 1:
		led = Reason{Rule: "unbeaten", Text: words.OnlyUnbeaten, Source: o.facts.source()}
		o.why = o.here(words.OnlyUnbeaten)
	default:
		led = Reason{Rule: "unbeaten", Text: words.NothingFasterThan.With(namesOf(o.leaders)), Source: o.facts.source()}
		o.why = words.Clauses(o.here(led.Text), preferred)
	}
	o.why = words.Clauses(append([]words.Text{o.why}, o.notCompared()...)...)
	if led.Rule != "" {
		o.because = append([]Reason{led}, o.because...)
	}
	if len(beaten) > 0 {
		o.because = append([]Reason{o.faster(beaten, fastest)}, o.because...)
	}
}

// preferredBy returns what the winner is preferred for, in the order of the preferences.
func (o *outcome) preferredBy() words.Text {
	slices.SortStableFunc(o.preferred, func(a, b preference) int { return cmp.Compare(a.rank(), b.rank()) })
	var texts []words.Text
	for _, p := range o.preferred {
		texts = append(texts, p.text)
	}
	return words.And(texts...)
}

// faster returns the reason that the winner is faster than other plugins, with the figures of the
// closest one.
func (o *outcome) faster(beaten []*subject, fastest bool) Reason {
	r := Reason{Rule: "faster", Source: o.facts.source()}
	if fastest {
		r.Rule = "fastest"
	}
	distance := func(s *subject) float64 { return o.tallies[pair{o.winner, s}].distance() }
	closest := slices.MinFunc(beaten, func(a, b *subject) int { return cmp.Compare(distance(a), distance(b)) })
	r.Evidence = o.tallies[pair{o.winner, closest}].evidence()
	r.Text = words.IsFasterThan.With(namesOf(beaten))
	if len(beaten) > 1 {
		r.Text = words.IsFasterThanAll.With(namesOf(beaten), closest.plugin.Name)
	}
	return r
}

// distance returns how far two plugins are apart: the mean of the logarithms of their ratios.
func (d tally) distance() float64 {
	sum := 0.0
	for _, c := range d.figures {
		sum += math.Abs(math.Log(c.Ratio))
	}
	return sum / float64(len(d.figures))
}

// deployments returns the number of deployments that the choice rests on, or 0 if speed was not
// compared.
func (o *outcome) deployments() int {
	least := 0
	for _, c := range o.deciding {
		if least == 0 || c.Deployments < least {
			least = c.Deployments
		}
	}
	return least
}

// here limits what is said of speeds to what was deployed, unless there were enough deployments for a
// verdict on the plugins.
func (o *outcome) here(t words.Text) words.Text {
	switch n := o.deployments(); {
	case n >= stats.MinDeployments:
		return t
	case n > 1:
		return words.InTheseDeployments.With(t, n)
	}
	return words.InThisDeployment.With(t)
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

// source returns the source of what is said of speeds: the verdicts, and over how many figures at a time
// they hold.
func (f *Facts) source() words.Text {
	if f.Figures > 1 {
		return words.SourceVerdictsOver.With(f.Figures)
	}
	return words.SourceVerdicts
}

// kernelNamed returns the name of a kernel in which figures were measured.
func kernelNamed(kernel string) words.Text {
	return cmp.Or(words.Quote(kernel), words.OwnKernel)
}

func namesOf(all []*subject) words.Text {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = s.plugin.Name
	}
	return words.AndNames(names)
}
