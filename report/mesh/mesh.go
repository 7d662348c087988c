// Package mesh finds what is wrong with a survey of all pairs of nodes, and states it as
// few sets of pairs: every pair across two subnets, every pair into one node, or a few
// pairs by name.
package mesh

import (
	"slices"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Kind is what is wrong with a pair.
type Kind string

// Kinds of faults of a pair.
const (
	Unmeasured Kind = "unmeasured" // a worker failed
	Unreached  Kind = "unreached"  // no packet arrived
	Lossy      Kind = "lossy"      // at least leastLost packets were lost, but not all
	Translated Kind = "translated" // the receiver saw another source address
	Small      Kind = "small"      // the largest packet that passes is smaller than with most pairs
)

// Kinds lists the kinds of faults.
var Kinds = []Kind{Unmeasured, Unreached, Lossy, Translated, Small}

// leastLost is how many packets of a pair must be lost before the pair counts as lossy.
// One lost packet in many pairs is no finding.
const leastLost = 2

// Scope is the shape of a set of pairs.
type Scope string

// Scopes of a set.
const (
	All    Scope = "all"    // pairs of all nodes
	Across Scope = "across" // pairs from one group of nodes to another
	Node   Scope = "node"   // pairs of one node
	Pairs  Scope = "pairs"  // pairs that nothing joins
)

// Direction is seen from a node or, across groups, from the first group.
type Direction string

// Directions of a set.
const (
	Inbound  Direction = "inbound"
	Outbound Direction = "outbound"
	Both     Direction = "both"
)

// Tally is how many pairs of those that were tried have the fault.
type Tally struct {
	Bad int `json:"bad"`
	Of  int `json:"of"`
}

// Set is a set of pairs that have the same fault.
type Set struct {
	Kind      Kind      `json:"kind"`
	Scope     Scope     `json:"scope"`
	Node      string    `json:"node,omitempty"`      // of [Node]
	Direction Direction `json:"direction,omitempty"` // of [Node] and [Across]
	// By is what tells the two groups of [Across] apart: "zone", "subnet", or "" if they are only
	// the nodes that reach each other. Groups names them, and From and To list their nodes.
	By     string    `json:"by,omitempty"`
	Groups [2]string `json:"groups,omitzero"`
	From   []string  `json:"from,omitempty"`
	To     []string  `json:"to,omitempty"`
	// In and Out count the pairs of a node in each direction, or across groups those into the
	// first group and those out of it. Otherwise, Out counts all pairs.
	In  Tally `json:"in,omitzero"`
	Out Tally `json:"out,omitzero"`
	// Pairs lists the pairs of the set.
	Pairs []results.Pair `json:"pairs"`
	// Least and Most are the bounds of what was measured of these pairs, and Usual is what most
	// pairs of the survey have: packets that arrived ([Lossy], with Usual those that were sent)
	// or bytes ([Small]).
	Least int `json:"least,omitempty"`
	Most  int `json:"most,omitempty"`
	Usual int `json:"usual,omitempty"`
	// Cause is the error that most pairs of the set have, if any has one.
	Cause words.Text `json:"cause,omitzero"`
	// Underlay says that the nodes' own network has the same fault.
	Underlay bool `json:"underlay,omitempty"`
}

// Same reports whether another survey's set is about the same fault in the same place.
func (s *Set) Same(o *Set) bool {
	return s.Kind == o.Kind && s.Scope == o.Scope && s.Node == o.Node && (s.Direction == o.Direction || o.Direction == Both) &&
		s.By == o.By && slices.Equal(s.From, o.From) && slices.Equal(s.To, o.To) && (s.Scope != Pairs || slices.Equal(s.Pairs, o.Pairs))
}

// Find returns the sets of pairs with a fault: those about whole groups of nodes first,
// then those about one node, then single pairs.
func Find(s *results.Survey) []Set {
	g := newGrid(s)
	var all []Set
	for _, k := range Kinds {
		all = append(all, g.find(k)...)
	}
	return all
}

// grid holds a survey's pairs by the indices of their nodes.
type grid struct {
	nodes []results.SurveyNode
	pair  [][]*results.SurveyPair // nil where nothing was tried
	usual int                     // largest packet of most pairs, 0 if not known
}

func newGrid(s *results.Survey) *grid {
	g := &grid{nodes: s.Nodes, pair: make([][]*results.SurveyPair, len(s.Nodes)), usual: UsualSize(s)}
	index := map[string]int{}
	for i, n := range s.Nodes {
		index[n.Name] = i
		g.pair[i] = make([]*results.SurveyPair, len(s.Nodes))
	}
	for i := range s.Pairs {
		p := &s.Pairs[i]
		from, known := index[p.From]
		to, also := index[p.To]
		if known && also && from != to && !sameAddress(s.Nodes[from], s.Nodes[to]) {
			g.pair[from][to] = p
		}
	}
	return g
}

// UsualSize returns the size of the largest packet of most pairs in bytes, of two that are as
// frequent the larger, and 0 if it is not known.
func UsualSize(s *results.Survey) int {
	sizes := map[int]int{}
	for _, p := range s.Pairs {
		if p.Largest > 0 {
			sizes[p.Largest]++
		}
	}
	usual := 0
	for size, n := range sizes {
		if n > sizes[usual] || n == sizes[usual] && size > usual {
			usual = size
		}
	}
	return usual
}

// sameAddress reports whether two nodes' pods have the same address, so that each sends to
// itself what it sends to the other.
func sameAddress(a, b results.SurveyNode) bool { return a.Pod != "" && a.Pod == b.Pod }

// has reports whether a pair was tried in a way that could show the fault, and whether it
// has it.
func (g *grid) has(p *results.SurveyPair, k Kind) (tried, bad bool) {
	if p == nil {
		return false, false
	}
	failed := !p.Problem.Empty()
	switch k {
	case Unmeasured:
		return true, failed
	case Unreached:
		return !failed, p.Arrived == 0
	case Lossy:
		return !failed && p.Arrived > 0, p.Sent-p.Arrived >= leastLost
	case Translated:
		return !failed && p.Arrived > 0, p.Source == results.SourceSNAT
	}
	return !failed && p.Largest > 0, p.Largest < g.usual
}

// search is the search for the sets of one kind of fault.
type search struct {
	*grid
	kind Kind
	// tried and bad are indexed by the sender and the receiver. A pair that a set has
	// explained is in neither any more.
	tried, bad [][]bool
}

func (g *grid) find(k Kind) []Set {
	s := &search{grid: g, kind: k, tried: make([][]bool, len(g.nodes)), bad: make([][]bool, len(g.nodes))}
	found := Tally{}
	for i := range g.nodes {
		s.tried[i], s.bad[i] = make([]bool, len(g.nodes)), make([]bool, len(g.nodes))
		for j := range g.nodes {
			tried, bad := g.has(g.pair[i][j], k)
			s.tried[i][j], s.bad[i][j] = tried, tried && bad
			found.add(tried, tried && bad)
		}
	}
	if found.Bad == 0 {
		return nil
	}
	if most(found) && found.Of > 2 {
		return []Set{s.take(Set{Scope: All}, func(int, int) bool { return true })}
	}
	all := append(s.groups(), s.lines()...)
	if rest := s.take(Set{Scope: Pairs}, func(int, int) bool { return true }); len(rest.Pairs) > 0 {
		all = append(all, rest)
	}
	return all
}

func (t *Tally) add(tried, bad bool) {
	if tried {
		t.Of++
	}
	if bad {
		t.Bad++
	}
}

// most reports whether so many pairs have the fault that it is one of all of them.
func most(t Tally) bool { return t.Bad > 0 && 10*t.Bad >= 9*t.Of }

// take moves the pairs that belong to a set, as in says, from the search into the set.
func (s *search) take(set Set, in func(from, to int) bool) Set {
	set.Kind = s.kind
	causes := map[string]int{}
	var likeliest string
	for i := range s.nodes {
		for j := range s.nodes {
			if !s.tried[i][j] || !in(i, j) {
				continue
			}
			if set.Scope == All || set.Scope == Pairs {
				set.Out.add(true, s.bad[i][j])
			}
			if s.bad[i][j] {
				p := s.pair[i][j]
				set.Pairs = append(set.Pairs, results.Pair{From: p.From, To: p.To})
				set.measure(p, s.usual)
				if cause := causeOf(p); !cause.Empty() {
					text := cause.String()
					if causes[text]++; causes[text] > causes[likeliest] {
						likeliest, set.Cause = text, cause
					}
				}
			}
			s.tried[i][j], s.bad[i][j] = false, false
		}
	}
	return set
}

// measure widens the bounds of what was measured.
func (s *Set) measure(p *results.SurveyPair, usual int) {
	value := 0
	switch s.Kind {
	case Lossy:
		value, s.Usual = p.Arrived, p.Sent
	case Small:
		value, s.Usual = p.Largest, usual
	default:
		return
	}
	if s.Most == 0 {
		s.Least = value
	}
	s.Least, s.Most = min(s.Least, value), max(s.Most, value)
}

// causeOf returns the error of a pair, if it has one.
func causeOf(p *results.SurveyPair) words.Text {
	switch {
	case !p.Problem.Empty():
		return p.Problem
	case p.Refused != "":
		return words.SendingRefused.With(p.Refused)
	}
	return words.Text{}
}
