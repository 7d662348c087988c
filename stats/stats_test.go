package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestSummarize(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		name    string
		samples []float64
		n       int
		median  float64
		ci      *Interval
		missing int
		dropped int
	}{
		{"nothing", nil, 0, nan, nil, 6, 0},
		{"one", []float64{3}, 1, 3, nil, 5, 0},
		{"five have no interval", []float64{5, 1, 4, 2, 3}, 5, 3, nil, 1, 0},
		{"six: from the least to the greatest", []float64{6, 5, 1, 4, 2, 3}, 6, 3.5, &Interval{1, 6}, 0, 0},
		{"all equal", []float64{2, 2, 2, 2, 2, 2}, 6, 2, &Interval{2, 2}, 0, 0},
		{"what is no number is left out and counted", []float64{nan, 6, 5, 1, inf, 4, 2, 3}, 6, 3.5, &Interval{1, 6}, 0, 2},
		{"damaged through and through", []float64{nan, inf}, 0, nan, nil, 6, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := Summarize(c.samples)
			if s.N != c.n || !same(s.Median, c.median) || s.Missing != c.missing || s.Dropped != c.dropped {
				t.Errorf("got %+v", s)
			}
			if (s.CI == nil) != (c.ci == nil) || s.CI != nil && *s.CI != *c.ci {
				t.Errorf("interval %v, want %v", s.CI, c.ci)
			}
		})
	}
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

// Ranks of the bounds of a median's interval (Conover, Practical Nonparametric Statistics, table
// A3, p = 0.5): the largest r with P(X ≤ r−1) ≤ 0.025.
func TestOrderStatistic(t *testing.T) {
	for n, want := range map[int]int{5: 0, 6: 1, 8: 1, 9: 2, 11: 2, 12: 3, 15: 4, 17: 5, 20: 6, 25: 8, 30: 10} {
		if got := orderStatistic(n); got != want {
			t.Errorf("n=%d: rank %d, want %d", n, got, want)
		}
	}
}

// Critical values of the signed-rank test at two-sided 0.05 (Hollander, Wolfe and Chicken, table
// A.4, and qsignrank(0.025, n) in R). The interval begins at the Walsh average of that rank (in
// R, qsignrank(0.025, n) for n = 6, 7, 8, 10, 12, 15, 20, 25 is 1, 3, 4, 9, 14, 26, 53, 90).
func TestSignedRank(t *testing.T) {
	for n, want := range map[int]int{5: 0, 6: 1, 7: 3, 8: 4, 10: 9, 12: 14, 15: 26, 20: 53, 25: 90} {
		if got := signedRank(n); got != want {
			t.Errorf("n=%d: rank %d, want %d", n, got, want)
		}
	}
}

func TestSignedRankDistribution(t *testing.T) {
	p := signedRankCDF(3) // 8 equally likely outcomes: sums 0 1 2 3 3 4 5 6
	for w, want := range []float64{1, 2, 3, 5, 6, 7, 8} {
		if math.Abs(p[w]-want/8) > 1e-15 {
			t.Errorf("P(W ≤ %d) = %v, want %v", w, p[w], want/8)
		}
	}
}

func TestPaired(t *testing.T) {
	base := map[int]float64{0: 10, 1: 20, 2: 5, 3: 40, 4: 10, 5: 80, 6: 10}
	scaled := map[int]float64{}
	for block, v := range base {
		scaled[block] = v * 0.9655
	}
	t.Run("a constant ratio is found whatever the blocks do", func(t *testing.T) {
		r := Paired(scaled, base)
		if r.N != 7 || math.Abs(r.Ratio-0.9655) > 1e-12 || r.CI == nil || math.Abs(r.CI.Low-r.CI.High) > 1e-12 {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("blocks that lack one of the two do not count", func(t *testing.T) {
		r := Paired(map[int]float64{0: 1, 1: 2, 9: 4}, map[int]float64{0: 1, 1: 1, 2: 1})
		if r.N != 2 || r.CI != nil {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("zeros, infinite and NaN give no ratio", func(t *testing.T) {
		r := Paired(map[int]float64{0: 0, 1: math.Inf(1), 2: math.NaN(), 3: -1, 4: 1}, map[int]float64{0: 1, 1: 1, 2: 1, 3: 1, 4: 0})
		if r.N != 0 || !math.IsNaN(r.Ratio) || r.CI != nil {
			t.Errorf("got %+v", r)
		}
	})
	t.Run("swapping the two inverts the ratio", func(t *testing.T) {
		a, b := Paired(scaled, base), Paired(base, scaled)
		if math.Abs(a.Ratio*b.Ratio-1) > 1e-12 || math.Abs(a.CI.Low*b.CI.High-1) > 1e-12 {
			t.Errorf("got %+v and %+v", a, b)
		}
	})
}

// Intervals must have at least their nominal coverage on skewed noise that drifts. The seed makes
// the draw reproducible.
func TestCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const draws, n = 3000, 10
	median, ratio := 0, 0
	for range draws {
		samples := make([]float64, n)
		a, b := map[int]float64{}, map[int]float64{}
		for i := range n {
			samples[i] = math.Exp(rng.NormFloat64()) // median 1
			drift := math.Exp(0.5 * float64(i) / n * rng.NormFloat64())
			a[i] = 1.1 * drift * math.Exp(0.1*rng.NormFloat64())
			b[i] = drift * math.Exp(0.1*rng.NormFloat64())
		}
		if Summarize(samples).CI.Contains(1) {
			median++
		}
		if Paired(a, b).CI.Contains(1.1) {
			ratio++
		}
	}
	for name, hits := range map[string]int{"median": median, "ratio": ratio} {
		// Allow three standard errors below 95 %.
		if c := float64(hits) / draws; c < Confidence-3*math.Sqrt(0.05*0.95/draws) {
			t.Errorf("the interval of the %s covers in %.1f %% of the draws", name, 100*c)
		}
	}
}
