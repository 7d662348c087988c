package facts

import (
	"slices"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Attempts returns the attempts in a direction, from both ends where there are two.
func Attempts(r *model.Report, plugin string, topology results.Topology, direction string) []results.Reachability {
	var all []results.Reachability
	for _, a := range r.Reachability {
		if a.Plugin == plugin && a.Topology == topology && a.Direction == direction {
			all = append(all, a)
		}
	}
	return all
}

// Reached returns whether all attempts in a direction succeeded.
func Reached(r *model.Report, plugin string, topology results.Topology, direction string) advice.Fact {
	attempts := Attempts(r, plugin, topology, direction)
	no := len(unreached(attempts))
	var said []words.Text
	for _, text := range ReachTexts(attempts) {
		said = append(said, words.Of(DirectionText(direction), text))
	}
	return advice.Fact{Value: ofAll(len(attempts)-no, no), Evidence: words.Clauses(said...)}
}

// unreached describes the failed attempts.
func unreached(attempts []results.Reachability) []words.Text {
	var all []words.Text
	for _, a := range attempts {
		if !a.Reachable {
			all = append(all, Way(a))
		}
	}
	return all
}

// ReachTexts describes the attempts in a direction, each outcome once. An outcome
// that is the same from both ends is given for both.
func ReachTexts(attempts []results.Reachability) []words.Text {
	alike := true
	back := false // the other direction was tried too
	for _, a := range attempts {
		alike = alike && reachText(a) == reachText(attempts[0])
		back = back || a.From != a.To && a.From == attempts[0].To && a.To == attempts[0].From
	}
	if alike && back {
		return []words.Text{words.BothWays.With(reachText(attempts[0]))}
	}
	var all []words.Text
	for _, a := range attempts {
		if text := Way(a); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// Way describes an attempt, with its nodes if it was between two.
func Way(a results.Reachability) words.Text {
	if a.Direction != results.PodToPod || a.From == "" || a.To == "" {
		return reachText(a)
	}
	return words.FromTo.With(a.From, a.To, reachText(a))
}

// ofAll returns yes or no if all agree.
func ofAll(yes, no int) string {
	switch {
	case yes+no == 0:
		return ""
	case no == 0:
		return "yes"
	case yes == 0:
		return "no"
	}
	return "partly"
}

// reachText describes the outcome of an attempt.
func reachText(a results.Reachability) words.Text {
	switch {
	case a.Reachable && a.Source == results.SourceSNAT:
		return words.ReachedTranslated.With(a.Seen)
	case a.Reachable && a.Source == results.SourceKept:
		return words.ReachedSourceKept
	case a.Reachable:
		return words.Reached
	}
	text := words.NotReached
	if !a.Cause.Empty() {
		text = words.NotReachedCause.With(a.Cause)
	}
	if a.LastSeen != "" {
		text = words.Aside(text, words.LastSeenAt.With(a.LastSeen))
	}
	return text
}

var directions = map[string]words.Text{results.OutsideToPod: words.OutsideToPodName, results.PodToOutside: words.PodToOutsideName,
	results.PodToOutsideNAT: words.MasqueradedName, results.PodToPod: words.PodToPodName, results.PodToNeigh: words.SameNodeName}

// DirectionText names a direction in which packets were sent.
func DirectionText(direction string) words.Text { return words.Named(directions, direction) }
