package facts

import (
	"fmt"

	"github.com/cnibench/cnibench/report/mesh"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/words"
)

// SurveyTexts says what a survey found: nodes that took no part, wrong addresses, and the
// sets of pairs with a fault, those about nodes and groups of nodes first.
func SurveyTexts(s *model.Survey) []words.Text {
	var all []words.Text
	for _, n := range s.All.Nodes {
		if !n.Problem.Empty() && !n.LeftOut {
			all = append(all, words.SurveyNodeOut.With(n.Name, n.Problem))
		}
	}
	for i := range s.Addresses {
		all = append(all, AddressText(&s.Addresses[i]))
	}
	for i := range s.Sets {
		all = append(all, SetText(&s.Sets[i]))
	}
	return all
}

// AddressText says what is wrong with the address of a pod.
func AddressText(a *mesh.Address) words.Text {
	nodes := words.AndNames(a.Nodes)
	switch a.Kind {
	case mesh.Duplicate:
		return words.AddressTwice.With(nodes, a.Pod)
	case mesh.OutOfRange:
		return words.AddressOutOfRange.With(nodes, a.Pod, a.Expected)
	}
	return words.AddressNotGiven.With(nodes, a.Pod, a.Expected)
}

// SetText says which pairs have a fault, and which it is.
func SetText(s *mesh.Set) words.Text {
	fault := faultText(s)
	var rest words.Text
	switch s.Scope {
	case mesh.All:
		fault = words.Of(words.SetAll.With(count(s.Out.Bad), count(s.Out.Of)), fault)
	case mesh.Across:
		fault = words.Of(acrossText(s), fault)
	case mesh.Node:
		fault, rest = nodeText(s, fault)
	default:
		fault = words.Of(words.SetPairs.With(count(s.Out.Bad), count(s.Out.Of)), words.Of(fault, pairNames(s)))
	}
	if s.Underlay {
		rest = words.Clauses(rest, words.SurveyAlso)
	}
	return words.Clauses(words.Aside(fault, s.Cause), rest)
}

// faultText says what is wrong with the pairs of a set.
func faultText(s *mesh.Set) words.Text {
	between := fmt.Sprint(s.Least)
	if s.Most > s.Least {
		between = fmt.Sprintf("%d–%d", s.Least, s.Most)
	}
	switch s.Kind {
	case mesh.Unmeasured:
		return words.SetUnmeasured
	case mesh.Unreached:
		return words.SetUnreached
	case mesh.Lossy:
		return words.SetLossy.With(between, count(s.Usual))
	case mesh.Translated:
		return words.SetTranslated
	}
	return words.SetSmall.With(between, count(s.Usual))
}

// nodeText says in which direction a node has a fault, and how it is in the other.
func nodeText(s *mesh.Set, fault words.Text) (said, rest words.Text) {
	in := words.SetInbound.With(count(s.In.Bad), count(s.In.Of))
	out := words.SetOutbound.With(count(s.Out.Bad), count(s.Out.Of))
	which := words.And(in, out)
	switch s.Direction {
	case mesh.Inbound:
		which, rest = in, otherWay(s.Out, words.OutboundFine, words.OutboundSome)
	case mesh.Outbound:
		which, rest = out, otherWay(s.In, words.InboundFine, words.InboundSome)
	}
	return words.Of(words.Following(words.Quote(s.Node), which), fault), rest
}

func otherWay(t mesh.Tally, fine words.Text, some words.Message) words.Text {
	switch {
	case t.Of == 0:
		return words.Text{}
	case t.Bad == 0:
		return fine
	}
	return some.With(count(t.Bad), count(t.Of))
}

func acrossText(s *mesh.Set) words.Text {
	a, b := groupText(s, 0), groupText(s, 1)
	switch s.Direction {
	case mesh.Both:
		return words.SetAcrossBoth.With(count(s.In.Bad+s.Out.Bad), count(s.In.Of+s.Out.Of), a, b)
	case mesh.Inbound:
		return words.SetAcross.With(count(s.In.Bad), count(s.In.Of), b, a)
	}
	return words.SetAcross.With(count(s.Out.Bad), count(s.Out.Of), a, b)
}

func groupText(s *mesh.Set, i int) words.Text {
	switch s.By {
	case "zone":
		return words.GroupZone.With(s.Groups[i])
	case "subnet":
		return words.GroupSubnet.With(s.Groups[i])
	}
	nodes := [2][]string{s.From, s.To}[i]
	return words.GroupNodes.With(some(words.Quotes(nodes)))
}

// mostNamed is how many nodes or pairs a sentence names.
const mostNamed = 8

// some lists items, or the first ones and how many more there are.
func some(all []words.Text) words.Text {
	if len(all) <= mostNamed {
		return words.List(all...)
	}
	return words.List(append(all[:mostNamed:mostNamed], words.AndMore.With(len(all)-mostNamed))...)
}

func pairNames(s *mesh.Set) words.Text {
	var all []words.Text
	for _, p := range s.Pairs {
		all = append(all, words.Arrows(words.Quote(p.From), words.Quote(p.To)))
	}
	return some(all)
}

// SurveyCounts says how large a survey was, how many pairs are reached, and what most of
// them have.
func SurveyCounts(s *model.Survey) words.Text {
	all := []words.Text{words.SurveyCount.With(count(s.Nodes), count(s.Reached), count(s.Pairs))}
	if s.RTT > 0 {
		all = append(all, words.SurveyTrip.With(quantity.Format(s.RTT, "s")))
	}
	if s.Largest > 0 {
		all = append(all, words.SurveySize.With(count(s.Largest)))
	}
	var out []words.Text
	for _, n := range s.All.Nodes {
		if n.LeftOut {
			out = append(out, words.Aside(words.Quote(n.Name), n.Problem))
		}
	}
	if len(out) > 0 {
		all = append(all, words.SurveyLeftOut.With(some(out)))
	}
	return words.Clauses(all...)
}

func count(n int) string { return fmt.Sprint(n) }
