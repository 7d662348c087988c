package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

// wandering returns n blocks of a ratio whose logarithm follows an autoregression with this
// correlation between neighbours.
func wandering(rng *rand.Rand, ratio, correlation, noise float64, n int) Ratio {
	a, b := map[int]float64{}, map[int]float64{}
	v := rng.NormFloat64()
	for i := range n {
		a[i], b[i] = ratio*math.Exp(noise*v), 1
		v = correlation*v + rng.NormFloat64()*math.Sqrt(1-correlation*correlation)
	}
	return Paired(a, b)
}

// An interval must cover its ratio whether blocks are independent or not, for one pair and for the
// pairs of a family of which one alone wanders.
func TestIntervalsCoverWanderingRatios(t *testing.T) {
	for _, c := range []struct {
		name        string
		correlation float64
		blocks      int
	}{
		{"independent blocks", 0, 12}, {"a correlation of 0.3", 0.3, 12}, {"of 0.6", 0.6, 12}, {"of 0.6, many blocks", 0.6, 60},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			const draws = 600
			alone, among := 0, 0
			for range draws {
				r := wandering(rng, 1.1, c.correlation, 0.03, c.blocks)
				if r.CI.Contains(1.1) {
					alone++
				}
				family := []Ratio{r, wandering(rng, 1, 0, 0.03, c.blocks), wandering(rng, 1, 0, 0.03, c.blocks)}
				if Together(family)[0].CI.Contains(1.1) {
					among++
				}
			}
			for name, hits := range map[string]int{"alone": alone, "among others": among} {
				if share := float64(hits) / draws; share < 0.95-3*math.Sqrt(0.05*0.95/draws) {
					t.Errorf("%s: covers in %.1f %% of the draws", name, 100*share)
				}
			}
		})
	}
}

func TestBetween(t *testing.T) {
	for _, c := range []struct {
		name   string
		a, b   Ratio
		apart  float64
		higher bool
		want   Verdict
	}{
		{"higher goodput", wobble(0.9, 0.01, 12), wobble(0.7, 0.01, 12), 0, true, Faster},
		{"higher latency", wobble(1.4, 0.01, 12), wobble(1.1, 0.01, 12), 0, false, Slower},
		{"within the margin", wobble(0.9, 0.004, 12), wobble(0.905, 0.004, 12), 0, true, Equivalent},
		{"noise", wobble(0.9, 0.3, 12), wobble(0.88, 0.3, 12), 0, true, Inconclusive},
		{"too few", wobble(0.9, 0.01, 3), wobble(0.5, 0.01, 3), 0, true, Inconclusive},
		{"a difference that deployments may have too", wobble(0.9, 0.01, 12), wobble(0.8, 0.01, 12), 0.05, true, Inconclusive},
		{"one that they may not", wobble(0.9, 0.01, 12), wobble(0.5, 0.01, 12), 0.05, true, Faster},
		{"a side without a ratio", wobble(0.9, 0.01, 12), Paired(nil, nil), 0, true, Inconclusive},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Judge([]Ratio{Between(c.a, c.b, c.apart)}, c.higher, DefaultMargin)[0]
			if got.Verdict != c.want {
				t.Errorf("%+v", got)
			}
		})
	}
}

// Deployments of one plugin differ by more than the blocks within them show. Counting deployments
// instead of blocks keeps the error rate.
func TestOverDeployments(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const draws = 400
	byDeployment, byBlock := 0, 0
	for range draws {
		var each []Ratio
		all := map[int]float64{}
		one := map[int]float64{}
		for d := range 6 {
			effect := math.Exp(0.03 * rng.NormFloat64())
			each = append(each, wandering(rng, effect, 0, 0.005, 10))
			for i, v := range each[d].Ratios() {
				all[10*d+i], one[10*d+i] = v, 1
			}
		}
		r := OverDeployments(each)
		if !r.CI.Contains(1) {
			byDeployment++
		}
		if p := signedRankP(Paired(all, one).Logs, 0); p <= Level {
			byBlock++
		}
	}
	if share := float64(byDeployment) / draws; share > 0.05+3*math.Sqrt(0.05*0.95/draws) {
		t.Errorf("by deployment, %.1f %% are called different", 100*share)
	}
	if share := float64(byBlock) / draws; share < 0.2 {
		t.Errorf("by block, only %.1f %% are called different: the test shows nothing", 100*share)
	}
}

func TestSpread(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	var each []Ratio
	for range 200 {
		each = append(each, wandering(rng, math.Exp(0.03*rng.NormFloat64()), 0, 0.02, 10))
	}
	r := OverDeployments(each)
	if s := r.Spread; !near(s.Between, 0.03, 0.004) || !near(s.Within, 0.02, 0.002) || s.Deployments != 200 || r.N != 2000 {
		t.Errorf("%+v", s)
	}
	for name, few := range map[string][]Ratio{"two deployments": each[:2], "none": nil, "empty ones": make([]Ratio, 8)} {
		if r := OverDeployments(few); r.CI != nil || r.P != 1 {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

func TestLocation(t *testing.T) {
	flat := []float64{100, 101, 99, 100, 102, 98, 100, 101, 99, 100, 101, 99}
	for _, c := range []struct {
		name        string
		deployments [][]float64
		low, high   float64 // 0: no interval
	}{
		{"one deployment allows for other times", [][]float64{flat}, 90.6, 110.4},
		{"six count as six", [][]float64{{99}, {101}, {100}, {98}, {102}, {100}}, 98, 102},
		{"five do not", [][]float64{{99}, {101}, {100}, {98}, {102}}, 0, 0},
		{"nothing", nil, 0, 0},
		{"no numbers", [][]float64{{math.NaN(), math.Inf(1)}}, 0, 0},
		{"a fact", [][]float64{{1450, 1450, 1450, 1450, 1450, 1450}}, 1450, 1450},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := LocationOf(c.deployments)
			if (l.CI != nil) != (c.high != 0) || l.CI != nil && (!near(l.CI.Low, c.low, 0.5) || !near(l.CI.High, c.high, 0.5)) {
				t.Errorf("%+v, %v", l, l.CI)
			}
		})
	}
}

// Figures that overflow as a quotient, or whose ratio is not a finite number.
func TestExtremes(t *testing.T) {
	constant := func(v float64) map[int]float64 {
		all := map[int]float64{}
		for i := range 12 {
			all[i] = v
		}
		return all
	}
	for _, c := range []struct {
		name string
		a, b float64
		n    int
	}{
		{"the quotient overflows", 1e308, 1e-300, 0},
		{"and underflows", 1e-300, 1e308, 0},
		{"large", 1e308, 1e307, 12},
		{"denormal", 5e-324, 5e-324, 12},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Judge([]Ratio{Paired(constant(c.a), constant(c.b))}, true, DefaultMargin)[0]
			if r.N != c.n || c.n == 0 && r.Verdict != Inconclusive || c.n > 0 && (math.IsInf(r.CI.High, 0) || math.IsNaN(r.CI.Low)) {
				t.Errorf("%+v", r)
			}
		})
	}
}
