package view

import (
	"slices"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// AdjacencyLine is the outcome that several pairs of nodes of a topology share.
type AdjacencyLine struct {
	Topology                  results.Topology
	Neighbour, Forwards, Note words.Text
	Pairs                     int
}

// AdjacencyLines joins the pairs of nodes that have the same outcome.
func AdjacencyLines(r *model.Report) []AdjacencyLine {
	var all []AdjacencyLine
	for _, a := range r.Adjacency {
		line := AdjacencyLine{Topology: a.Topology, Neighbour: YesNo(a.Neighbour), Forwards: YesNo(a.Forwards), Note: a.Cause}
		if a.ProxyARP {
			line.Neighbour = words.YesByProxy
		}
		if a.Forwards && a.TTL > 0 {
			line.Forwards = words.YesTTL.With(a.TTL)
		}
		i := slices.IndexFunc(all, func(o AdjacencyLine) bool { o.Pairs = 0; return o == line })
		if i < 0 {
			i, all = len(all), append(all, line)
		}
		all[i].Pairs++
	}
	return all
}

// Directions lists the columns of the reachability table.
var Directions = []string{"outside-to-pod", "pod-to-outside", "pod-to-outside-masqueraded", "pod-to-pod", "pod-to-pod-same-node"}

// ReachLine is the reachability in each direction with one plugin on one topology.
type ReachLine struct {
	Plugin   string
	Topology results.Topology
	Cells    []words.Text // in the order of Directions
}

// ReachLines returns the reachability as one line for each network.
func ReachLines(r *model.Report) []ReachLine {
	var all []ReachLine
	for _, a := range r.Reachability {
		if slices.ContainsFunc(all, func(l ReachLine) bool { return l.Plugin == a.Plugin && l.Topology == a.Topology }) {
			continue
		}
		l := ReachLine{a.Plugin, a.Topology, nil}
		for _, direction := range Directions {
			l.Cells = append(l.Cells, words.Clauses(facts.ReachTexts(facts.Attempts(r, a.Plugin, a.Topology, direction))...))
		}
		all = append(all, l)
	}
	return all
}

// YesNo returns the word yes or no.
func YesNo(v bool) words.Text {
	if v {
		return words.Yes
	}
	return words.No
}

// PolicyLine is whether rules take effect with one plugin on one topology, beside what
// is documented.
type PolicyLine struct {
	Plugin                      string
	Topology                    results.Topology
	Ingress, Egress, Documented words.Text // Documented is empty if nothing is known
}

// PolicyLines joins the rules of both directions into one line for each network.
func PolicyLines(r *model.Report) []PolicyLine {
	var all []PolicyLine
	for i := range r.Policy {
		p := &r.Policy[i]
		at := slices.IndexFunc(all, func(l PolicyLine) bool { return l.Plugin == p.Plugin && l.Topology == p.Topology })
		if at < 0 {
			at, all = len(all), append(all, PolicyLine{p.Plugin, p.Topology, words.NotMeasured, words.NotMeasured, facts.DocumentedText(p)})
		}
		if p.At() == results.PolicyEgress {
			all[at].Egress = facts.PolicyCell(p)
		} else {
			all[at].Ingress = facts.PolicyCell(p)
		}
	}
	return all
}
