package scenarios

import (
	"math/rand/v2"
	"testing"

	"github.com/cnibench/cnibench/stats"
)

func TestPartners(t *testing.T) {
	for _, tt := range []struct{ pairs, nodes, want int }{
		{64, 16, 8}, {1, 16, 3}, {65, 16, 9}, {1000, 16, 15}, {10, 5, 5}, {1000, 5, 5}, {1, 3, 3}, {5, 1, 0}, {5, 2, 1},
	} {
		if got := Partners(tt.pairs, tt.nodes); got != tt.want {
			t.Errorf("%d pairs of %d nodes: %d partners, want %d", tt.pairs, tt.nodes, got, tt.want)
		}
	}
}

// TestComparisons checks that a suspect is compared with nodes that are not suspected, over
// partners that it has not met, as far as there are any.
func TestComparisons(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	suspect := stats.Line{Node: 2, Receiver: true}
	suspects := []stats.Line{suspect, {Node: 7}}
	met := []stats.Stream{{From: 2, To: 0}, {From: 2, To: 1}, {From: 3, To: 4}}
	all := Comparisons(met, suspect, suspects, 16, 12, random)
	for i, c := range all {
		if c.Partner == c.Control || c.Partner == 2 || c.Control == 2 || c.Partner == 7 || c.Control == 7 {
			t.Errorf("%+v", c)
		}
		if known := c.Partner < 2; known != (i >= 12) {
			t.Errorf("comparison %d is with %d", i, c.Partner)
		}
	}
	if len(all) != 12 {
		t.Errorf("%d comparisons", len(all))
	}
	if few := Comparisons(met, suspect, suspects, 4, 12, random); len(few) != 12 {
		t.Errorf("of four nodes: %v", few)
	}
	if none := Comparisons(met, suspect, []stats.Line{suspect, {Node: 0}}, 3, 12, random); len(none) != 0 {
		t.Errorf("with one node to compare: %v", none)
	}
}
