package advice

import (
	"slices"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// grave holds the findings that make a network unfit for some traffic. A plugin with one of them is
// recommended with low confidence at most.
var grave = []string{results.FindingPodMTUTooLarge, results.FindingPMTUBlackHole, results.FindingPMTUWrong, results.FindingUnderlayFragments,
	results.FindingPodSourceNAT, results.FindingTCPDoesNotPass, results.FindingOneDirectionSlow}

// summary returns the answer in one sentence.
func summary(f *Facts, s *subject, o outcome, fit int) words.Text {
	what := words.Aside(words.Quote(s.plugin.Name), s.mode.called())
	if s.plugin.Fidelity == DataPath {
		what = words.DataPathMeasuredOnly.With(what)
	}
	switch {
	case len(f.Plugins) == 1:
		return words.Stop(words.RunOnlyMeasured.With(f.Topology, what))
	case fit == 1:
		return words.Stop(words.RunOnlyFitting.With(f.Topology, what, len(f.Plugins)))
	}
	return words.RunBestOfFitting.With(f.Topology, what, fit, o.why)
}

// foundOn returns the problems that probes found with the recommended plugin.
func foundOn(p *Plugin) words.Text {
	if len(p.Findings) == 0 {
		return words.Text{}
	}
	var texts []words.Text
	for _, f := range p.Findings {
		texts = append(texts, f.Text)
	}
	return words.Stop(words.ButFound.With(words.Clauses(texts...)))
}

// excluded returns which plugins were excluded from the choice, and why. It mentions plugins that do not
// work only if a single plugin was left.
func excluded(f *Facts, rejected []Rejected, oneLeft bool) words.Text {
	var failing, unknown []string
	var reasons []words.Text
	working := map[words.Text][]string{} // plugins by reason
	for _, other := range rejected {
		switch f.plugin(other.Plugin).Facts[Works].Value {
		case yes:
			why := other.Because[0].Text
			if working[why] == nil {
				reasons = append(reasons, why)
			}
			working[why] = append(working[why], other.Plugin)
		case "":
			unknown = append(unknown, other.Plugin)
		default:
			failing = append(failing, other.Plugin)
		}
	}
	for i, why := range reasons {
		reasons[i] = words.Aside(words.ListNames(working[why]), why)
	}
	var said []words.Text
	if len(reasons) > 0 {
		said = append(said, words.Stop(words.ExcludedThoughWorking.With(words.Clauses(reasons...))))
	}
	if oneLeft && len(failing) > 0 {
		said = append(said, words.Stop(words.NotWorking.With(words.ListNames(failing))))
	}
	if oneLeft && len(unknown) > 0 {
		said = append(said, words.Stop(words.NotShownWorking.With(words.ListNames(unknown))))
	}
	return words.Following(said...)
}

// confidence returns how far a recommendation can be trusted, and what it rests on.
func confidence(f *Facts, s *subject, o outcome, fit int) Confidence {
	rounds := s.plugin.Rounds
	rests := []words.Text{words.Plural(rounds, words.RestsOnRound, words.RestsOnRounds).With(rounds, f.Nodes, f.Testbed)}
	if f.NodesAsked > f.Nodes {
		rests[0] = words.Plural(rounds, words.RestsOnRoundBetween, words.RestsOnRoundsBetween).With(rounds, f.Nodes, f.NodesAsked, f.Testbed)
	}
	level := words.High
	lower := func(to, why words.Text) {
		if level != words.Low {
			level = to
		}
		rests = append(rests, why)
	}
	switch {
	case len(f.Plugins) == 1:
		lower(words.Medium, words.NoOtherMeasured)
	case fit == 1:
		lower(words.Medium, words.NoOtherFits)
	case !o.measured:
		lower(words.Low, words.SpeedNotCompared)
	case rounds < f.NeededRounds && !o.decided:
		lower(words.Low, words.TooFewRounds.With(f.NeededRounds))
	case !o.decided:
		lower(words.Medium, words.SpeedUndecided)
	default:
		rests = append(rests, words.Plural(o.compared, words.Comparison, words.Comparisons).With(o.compared))
	}
	if o.measured && len(o.apart) > 0 {
		lower(words.Medium, words.NotAllCompared)
	}
	for _, found := range s.plugin.Findings {
		to := words.Medium
		if slices.Contains(grave, found.Name) {
			to = words.Low
		}
		lower(to, words.FindingNamed.With(found.Name))
	}
	if s.plugin.Fidelity == DataPath {
		lower(words.Medium, words.DataPathWithoutAgents)
	}
	if s.weakened {
		lower(words.Medium, words.NetworkMayDiffer)
	}
	switch {
	case !f.Complete && fit == 1: // a plugin that the run did not reach might fit too
		lower(words.Low, words.RunIncomplete)
	case !f.Complete:
		lower(words.Medium, words.RunIncomplete)
	}
	if s.plugin.Facts[Encapsulates].Value == "" {
		lower(words.Medium, words.WireNotLookedAt)
	}
	return Confidence{level, words.List(rests...)}
}
