package advice

import (
	"math"
	"slices"

	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// grave holds the findings that make a network unfit for some traffic. A plugin with one of them is
// recommended with low confidence at most.
var grave = []string{results.FindingPodMTUTooLarge, results.FindingPMTUBlackHole, results.FindingPMTUWrong, results.FindingUnderlayFragments,
	results.FindingPodSourceNAT, results.FindingTCPDoesNotPass, results.FindingOneDirectionSlow,
	results.FindingNodeUnreached, results.FindingSurveyUnreached}

// condition lowers the confidence in a recommendation.
type condition struct {
	rule  string
	level words.Text // the highest level that it leaves
	// said returns what to say, or an empty text if the condition does not hold.
	said func(*outcome) words.Text
}

// conditions lists everything that lowers the confidence, in the order in which it is said.
var conditions = []condition{
	{"only-plugin", words.Medium, func(o *outcome) words.Text { return when(len(o.facts.Plugins) == 1, words.NoOtherMeasured) }},
	{"only-fitting", words.Medium, func(o *outcome) words.Text {
		return when(len(o.order) == 1 && len(o.facts.Plugins) > 1, words.NoOtherFits)
	}},
	{"few-rounds", words.Low, fewRounds},
	{"speed-not-compared", words.Low, func(o *outcome) words.Text { return when(len(o.order) > 1 && !o.measured, words.SpeedNotCompared) }},
	{"circle", words.Low, func(o *outcome) words.Text { return when(o.cycle, words.SpeedInCircle) }},
	{"undecided", words.Medium, func(o *outcome) words.Text {
		return when(o.measured && !o.cycle && len(o.leaders) > 1 && fewRounds(o).Empty(), words.SpeedUndecided)
	}},
	{"undetectable", words.Medium, undetectable},
	{"wide-intervals", words.Medium, wideIntervals},
	{"partly-compared", words.Medium, func(o *outcome) words.Text {
		return when(len(o.partly) > 0, words.ComparedByFewer.With(words.AndNames(o.partly)))
	}},
	{"not-compared", words.Medium, func(o *outcome) words.Text { return when(o.measured && len(o.apart) > 0, words.NotAllCompared) }},
	{"notes", words.Medium, notes},
	{"disturbed", words.Low, disturbed},
	{"control-differs", words.Low, func(o *outcome) words.Text {
		return when(len(o.facts.ControlDiffers) > 0, words.DiffersFromItself.With(words.AndNames(o.facts.ControlDiffers)))
	}},
	{"implausible", words.Low, func(o *outcome) words.Text {
		return when(len(o.winner.plugin.Implausible) > 0, words.ImplausibleNamed.With(words.ListNames(o.winner.plugin.Implausible)))
	}},
	{"implausible-other", words.Medium, implausibleOther},
	{"failed-samples", words.Medium, func(o *outcome) words.Text {
		return when(o.winner.plugin.Failed > 0, words.SamplesFailedOf.With(o.winner.plugin.Failed, o.winner.plugin.Samples))
	}},
	{"grave-finding", words.Low, func(o *outcome) words.Text { return findingsNamed(o, true) }},
	{"finding", words.Medium, func(o *outcome) words.Text { return findingsNamed(o, false) }},
	{"data-path", words.Medium, func(o *outcome) words.Text {
		return when(o.winner.plugin.Fidelity == DataPath, words.DataPathWithoutAgents)
	}},
	{"network-may-differ", words.Medium, func(o *outcome) words.Text { return when(o.winner.weakened, words.NetworkMayDiffer) }},
	// A plugin that the run did not reach might fit too.
	{"incomplete-alone", words.Low, func(o *outcome) words.Text { return when(!o.facts.Complete && len(o.order) == 1, words.RunIncomplete) }},
	{"incomplete", words.Medium, func(o *outcome) words.Text { return when(!o.facts.Complete && len(o.order) > 1, words.RunIncomplete) }},
	{"wire-not-captured", words.Medium, func(o *outcome) words.Text {
		return when(o.winner.plugin.Facts[Encapsulates].Value == "", words.WireNotLookedAt)
	}},
	{"few-deployments", words.Medium, fewDeployments},
}

// when returns the text if the condition holds.
func when(holds bool, t words.Text) words.Text {
	if holds {
		return t
	}
	return words.Text{}
}

// confidence returns how far the recommendation can be trusted, and what it rests on.
func (o *outcome) confidence() Confidence {
	c := Confidence{Level: words.High, Lowered: []Lowering{}}
	rests := o.basis()
	for _, cond := range conditions {
		said := cond.said(o)
		if said.Empty() {
			continue
		}
		if c.Level != words.Low {
			c.Level = cond.level
		}
		rests = append(rests, said)
		c.Lowered = append(c.Lowered, Lowering{cond.rule, cond.level, said})
	}
	c.RestsOn = words.Clauses(rests...)
	return c
}

// basis returns the rounds and the comparisons that the recommendation rests on.
func (o *outcome) basis() []words.Text {
	f, rounds, n := o.facts, o.winner.plugin.Rounds, len(o.deciding)
	all := []words.Text{words.Plural(rounds, words.RestsOnRound, words.RestsOnRounds).With(rounds, f.Nodes, f.Testbed)}
	if f.NodesAsked > f.Nodes {
		all[0] = words.Plural(rounds, words.RestsOnRoundBetween, words.RestsOnRoundsBetween).With(rounds, f.Nodes, f.NodesAsked, f.Testbed)
	}
	switch {
	case n == 0:
	case f.Figures > 1:
		all = append(all, words.Plural(n, words.ComparisonCorrected, words.ComparisonsCorrected).With(n, f.Figures))
	default:
		all = append(all, words.Plural(n, words.Comparison, words.Comparisons).With(n))
	}
	return all
}

// fewRounds holds if speed did not decide, in fewer rounds than verdicts need. A plugin that nothing is
// compared with needs as many as an interval does.
func fewRounds(o *outcome) words.Text {
	rounds, needed := o.winner.plugin.Rounds, stats.MinSamples
	if len(o.order) == 1 {
		return when(rounds < needed, words.TooFewForInterval.With(needed))
	}
	needed = o.facts.NeededRounds
	return when(o.measured && len(o.leaders) > 1 && rounds < needed, words.TooFewRounds.With(needed))
}

// undetectable holds if the winner was preferred to a plugin that might be faster by more than the
// margin without anyone having noticed. Fewer rounds than verdicts need say as much.
func undetectable(o *outcome) words.Text {
	if !fewRounds(o).Empty() {
		return words.Text{}
	}
	most := 0.0
	var than Comparison
	for _, c := range o.tied {
		if !c.Holds && c.Detectable > max(c.Margin, most) {
			most, than = c.Detectable, c
		}
	}
	switch {
	case most == 0:
		return words.Text{}
	case math.IsInf(most, 0):
		return words.AnyDifferenceMissed.With(than.A, than.B)
	}
	return words.DifferenceMissed.With(quantity.Percent(most), than.A, than.B)
}

// wideShare is the width of an interval, in margins, beyond which the winner's speed counts as unknown.
// An interval of one margin to either side can still place a plugin within what counts as a difference.
const wideShare = 2

// wideIntervals holds if speed counts and the winner's ratio to the nodes' own network is known less well
// than the margin to either side.
func wideIntervals(o *outcome) words.Text {
	if !o.measured {
		return words.Text{}
	}
	wide, all, margin := 0, 0, 0.0
	for _, c := range o.facts.Comparisons {
		c, ok := c.between(o.winner.plugin.Name, results.HostPlugin)
		if !ok || c.CI == nil {
			continue
		}
		all, margin = all+1, c.Margin
		if (c.CI[1]-c.CI[0])/c.Ratio > wideShare*c.Margin {
			wide++
		}
	}
	return when(wide > 0, words.IntervalsWide.With(wide, all, quantity.Percent(margin)))
}

// notes holds if something weakens a comparison that decides, and quotes the first such note.
func notes(o *outcome) words.Text {
	noted, first := 0, words.Text{}
	for _, c := range o.deciding {
		if len(c.Notes) == 0 {
			continue
		}
		if noted++; noted == 1 {
			first = words.Of(words.PairNamed.With(c.A, c.B), c.Notes[0])
		}
	}
	return when(noted > 0, words.Aside(words.Plural(noted, words.ComparisonWeakened, words.ComparisonsWeakened).With(noted), first))
}

// disturbed holds if a verdict that decides depends on disturbed samples. One that does not count either
// way does not.
func disturbed(o *outcome) words.Text {
	for _, c := range o.deciding {
		if c.Undisturbed != "" && (c.Holds || c.Undisturbed != stats.Inconclusive) {
			return words.DependsOnDisturbed.With(c.A, c.B, quantity.VerdictText(c.Undisturbed), quantity.VerdictText(c.Verdict))
		}
	}
	return words.Text{}
}

// implausibleOther holds if results of a plugin that the winner was compared with are implausible.
func implausibleOther(o *outcome) words.Text {
	var named []words.Text
	for _, s := range o.order[1:] {
		decides := slices.ContainsFunc(o.deciding, func(c Comparison) bool { return c.A == s.plugin.Name || c.B == s.plugin.Name })
		if decides && len(s.plugin.Implausible) > 0 {
			named = append(named, words.ImplausibleOf.With(s.plugin.Name, words.ListNames(s.plugin.Implausible)))
		}
	}
	return words.List(named...)
}

// findingsNamed names the findings on the winner, either the grave or the other ones.
func findingsNamed(o *outcome, areGrave bool) words.Text {
	var named []words.Text
	for _, found := range o.winner.plugin.Findings {
		if slices.Contains(grave, found.Name) == areGrave {
			named = append(named, words.FindingNamed.With(found.Name))
		}
	}
	return words.List(named...)
}

// fewDeployments holds if there are fewer deployments than a verdict on plugins, rather than on what one
// run deployed, requires.
func fewDeployments(o *outcome) words.Text {
	n := o.deployments()
	return when(n > 0 && n < stats.MinDeployments, words.Plural(n, words.OneDeployment, words.FewDeployments).With(n, stats.MinDeployments))
}
