package stats

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestFindDrift(t *testing.T) {
	for _, c := range []struct {
		name      string
		x         []float64
		p, within float64
		change    float64
	}{
		// Tuna: the panel's score in the order of Hunter's lightness (Hollander and Wolfe, 1973,
		// p. 187; the example of R's cor.test): T = 26, p = 0.1194.
		{"Hollander and Wolfe, tuna", []float64{2.5, 4.0, 2.6, 3.6, 2.8, 3.1, 5.2, 5.0, 3.8}, 0.1194, 5e-5, math.NaN()},
		{"steady rise: 2/6!", []float64{1, 2, 3, 4, 5, 6}, 2.0 / 720, 1e-12, 5},
		{"steady fall", []float64{6, 5, 4, 3, 2, 1}, 2.0 / 720, 1e-12, -5},
		{"all equal", []float64{3, 3, 3, 3, 3, 3, 3}, 1, 0, 0},
		{"too few", []float64{1, 2, 3}, 1, 0, 0},
		{"one burst is no drift", []float64{1, 2, 1.5, 90, 1.2, 1.9, 1.1, 1.7}, 1, 0.3, math.NaN()},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := FindDrift(c.x)
			if !near(d.P, c.p, c.within) || !math.IsNaN(c.change) && !near(d.Change, c.change, 1e-9) {
				t.Errorf("got %+v", d)
			}
		})
	}
}

func TestFindEcho(t *testing.T) {
	// Tourists in Portugal, 1970 to 1982 (Gibbons and Chakraborti, Nonparametric Statistical
	// Inference, 4th ed., 2003, section 3.5; the example of R's randtests::bartels.rank.test).
	// The standardised statistic is −3.6453.
	tourists := []float64{12362, 12739, 13057, 13955, 14123, 15698, 17523, 18610, 19842, 20310, 22500, 23080, 21916}
	if e := FindEcho(tourists); !near(e.P, 0.5*math.Erfc(3.6453/math.Sqrt2), 1e-6) || e.Lag1 < 0.6 {
		t.Errorf("tourists: %+v", e)
	}
	if e := FindEcho([]float64{1, 9, 2, 8, 3, 7, 4, 6}); e.P < 0.9 || e.Lag1 > 0 {
		t.Errorf("to and fro: %+v", e)
	}
	for name, x := range map[string][]float64{"all equal": {1, 1, 1, 1, 1, 1, 1}, "too few": {1, 2}} {
		if e := FindEcho(x); e.P != 1 {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestWarmUp(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	noise := func(n int, level float64) []float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = level + rng.NormFloat64()
		}
		return x
	}
	for _, c := range []struct {
		name string
		x    []float64
		want int
	}{
		{"nothing", nil, 0},
		{"too few to tell", []float64{9, 9, 1, 1.1, 1.2, 1.3}, 0},
		{"all equal", make([]float64, 30), 0},
		{"none", noise(30, 0), 0},
		{"five of thirty", append(noise(5, 8), noise(25, 0)...), 5},
		{"a change in the middle is no warm-up", append(noise(15, 0), noise(15, 0)...), 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := WarmUp(c.x); got != c.want {
				t.Errorf("%d blocks, want %d", got, c.want)
			}
		})
	}
	found := 0
	for range 2000 {
		if WarmUp(noise(30, 0)) > 0 {
			found++
		}
	}
	if found > 30 { // 20 plus two standard errors
		t.Errorf("a warm-up in %d of 2000 draws that have none", found)
	}
}

// mannWhitneyP returns the p-value of one sample against another.
func mannWhitneyP(x, y []float64) float64 {
	return ranked(slices.Concat(x, y)).mannWhitneyP(len(x))
}

// Permeability of the chorioamnion (Hollander and Wolfe, 1973, p. 69; the example of R's
// wilcox.test(x, y)). SAS NPAR1WAY gives the exact p-value as 0.2544.
func TestMannWhitney(t *testing.T) {
	x := []float64{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46}
	y := []float64{1.15, 0.88, 0.90, 0.74, 1.21}
	if p := mannWhitneyP(x, y); !near(p, 0.2544, 5e-5) {
		t.Errorf("p = %v", p)
	}
}

// TestMannWhitneyByBruteForce compares exact p-values with the share among all ways to divide the
// values, with and without ties.
func TestMannWhitneyByBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 300 {
		x := make([]float64, 2+rng.IntN(9))
		levels := 1 + rng.IntN(12) // few levels mean many ties
		for i := range x {
			x[i] = float64(rng.IntN(levels))
		}
		first := 1 + rng.IntN(len(x)-1)
		ranks := ranked(x).ranks
		distance := func(chosen uint) int {
			sum := -first * (len(x) + 1)
			for i, r := range ranks {
				if chosen>>i&1 == 1 {
					sum += r
				}
			}
			return max(sum, -sum)
		}
		seen := distance(1<<first - 1)
		far, all := 0, 0
		for chosen := uint(0); chosen < 1<<len(x); chosen++ {
			if bits.OnesCount(chosen) != first {
				continue
			}
			all++
			if distance(chosen) >= seen {
				far++
			}
		}
		if p, want := mannWhitneyP(x[:first], x[first:]), float64(far)/float64(all); !near(p, want, 1e-12) {
			t.Fatalf("%v against %v: p = %v, want %v", x[:first], x[first:], p, want)
		}
	}
}

// TestMannWhitneyApproximation compares the p-values on either side of the limit up to which they
// are exact.
func TestMannWhitneyApproximation(t *testing.T) {
	p := func(n int) float64 {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(i % (n/2 + n/8)) // the second half is higher, with ties
		}
		return mannWhitneyP(x[:n/2], x[n/2:])
	}
	if exact, normal := p(exactPool), p(exactPool+2); !near(exact, normal, 0.05) {
		t.Errorf("%v for %d values, %v for two more", exact, exactPool, normal)
	}
}
