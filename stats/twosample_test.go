package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Permeability of the human chorioamnion (Hollander and Wolfe, table 4.1). R: wilcox.test(x, y,
// conf.int = TRUE) gives 0.305 in [-0.15, 0.76] and p = 0.2544.
func TestShift(t *testing.T) {
	x := []float64{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46}
	y := []float64{1.15, 0.88, 0.90, 0.74, 1.21}
	estimate, ci := shift(x, y)
	if math.Abs(estimate-0.305) > 1e-9 || ci == nil || math.Abs(ci.Low+0.15) > 1e-9 || math.Abs(ci.High-0.76) > 1e-9 {
		t.Errorf("%v in %v", estimate, ci)
	}
}

// R: qwilcox(0.025, m, n).
func TestMannWhitneyRank(t *testing.T) {
	for sizes, want := range map[[2]int]int{{3, 3}: 0, {4, 4}: 1, {5, 5}: 3, {6, 6}: 6, {10, 5}: 9, {10, 10}: 24, {20, 20}: 128} {
		if got := mannWhitneyRank(sizes[0], sizes[1]); got != want {
			t.Errorf("%v: rank %d, want %d", sizes, got, want)
		}
	}
	if got, exact := mannWhitneyRank(101, 100), mannWhitneyRank(100, 100); got < exact || got > exact+100 {
		t.Errorf("the normal approximation gives %d beside %d", got, exact)
	}
}

func TestIndependentVerdicts(t *testing.T) {
	noisy := func(median, noise float64) []float64 {
		rng := rand.New(rand.NewPCG(3, 4))
		all := make([]float64, 12)
		for i := range all {
			all[i] = median * math.Exp(noise*rng.NormFloat64())
		}
		return all
	}
	for _, c := range []struct {
		name   string
		a, b   []float64
		higher bool
		want   Verdict
	}{
		{"higher goodput", noisy(2, 0.01), noisy(1, 0.01), true, Faster},
		{"higher latency", noisy(2, 0.01), noisy(1, 0.01), false, Slower},
		{"within the margin", noisy(1.01, 0.001), noisy(1, 0.001), true, Equivalent},
		{"noise", noisy(1.02, 0.3), noisy(1, 0.3), true, Inconclusive},
		{"too few", []float64{2, 2, 2}, []float64{1, 1, 1}, true, Inconclusive},
		{"zeros have no ratio", []float64{0, 1, 1, 1, 1, 1}, noisy(1, 0), true, Inconclusive},
		{"nothing", nil, nil, true, Inconclusive},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := JudgeIndependent([]Ratio{Independent(c.a, c.b)}, c.higher, 0.03)[0]
			if got.Verdict != c.want {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestIndependentCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	const draws = 2000
	hits := 0
	for range draws {
		a, b := make([]float64, 8), make([]float64, 9)
		for i := range a {
			a[i] = 1.2 * math.Exp(rng.ExpFloat64())
		}
		for i := range b {
			b[i] = math.Exp(rng.ExpFloat64())
		}
		if Independent(a, b).CI.Contains(1.2) {
			hits++
		}
	}
	if c := float64(hits) / draws; c < Confidence-3*math.Sqrt(0.05*0.95/draws) {
		t.Errorf("the interval covers in %.1f %% of the draws", 100*c)
	}
}

// TestThroughCommon compares two figures that share no blocks through a third whose level moves
// from block to block.
func TestThroughCommon(t *testing.T) {
	for _, c := range []struct {
		name         string
		a, b         float64 // relative to the third
		noise        float64 // of each on its own
		blocks       int     // of each
		higher       bool
		want         Verdict
		wantInMargin bool
	}{
		{"higher goodput", 0.9, 0.7, 0.01, 8, true, Faster, false},
		{"higher latency", 1.4, 1.1, 0.01, 8, false, Slower, false},
		{"within the margin", 0.9, 0.905, 0.002, 8, true, Equivalent, true},
		{"noise", 0.9, 0.88, 0.3, 8, true, Inconclusive, false},
		{"too few", 0.9, 0.5, 0.01, 3, true, Inconclusive, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(5, 6))
			third, a, b := map[int]float64{}, map[int]float64{}, map[int]float64{}
			for block := range 2 * c.blocks {
				third[block] = math.Exp(rng.NormFloat64()) // slowdown of the machine, by a factor of e and more
				if block < c.blocks {
					a[block] = c.a * third[block] * math.Exp(c.noise*rng.NormFloat64())
					continue
				}
				b[block] = c.b * third[block] * math.Exp(c.noise*rng.NormFloat64())
			}
			family := []Ratio{ThroughCommon(a, b, third), Paired(a, third), Paired(b, third)}
			got := Judge(family, c.higher, 0.03)[0]
			if got.Verdict != c.want || (got.PMarginAdjusted <= Level) != c.wantInMargin {
				t.Errorf("%+v", got)
			}
		})
	}
}
