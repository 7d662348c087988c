package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestMeanOverPairsCovers checks that the interval of the mean covers it, and that of the
// next pair that pair, where senders, receivers and pairs differ.
func TestMeanOverPairsCovers(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	const times, nodes, truth = 600, 16, -0.05
	mean, next := 0, 0
	for range times {
		sender, receiver := make([]float64, nodes), make([]float64, nodes)
		for i := range nodes {
			sender[i], receiver[i] = 0.02*random.NormFloat64(), 0.02*random.NormFloat64()
		}
		draw := func(i, j int) PairRatio {
			return PairRatio{i, j, truth + sender[i] + receiver[j] + 0.03*random.NormFloat64()}
		}
		var pairs []PairRatio
		for i := range nodes {
			for d := range 4 {
				pairs = append(pairs, draw(i, (i+d+1)%nodes), draw((i+d+1)%nodes, i))
			}
		}
		o := MeanOverPairs(pairs)
		if o.CI[0] <= math.Exp(truth) && math.Exp(truth) <= o.CI[1] {
			mean++
		}
		another := truth + 0.02*random.NormFloat64() + 0.02*random.NormFloat64() + 0.03*random.NormFloat64()
		if o.Next[0] <= math.Exp(another) && math.Exp(another) <= o.Next[1] {
			next++
		}
	}
	for name, covered := range map[string]int{"mean": mean, "next pair": next} {
		if share := float64(covered) / times; share < 0.92 || share > 0.99 {
			t.Errorf("the interval of the %s covers it in %.3f", name, share)
		}
	}
}

func TestMeanOverFewPairs(t *testing.T) {
	if o := MeanOverPairs(nil); o.N != 0 || !math.IsNaN(o.Ratio) || o.CI != nil || o.Next != nil {
		t.Errorf("none: %+v", o)
	}
	if o := MeanOverPairs([]PairRatio{{0, 1, math.Log(0.5)}}); o.Ratio != 0.5 || o.Below != 1 || o.CI != nil || o.Next != nil {
		t.Errorf("one: %+v", o)
	}
}

// TestProducts compares the sums with their definition.
func TestProducts(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 9))
	var pairs []PairRatio
	for range 60 {
		if a, b := random.IntN(7), random.IntN(7); a != b {
			pairs = append(pairs, PairRatio{a, b, random.NormFloat64()})
		}
	}
	const mean = 0.1
	want := 0.0
	for i, a := range pairs {
		for j, b := range pairs {
			if i == j || a.From == b.From || a.From == b.To || a.To == b.From || a.To == b.To {
				want += (a.Log - mean) * (b.Log - mean)
			}
		}
	}
	if _, got := productsOf(pairs, mean); math.Abs(got-want) > 1e-9 {
		t.Errorf("%v, want %v", got, want)
	}
}
