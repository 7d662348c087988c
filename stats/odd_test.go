package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// streamsOf returns a design in which each of n nodes meets partners others both ways, in
// blocks, with noise and what of returns for a pair.
func streamsOf(n, partners int, random *rand.Rand, of func(from, to int) float64) []Stream {
	var all []Stream
	for block := range partners {
		for i := range n {
			j := (i + block + 1) % n
			all = append(all, Stream{i, j, block, of(i, j) + 0.04*random.NormFloat64() + 0.3*float64(block)})
			all = append(all, Stream{j, i, block, of(j, i) + 0.04*random.NormFloat64() + 0.3*float64(block)})
		}
	}
	return all
}

func TestSuspects(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   func(from, to int) float64
		want []Line
	}{
		{"one receiver", func(_, to int) float64 {
			if to == 3 {
				return math.Log(0.8)
			}
			return 0
		}, []Line{{3, true}}},
		{"one sender", func(from, _ int) float64 {
			if from == 5 {
				return math.Log(0.8)
			}
			return 0
		}, []Line{{5, false}}},
		{"two nodes, one both ways", func(from, to int) float64 {
			v := 0.0
			if to == 3 {
				v += math.Log(0.7)
			}
			if from == 5 {
				v += math.Log(0.6)
			}
			if from == 3 {
				v += math.Log(0.5)
			}
			return v
		}, []Line{{3, false}, {3, true}, {5, false}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			random := rand.New(rand.NewPCG(1, 2))
			got := Suspects(streamsOf(16, 8, random, tt.of), 16, 0.05, random)
			slices.SortFunc(got, func(a, b Line) int {
				if a.Node != b.Node {
					return a.Node - b.Node
				}
				if a.Receiver {
					return 1
				}
				return -1
			})
			if !slices.Equal(got, tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

// TestNoSuspects counts designs without an odd node in which any is suspected.
func TestNoSuspects(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	const times, level = 200, 0.05
	wrong := 0
	for range times {
		node := make([]float64, 16)
		for i := range node {
			node[i] = 0.015 * random.NormFloat64()
		}
		if len(Suspects(streamsOf(16, 8, random, func(from, to int) float64 { return node[from] + node[to] }), 16, level, random)) > 0 {
			wrong++
		}
	}
	if share := float64(wrong) / times; share > level+3*math.Sqrt(level*(1-level)/times) {
		t.Errorf("%d of %d", wrong, times)
	}
}

// TestFewStreams checks that designs that tell nothing suspect nobody.
func TestFewStreams(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 1))
	for _, streams := range [][]Stream{nil, {{0, 1, 0, 1}}, {{0, 1, 0, 1}, {1, 0, 0, 0.5}}} {
		if got := Suspects(streams, 3, 0.05, random); len(got) > 0 {
			t.Errorf("%v of %v", got, streams)
		}
	}
}
