package advice

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/results"
)

// grave are the findings that make a network unfit for some traffic: with one
// of them no plugin is recommended with more than low confidence.
var grave = []string{results.FindingPodMTUTooLarge, results.FindingPMTUBlackHole, results.FindingPMTUWrong, results.FindingUnderlayFragments,
	results.FindingPodSourceNAT, results.FindingTCPDoesNotPass, results.FindingOneDirectionSlow}

// summary is the answer in one sentence.
func summary(f *Facts, s *subject, o outcome, fit int) string {
	what := s.plugin.Name
	if s.mode.Words != "" {
		what += " (" + s.mode.Words + ")"
	}
	if s.plugin.Fidelity == DataPath {
		what += ", of which only the data path was measured"
	}
	switch {
	case len(f.Plugins) == 1:
		return fmt.Sprintf("On %s run %s: it is the only plugin that was measured.", f.Topology, what)
	case fit == 1:
		return fmt.Sprintf("On %s run %s: of %d plugins it is the only one that fits.", f.Topology, what, len(f.Plugins))
	}
	return fmt.Sprintf("On %s run %s: of the %d plugins that fit %s.", f.Topology, what, fit, o.why)
}

// foundOn says what probes found wrong with the recommended plugin.
func foundOn(p *Plugin) string {
	if len(p.Findings) == 0 {
		return ""
	}
	var texts []string
	for _, f := range p.Findings {
		texts = append(texts, f.Text)
	}
	return fmt.Sprintf("But this was found on it: %s.", strings.Join(texts, "; "))
}

// excluded says which plugins were not chosen from, and why. Of those that do
// not work it speaks only if one was left.
func excluded(f *Facts, rejected []Rejected, oneLeft bool) string {
	var failing, unknown, reasons []string
	working := map[string][]string{} // by reason
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
		reasons[i] = strings.Join(working[why], ", ") + " (" + why + ")"
	}
	var said []string
	if len(reasons) > 0 {
		said = append(said, fmt.Sprintf("Excluded, although working here: %s.", strings.Join(reasons, "; ")))
	}
	if oneLeft && len(failing) > 0 {
		said = append(said, fmt.Sprintf("Not working here: %s.", strings.Join(failing, ", ")))
	}
	if oneLeft && len(unknown) > 0 {
		said = append(said, fmt.Sprintf("Not shown to work here: %s.", strings.Join(unknown, ", ")))
	}
	return strings.Join(said, " ")
}

func nonEmpty(parts ...string) []string {
	return slices.DeleteFunc(parts, func(s string) bool { return s == "" })
}

// confidence weighs what a recommendation rests on.
func confidence(f *Facts, s *subject, o outcome, fit int) Confidence {
	rounds := s.plugin.Rounds
	rests := []string{fmt.Sprintf(plural(rounds, "%d round on %d nodes (%s)", "%d rounds on %d nodes (%s)"), rounds, f.Nodes, f.Testbed)}
	if f.NodesAsked > f.Nodes {
		rests[0] = fmt.Sprintf(plural(rounds, "%d round between %d of %d nodes (%s)", "%d rounds between %d of %d nodes (%s)"), rounds, f.Nodes, f.NodesAsked, f.Testbed)
	}
	level := "high"
	lower := func(to, why string) {
		if level != "low" {
			level = to
		}
		rests = append(rests, why)
	}
	switch {
	case len(f.Plugins) == 1:
		lower("medium", "no other plugin was measured")
	case fit == 1:
		lower("medium", "no other plugin fits")
	case !o.measured:
		lower("low", "speed was not compared")
	case rounds < f.NeededRounds && !o.decided:
		lower("low", fmt.Sprintf("so few rounds show no difference, %d are needed", f.NeededRounds))
	case !o.decided:
		lower("medium", "speed did not settle it")
	default:
		rests = append(rests, fmt.Sprintf(plural(o.compared, "%d comparison", "%d comparisons"), o.compared))
	}
	if o.measured && len(o.apart) > 0 {
		lower("medium", "not all that fit were compared by speed")
	}
	for _, found := range s.plugin.Findings {
		to := "medium"
		if slices.Contains(grave, found.Name) {
			to = "low"
		}
		lower(to, "found: "+found.Name)
	}
	if s.plugin.Fidelity == DataPath {
		lower("medium", "the data path alone, not the agents")
	}
	if s.weakened {
		lower("medium", "this network may not be the cluster's")
	}
	switch {
	case !f.Complete && fit == 1: // another might fit, had the run come to it
		lower("low", "the run is not complete")
	case !f.Complete:
		lower("medium", "the run is not complete")
	}
	if s.plugin.Facts[Encapsulates].Value == "" {
		lower("medium", "nobody looked at the wire")
	}
	return Confidence{level, strings.Join(rests, ", ")}
}

// plural picks the words for a count.
func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}
