package mesh

import (
	"cmp"
	"slices"
)

// group is a part of the nodes.
type group struct {
	name  string
	nodes []int
}

// leastGroup is how many nodes a group must have: of one node, the set about that node
// says more.
const leastGroup = 2

// groups takes the sets of pairs between two groups of nodes: zones, subnets, and nodes
// that reach only each other.
func (s *search) groups() []Set {
	var all []Set
	for _, by := range []struct {
		name string
		of   []group
	}{
		{"zone", s.divide(func(i int) string { return s.nodes[i].Zone })},
		{"subnet", s.divide(func(i int) string { return s.nodes[i].Subnet })},
		{"", s.islands()},
	} {
		for i, a := range by.of {
			for _, b := range by.of[i+1:] {
				if len(a.nodes) >= leastGroup && len(b.nodes) >= leastGroup {
					all = append(all, s.across(by.name, a, b)...)
				}
			}
		}
	}
	return all
}

// divide groups the nodes by a property, in the order of its values. Nodes without it are
// left out.
func (s *search) divide(by func(i int) string) []group {
	var all []group
	for i := range s.nodes {
		name := by(i)
		if name == "" {
			continue
		}
		at := slices.IndexFunc(all, func(g group) bool { return g.name == name })
		if at < 0 {
			at, all = len(all), append(all, group{name: name})
		}
		all[at].nodes = append(all[at].nodes, i)
	}
	slices.SortFunc(all, func(a, b group) int { return cmp.Compare(a.name, b.name) })
	return all
}

// islands returns the groups of nodes that are connected by pairs without the fault.
func (s *search) islands() []group {
	var all []group
	seen := make([]bool, len(s.nodes))
	good := func(i, j int) bool { return s.tried[i][j] && !s.bad[i][j] || s.tried[j][i] && !s.bad[j][i] }
	for first := range s.nodes {
		if seen[first] {
			continue
		}
		seen[first] = true
		island := group{nodes: []int{first}}
		for at := 0; at < len(island.nodes); at++ {
			for other := range s.nodes {
				if !seen[other] && good(island.nodes[at], other) {
					seen[other] = true
					island.nodes = append(island.nodes, other)
				}
			}
		}
		slices.Sort(island.nodes)
		all = append(all, island)
	}
	return all
}

// across takes the set of the pairs between two groups if nearly all of one direction or
// of both have the fault.
func (s *search) across(by string, a, b group) []Set {
	out, in := s.tally(a.nodes, b.nodes), s.tally(b.nodes, a.nodes)
	there, back := most(out) && s.several(a.nodes, b.nodes), most(in) && s.several(b.nodes, a.nodes)
	direction := Both
	switch {
	case there && back:
	case there:
		direction = Outbound
	case back:
		direction = Inbound
	default:
		return nil
	}
	set := Set{Scope: Across, By: by, Groups: [2]string{a.name, b.name}, Direction: direction, In: in, Out: out}
	for _, i := range a.nodes {
		set.From = append(set.From, s.nodes[i].Name)
	}
	for _, i := range b.nodes {
		set.To = append(set.To, s.nodes[i].Name)
	}
	return []Set{s.take(set, func(from, to int) bool {
		there := slices.Contains(a.nodes, from) && slices.Contains(b.nodes, to)
		back := slices.Contains(b.nodes, from) && slices.Contains(a.nodes, to)
		return there && direction != Inbound || back && direction != Outbound
	})}
}

// several reports whether the pairs with the fault from one group to another are of
// several nodes of each.
func (s *search) several(from, to []int) bool {
	senders, receivers := map[int]bool{}, map[int]bool{}
	for _, i := range from {
		for _, j := range to {
			if s.bad[i][j] {
				senders[i], receivers[j] = true, true
			}
		}
	}
	return len(senders) >= leastGroup && len(receivers) >= leastGroup
}

func (s *search) tally(from, to []int) Tally {
	var t Tally
	for _, i := range from {
		for _, j := range to {
			t.add(s.tried[i][j], s.bad[i][j])
		}
	}
	return t
}

// leastLine is how many partners of a node must have the fault before it is said of the
// node: with one partner, it may as well be the partner's.
const leastLine = 2

// mostLines bounds the sets about one node: what is wrong with more nodes is not said of
// each.
const mostLines = 64

// lines takes the sets of pairs of one node, the node with the most pairs first, until
// the fault of no node has at least half of its pairs in a direction.
func (s *search) lines() []Set {
	everyone := make([]int, len(s.nodes))
	for i := range everyone {
		everyone[i] = i
	}
	var all []Set
	for len(all) < mostLines {
		best, at := Tally{}, -1
		var in, out Tally
		for i := range s.nodes {
			into, from := s.tally(everyone, []int{i}), s.tally([]int{i}, everyone)
			if line := larger(into, from); line.Bad > best.Bad {
				best, at, in, out = line, i, into, from
			}
		}
		if at < 0 {
			return all
		}
		set := Set{Scope: Node, Node: s.nodes[at].Name, Direction: Both, In: in, Out: out}
		switch {
		case half(in) && half(out):
		case half(in):
			set.Direction = Inbound
		default:
			set.Direction = Outbound
		}
		all = append(all, s.take(set, func(from, to int) bool {
			return from == at && set.Direction != Inbound || to == at && set.Direction != Outbound
		}))
	}
	return all
}

// half reports whether so many pairs of a node have the fault that it is said of the
// node.
func half(t Tally) bool { return t.Bad >= leastLine && 2*t.Bad >= t.Of }

// larger returns the direction with more faults of those that are said of the node.
func larger(in, out Tally) Tally {
	switch {
	case half(in) && (!half(out) || in.Bad >= out.Bad):
		return in
	case half(out):
		return out
	}
	return Tally{}
}
