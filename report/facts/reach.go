package facts

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

// Attempts are those in a direction, both ways where it has two.
func Attempts(r *model.Report, plugin, topology, direction string) []results.Reachability {
	var all []results.Reachability
	for _, a := range r.Reachability {
		if a.Plugin == plugin && a.Topology == topology && a.Direction == direction {
			all = append(all, a)
		}
	}
	return all
}

// Reached joins all attempts in a direction.
func Reached(r *model.Report, plugin, topology, direction string) advice.Fact {
	attempts := Attempts(r, plugin, topology, direction)
	no := len(unreached(attempts))
	var said []string
	for _, text := range ReachTexts(attempts) {
		said = append(said, direction+": "+text)
	}
	return advice.Fact{Value: ofAll(len(attempts)-no, no), Evidence: strings.Join(said, "; ")}
}

// unreached says of the attempts that failed which way they were and why.
func unreached(attempts []results.Reachability) []string {
	var all []string
	for _, a := range attempts {
		if !a.Reachable {
			all = append(all, Way(a))
		}
	}
	return all
}

// ReachTexts says what became of the attempts in a direction, each thing once:
// what is the same both ways is said of both.
func ReachTexts(attempts []results.Reachability) []string {
	alike := true
	back := false // somebody looked at the other way too
	for _, a := range attempts {
		alike = alike && reachText(a) == reachText(attempts[0])
		back = back || a.From != a.To && a.From == attempts[0].To && a.To == attempts[0].From
	}
	if alike && back {
		return []string{"both ways: " + reachText(attempts[0])}
	}
	var all []string
	for _, a := range attempts {
		if text := Way(a); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// Way says what became of an attempt, and from which node to which it was if it
// was between two.
func Way(a results.Reachability) string {
	if a.Direction != results.PodToPod || a.From == "" || a.To == "" {
		return reachText(a)
	}
	return fmt.Sprintf("from %s to %s: %s", a.From, a.To, reachText(a))
}

// ofAll is yes or no if all agree.
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

// reachText says what became of an attempt.
func reachText(a results.Reachability) string {
	switch {
	case a.Reachable && a.Source == results.SourceSNAT:
		return "reached, source translated to " + a.Seen
	case a.Reachable && a.Source == results.SourceKept:
		return "reached, source kept"
	case a.Reachable:
		return "reached"
	}
	text := "not reached"
	if a.Cause != "" {
		text += ": " + a.Cause
	}
	if a.LastSeen != "" {
		text += " (last seen at " + a.LastSeen + ")"
	}
	return text
}
