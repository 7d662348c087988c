package survey

import (
	"fmt"
	"testing"
)

// TestRounds checks that every two nodes meet exactly once, and that no node meets two in
// one round.
func TestRounds(t *testing.T) {
	for n := range 34 {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			met := map[[2]int]bool{}
			for _, round := range Rounds(n) {
				busy := map[int]bool{}
				for _, pair := range round {
					a, b := pair[0], pair[1]
					if a >= b || b >= n || met[pair] || busy[a] || busy[b] {
						t.Errorf("%v in %v", pair, round)
					}
					met[pair], busy[a], busy[b] = true, true, true
				}
			}
			if len(met) != n*(n-1)/2 {
				t.Errorf("%d pairs", len(met))
			}
		})
	}
}

// TestSchedule checks that in a large network every node meets several others, no two
// twice, and that all are connected.
func TestSchedule(t *testing.T) {
	for _, n := range []int{3, 200, 201, 500, 1001} {
		met, partnersOf := map[[2]int]bool{}, make([]int, n)
		group := make([]int, n) // number of the smallest node that each is connected to
		for i := range group {
			group[i] = i
		}
		for _, round := range schedule(n) {
			for _, pair := range round {
				if met[pair] {
					t.Errorf("%d nodes: %v meet twice", n, pair)
				}
				met[pair] = true
				partnersOf[pair[0]]++
				partnersOf[pair[1]]++
				from, to := max(group[pair[0]], group[pair[1]]), min(group[pair[0]], group[pair[1]])
				for i := range group {
					if group[i] == from {
						group[i] = to
					}
				}
			}
		}
		least := min(n-1, partners-1) // an odd number leaves one out in each round
		for i := range n {
			if partnersOf[i] < least || group[i] != 0 {
				t.Errorf("%d nodes: node %d meets %d, connected to %d", n, i, partnersOf[i], group[i])
			}
		}
	}
}
