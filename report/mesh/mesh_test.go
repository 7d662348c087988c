package mesh

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// surveyOf returns a survey of n nodes, in two zones of which one has a third of them, with
// whatever change makes of a pair that works.
func surveyOf(n int, change func(from, to int, p *results.SurveyPair)) *results.Survey {
	s := &results.Survey{}
	for i := range n {
		zone := "a"
		if i%3 == 2 {
			zone = "b"
		}
		s.Nodes = append(s.Nodes, results.SurveyNode{Name: name(i), Zone: zone, Subnet: "10.0.0.0/24", Pod: fmt.Sprintf("10.1.%d.2", i), Range: fmt.Sprintf("10.1.%d.0/24", i)})
	}
	for i := range n {
		for j := range n {
			if i != j {
				p := results.SurveyPair{From: name(i), To: name(j), Sent: 20, Arrived: 20, Answered: 20, Source: results.SourceKept, RTT: 1e-4, Interface: 1450, Largest: 1450}
				change(i, j, &p)
				s.Pairs = append(s.Pairs, p)
			}
		}
	}
	return s
}

func name(i int) string { return fmt.Sprintf("node%d", i+1) }

func closed(p *results.SurveyPair) {
	p.Arrived, p.Answered, p.Source, p.RTT, p.Largest = 0, 0, "", 0, 0
}

// outline says what a set is, without its pairs.
func outline(s Set) string {
	switch s.Scope {
	case Node:
		return fmt.Sprintf("%s %s %s in %d/%d out %d/%d", s.Kind, s.Node, s.Direction, s.In.Bad, s.In.Of, s.Out.Bad, s.Out.Of)
	case Across:
		return fmt.Sprintf("%s %s %s-%s %s in %d/%d out %d/%d", s.Kind, s.By, s.Groups[0], s.Groups[1], s.Direction, s.In.Bad, s.In.Of, s.Out.Bad, s.Out.Of)
	}
	return fmt.Sprintf("%s %s %d/%d", s.Kind, s.Scope, s.Out.Bad, s.Out.Of)
}

func TestFind(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	type change = func(from, to int, p *results.SurveyPair)
	for _, tt := range []struct {
		name   string
		nodes  int
		change change
		want   []string
	}{
		{"nothing", 16, func(int, int, *results.SurveyPair) {}, nil},
		{"one node inbound", 16, func(from, to int, p *results.SurveyPair) {
			if to == 6 {
				closed(p)
			}
		}, []string{"unreached node7 inbound in 15/15 out 0/15"}},
		{"one node outbound, among three", 3, func(from, to int, p *results.SurveyPair) {
			if from == 1 {
				closed(p)
			}
		}, []string{"unreached node2 outbound in 0/2 out 2/2"}},
		{"one node both ways", 16, func(from, to int, p *results.SurveyPair) {
			if to == 6 || from == 6 {
				closed(p)
			}
		}, []string{"unreached node7 both in 15/15 out 15/15"}},
		{"two nodes with two faults", 8, func(from, to int, p *results.SurveyPair) {
			if to == 2 {
				closed(p)
			} else if from == 5 || to == 5 {
				p.Largest = 1350
			}
		}, []string{"unreached node3 inbound in 7/7 out 0/7", "small node6 both in 7/7 out 6/6"}},
		{"two nodes with one fault", 16, func(from, to int, p *results.SurveyPair) {
			if to == 2 || to == 9 {
				closed(p)
			}
		}, []string{"unreached node3 inbound in 15/15 out 1/15", "unreached node10 inbound in 15/15 out 0/14"}},
		{"a fifth lost, not seen in every pair", 16, func(from, to int, p *results.SurveyPair) {
			if to == 4 && from != 7 && from != 8 {
				p.Arrived = 14 + from%4
			}
		}, []string{"lossy node5 inbound in 13/15 out 0/15"}},
		{"single packets lost", 16, func(from, to int, p *results.SurveyPair) { p.Arrived -= random.IntN(2) }, nil},
		{"all pairs across the zones", 9, func(from, to int, p *results.SurveyPair) {
			if (from%3 == 2) != (to%3 == 2) {
				closed(p)
			}
		}, []string{"unreached zone a-b both in 18/18 out 18/18"}},
		{"from one zone to the other only", 9, func(from, to int, p *results.SurveyPair) {
			if from%3 == 2 && to%3 != 2 {
				closed(p)
			}
		}, []string{"unreached zone a-b inbound in 18/18 out 0/18"}},
		{"two halves that nothing else tells apart", 8, func(from, to int, p *results.SurveyPair) {
			if (from < 4) != (to < 4) {
				closed(p)
			}
		}, []string{"unreached  - both in 16/16 out 16/16"}},
		{"all pairs", 5, func(from, to int, p *results.SurveyPair) { p.Source = results.SourceSNAT }, []string{"translated all 20/20"}},
		{"exactly two pairs", 16, func(from, to int, p *results.SurveyPair) {
			if from == 1 && to == 2 || from == 8 && to == 3 {
				closed(p)
			}
		}, []string{"unreached pairs 2/240"}},
		{"a worker that fails", 8, func(from, to int, p *results.SurveyPair) {
			if to == 4 || from == 4 {
				*p = results.SurveyPair{From: p.From, To: p.To, Problem: words.Quote("the stream ended")}
			}
		}, []string{"unmeasured node5 both in 7/7 out 7/7"}},
		{"two nodes", 2, func(from, to int, p *results.SurveyPair) {
			if to == 1 {
				closed(p)
			}
		}, []string{"unreached pairs 1/2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := surveyOf(tt.nodes, tt.change)
			random.Shuffle(len(s.Pairs), func(i, j int) { s.Pairs[i], s.Pairs[j] = s.Pairs[j], s.Pairs[i] })
			var got []string
			for _, set := range Find(s) {
				got = append(got, outline(set))
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("found %q, want %q", got, tt.want)
			}
		})
	}
}

// TestEveryPairOnce checks that the sets of a kind hold each pair with that fault exactly
// once, whatever pairs have it.
func TestEveryPairOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		share, bad := random.Float64(), map[results.Pair]bool{}
		s := surveyOf(2+random.IntN(12), func(from, to int, p *results.SurveyPair) {
			if random.Float64() < share {
				closed(p)
				bad[results.Pair{From: p.From, To: p.To}] = true
			}
		})
		held := 0
		for _, set := range Find(s) {
			held += len(set.Pairs)
			for _, p := range set.Pairs {
				if !bad[p] {
					t.Errorf("%v is twice in a set, or has no fault", p)
				}
				delete(bad, p)
			}
		}
		if len(bad) > 0 {
			t.Errorf("%d pairs are in no set", len(bad))
		}
	}
}

func TestAddresses(t *testing.T) {
	s := &results.Survey{Nodes: []results.SurveyNode{
		{Name: "a", Pod: "10.1.0.2", Range: "10.1.0.0/24"}, {Name: "b", Pod: "10.1.0.2", Range: "10.1.1.0/24", Assigned: "10.1.1.2"},
		{Name: "c", Pod: "fd00::2", Range: "fd00::/64"}, {Name: "d"}, {Name: "e", Pod: "not an address", Range: "10.1.0.0/24"},
	}}
	var got []string
	for _, a := range Addresses(s) {
		got = append(got, fmt.Sprintf("%s %s %v %s", a.Kind, a.Pod, a.Nodes, a.Expected))
	}
	want := []string{"duplicate 10.1.0.2 [a b] ", "unassigned 10.1.0.2 [b] 10.1.1.2", "range 10.1.0.2 [b] 10.1.1.0/24"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
