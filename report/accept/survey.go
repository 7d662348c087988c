package accept

import (
	"fmt"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// surveyFacts are about the survey of all pairs of nodes: shares of ordered pairs, from 0
// to 1. at_least 1 demands all of them.
var surveyFacts = []fact{
	{name: "survey reached", title: "share of ordered pairs of nodes in which packets arrive", probe: "survey", number: true, unit: unitRatio,
		of: surveyed(func(s *model.Survey) []seen { return []seen{share(len(s.All.Pairs), s.Reached, "")} })},
	{name: "survey faultless", title: "share of ordered pairs of nodes without any fault", probe: "survey", number: true, unit: unitRatio,
		of: surveyed(func(s *model.Survey) []seen {
			faults := s.Faulty()
			return []seen{share(len(s.All.Pairs), len(s.All.Pairs)-len(faults), "")}
		})},
	{name: "survey worst node", title: "share of a node's pairs in one direction without any fault, for the node with the smallest", probe: "survey", number: true, unit: unitRatio,
		of: surveyed(worstNode)},
	{name: "survey reached by zone", title: "share of ordered pairs in which packets arrive, for each two zones and direction", probe: "survey", number: true, unit: unitRatio,
		of: surveyed(byZone)},
	{name: "slow nodes", title: "how many nodes are slow as a sender or as a receiver (a run with pairs)", number: true, unit: "1", of: slowNodes},
}

func slowNodes(r *model.Report, p place) (all []seen) {
	for i := range r.PairSpeeds {
		switch s := &r.PairSpeeds[i]; {
		case s.Plugin != p.plugin || s.Topology != p.topology:
		case s.Unfinished:
			all = append(all, seen{missing: "the run was interrupted while it measured pairs of nodes"})
		default:
			n := exactly(float64(len(r.SlowOf(p.plugin, p.topology))), "1")
			if texts := facts.SlowTexts(s.Slow); len(texts) > 0 {
				n.shown += " (" + words.Clauses(texts...).String() + ")"
			}
			all = append(all, n)
		}
	}
	return all
}

func surveyed(look func(*model.Survey) []seen) func(*model.Report, place) []seen {
	return func(r *model.Report, p place) []seen {
		s := r.SurveyOf(p.plugin, p.topology)
		if s == nil {
			return nil
		}
		return look(s)
	}
}

// share returns a share of pairs.
func share(of, n int, where string) seen {
	if of == 0 {
		return seen{where: where, missing: "no pair of nodes was surveyed"}
	}
	s := exactly(float64(n)/float64(of), unitRatio)
	s.where, s.shown = where, fmt.Sprintf("%s (%d of %d pairs)", quantity.Percent(float64(n)/float64(of)), n, of)
	return s
}

func worstNode(s *model.Survey) []seen {
	type side struct {
		node    string
		inbound bool
	}
	of, bad := map[side]int{}, map[side]int{}
	faults := s.Faulty()
	for _, p := range s.All.Pairs {
		for _, at := range []side{{p.From, false}, {p.To, true}} {
			of[at]++
			if faults[results.Pair{From: p.From, To: p.To}] {
				bad[at]++
			}
		}
	}
	if len(s.All.Pairs) == 0 {
		return []seen{share(0, 0, "")}
	}
	var worst side
	least := 2.0
	for _, n := range s.All.Nodes {
		for _, inbound := range []bool{false, true} {
			at := side{n.Name, inbound}
			if good := float64(of[at]-bad[at]) / float64(max(of[at], 1)); of[at] > 0 && good < least {
				worst, least = at, good
			}
		}
	}
	direction := "outbound"
	if worst.inbound {
		direction = "inbound"
	}
	return []seen{share(of[worst], of[worst]-bad[worst], fmt.Sprintf(", %s %s", worst.node, direction))}
}

func byZone(s *model.Survey) []seen {
	zones := map[string]string{}
	for _, n := range s.All.Nodes {
		zones[n.Name] = n.Zone
	}
	type way struct{ from, to string }
	var order []way
	of, reached := map[way]int{}, map[way]int{}
	for _, p := range s.All.Pairs {
		w := way{zones[p.From], zones[p.To]}
		if of[w] == 0 {
			order = append(order, w)
		}
		of[w]++
		if p.Arrived > 0 {
			reached[w]++
		}
	}
	var all []seen
	for _, w := range order {
		where := fmt.Sprintf(", zone %s to zone %s", w.from, w.to)
		if w.from == "" || w.to == "" {
			where = ", nodes without a zone"
		}
		all = append(all, share(of[w], reached[w], where))
	}
	return all
}
