package stats

import (
	"math"
	"math/rand/v2"
	"testing"
)

func near(a, b, within float64) bool { return math.Abs(a-b) <= within }

// Depression scale of nine patients before and after a tranquilliser (Hollander and Wolfe,
// Nonparametric Statistical Methods, 1973, p. 29; the example of R's wilcox.test): V = 40,
// one-sided p = 0.01953, estimate −0.46, interval (−0.786, −0.010) with confidence 0.961.
var depressionBefore = []float64{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}
var depressionAfter = []float64{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29}

func TestDepressionScale(t *testing.T) {
	a, b := map[int]float64{}, map[int]float64{}
	var d []float64
	for i := range depressionBefore {
		// The example uses differences; use ratios with these logarithms.
		a[i], b[i] = math.Exp(depressionAfter[i]), math.Exp(depressionBefore[i])
		d = append(d, depressionAfter[i]-depressionBefore[i])
	}
	r := Paired(a, b)
	if p := signedRankP(d, 0); !near(p, 2*0.01953, 1e-5) || r.P < p-1e-12 {
		t.Errorf("p = %v, and %v with correlation", p, r.P)
	}
	if !near(math.Log(r.Ratio), -0.46, 1e-9) || !near(r.raw.Low, -0.786, 1e-9) || !near(r.raw.High, -0.010, 1e-9) {
		t.Errorf("estimate %v in %v", math.Log(r.Ratio), r.raw)
	}
}

func TestSignedRankP(t *testing.T) {
	for _, c := range []struct {
		name   string
		x      []float64
		centre float64
		want   float64
	}{
		{"nothing", nil, 0, 1},
		{"all zero", []float64{0, 0, 0, 0, 0, 0}, 0, 1},
		{"six on one side: 2/2⁶", []float64{1, 2, 3, 4, 5, 6}, 0, 2.0 / 64},
		{"six on the other", []float64{-1, -2, -3, -4, -5, -6}, 0, 2.0 / 64},
		{"all equal: the signs alone count", []float64{2, 2, 2, 2, 2, 2}, 0, 2.0 / 64},
		{"ties: rank sums of −2.5 +2.5 +2.5 +2.5 +5 +6 at most 2.5 in 1+4 of 64", []float64{-1, 1, 1, 1, 2, 3}, 0, 2 * 5.0 / 64},
		{"zeros keep their ranks: 1 and 2 go, 3 is negative", []float64{0, 0, -1, 2, 3, 4}, 0, 2 * 2.0 / 16},
		{"about another centre", []float64{11, 12, 13, 14, 15, 16}, 10, 2.0 / 64},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := signedRankP(c.x, c.centre); !near(got, c.want, 1e-12) {
				t.Errorf("p = %v, want %v", got, c.want)
			}
		})
	}
	t.Run("the approximation beyond the exact distribution joins it", func(t *testing.T) {
		var x []float64
		for i := range exactUpTo {
			x = append(x, float64(i+1)*map[bool]float64{true: 1, false: -1}[i%5 < 3])
		}
		exact := signedRankP(x, 0)
		long := signedRankP(append(x, 201, -202), 0)
		if exact < 0.001 || exact > 0.1 || !near(exact, long, 0.2*exact) {
			t.Errorf("%v for 200 values, %v for 202", exact, long)
		}
	})
}

// A p-value below 5 % and an interval that excludes the tested ratio are equivalent.
func TestPAgreesWithInterval(t *testing.T) {
	noise := []float64{0.31, -0.12, 0.54, 0.07, 0.91, -0.33, 0.28, 0.47, 0.66, -0.05, 0.19, 0.83}
	for n := MinSamples; n <= len(noise); n++ {
		for shift := -1.0; shift <= 1; shift += 0.0137 {
			a, b := map[int]float64{}, map[int]float64{}
			for i, v := range noise[:n] {
				a[i], b[i] = math.Exp(v+shift), 1
			}
			if r := Paired(a, b); (r.P <= Level) == r.CI.Contains(1) {
				t.Fatalf("n=%d, shift %.2f: p = %v, interval %v", n, shift, r.P, *r.CI)
			}
		}
	}
}

// Ordered p-values of a study of myocardial infarction (Benjamini and Hochberg, JRSS B 57, 1995,
// section 4.1). The paper states that three are significant at 0.05 by Bonferroni's and by
// Hochberg's procedure; the expected values are those of R's p.adjust(p, "holm").
func TestHolm(t *testing.T) {
	for _, c := range []struct {
		name    string
		p, want []float64
	}{
		{"nothing", nil, nil},
		{"one", []float64{0.04}, []float64{0.04}},
		{"R: p.adjust((1:5)/100, \"holm\")", []float64{0.01, 0.02, 0.03, 0.04, 0.05}, []float64{0.05, 0.08, 0.09, 0.09, 0.09}},
		{"order does not matter", []float64{0.05, 0.01, 0.03}, []float64{0.06, 0.03, 0.06}},
		{"no number is no evidence", []float64{math.NaN(), 0.01}, []float64{1, 0.02}},
		{"Benjamini and Hochberg, section 4.1",
			[]float64{0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1},
			[]float64{0.0015, 0.0056, 0.0247, 0.1140, 0.2211, 0.2780, 0.2780, 0.2780, 0.3213, 1, 1, 1, 1, 1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Holm(c.p)
			if len(got) != len(c.want) {
				t.Fatalf("got %v", got)
			}
			for i := range got {
				if !near(got[i], c.want[i], 1e-12) {
					t.Errorf("%d: %v, want %v", i, got[i], c.want[i])
				}
			}
		})
	}
}

// wobble returns samples that vary slightly from block to block around a ratio to 1, without any
// correlation of neighbours.
func wobble(ratio, noise float64, n int) Ratio {
	order := []float64{0, -2, 1, 2, -1, 1, -2, 0, 2, -1}
	a, b := map[int]float64{}, map[int]float64{}
	for i := range n {
		a[i], b[i] = ratio*math.Exp(noise*order[i%len(order)]/2), 1
	}
	return Paired(a, b)
}

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name   string
		family []Ratio
		higher bool
		margin float64
		want   Verdict // of the first
	}{
		{"more is better", []Ratio{wobble(1.2, 0.02, 10)}, true, 0.03, Faster},
		{"less is better", []Ratio{wobble(1.2, 0.02, 10)}, false, 0.03, Slower},
		{"less", []Ratio{wobble(0.8, 0.02, 10)}, true, 0.03, Slower},
		{"the same", []Ratio{wobble(1, 0.02, 10)}, true, 0.03, Equivalent},
		{"all samples equal", []Ratio{wobble(1, 0, 10)}, true, 0.03, Equivalent},
		{"a ratio that never varies", []Ratio{wobble(0.9655, 0, 10)}, true, 0.03, Slower},
		{"a difference that does not matter", []Ratio{wobble(1.01, 0.002, 10)}, true, 0.03, Equivalent},
		{"a difference beyond a smaller margin", []Ratio{wobble(1.01, 0.002, 10)}, true, 0.005, Faster},
		{"too noisy", []Ratio{wobble(1, 0.2, 10)}, true, 0.03, Inconclusive},
		{"five blocks", []Ratio{wobble(2, 0, 5)}, true, 0.03, Inconclusive},
		{"no blocks", []Ratio{wobble(2, 0, 0)}, true, 0.03, Inconclusive},
		{"six blocks decide one comparison", []Ratio{wobble(2, 0.01, 6)}, true, 0.03, Faster},
		{"but not one of two", []Ratio{wobble(2, 0.01, 6), wobble(2, 0.01, 6)}, true, 0.03, Inconclusive},
		{"seven decide one of two", []Ratio{wobble(2, 0.01, 7), wobble(2, 0.01, 7)}, true, 0.03, Faster},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Judge(c.family, c.higher, c.margin)[0]
			if got.Verdict != c.want {
				t.Errorf("%s: %+v", got.Verdict, got)
			}
		})
	}
}

// Among pairs that clearly differ, Holm raises the last p-value at most to that of the others. A
// control's p-value is nevertheless corrected in full.
func TestJudgeControl(t *testing.T) {
	family := Judge([]Ratio{wobble(1.02, 0.02, 10), wobble(2, 0.01, 10), wobble(3, 0.01, 10)}, true, 0.001)
	c := family[0]
	if c.P >= 0.05 || !near(c.PAdjusted, c.P, 1e-12) {
		t.Fatalf("%+v", c)
	}
	c.JudgeControl(3, true, 0.001)
	if !near(c.PAdjusted, 3*c.P, 1e-12) {
		t.Errorf("%+v", c)
	}
}

// A verdict must not depend on which of the two is named first.
func TestJudgeIsSymmetric(t *testing.T) {
	opposite := map[Verdict]Verdict{Faster: Slower, Slower: Faster, Equivalent: Equivalent, Inconclusive: Inconclusive}
	for _, ratio := range []float64{0.5, 0.969, 0.975, 0.99, 1, 1.02, 1.029, 1.04, 3} {
		a, b := map[int]float64{}, map[int]float64{}
		for i := range 12 {
			a[i], b[i] = ratio*math.Exp(0.01*float64(i%5-2)), 1
		}
		one, other := Judge([]Ratio{Paired(a, b)}, true, 0.03)[0], Judge([]Ratio{Paired(b, a)}, true, 0.03)[0]
		if opposite[one.Verdict] != other.Verdict {
			t.Errorf("ratio %v: %s and %s", ratio, one.Verdict, other.Verdict)
		}
	}
}

func TestMinRounds(t *testing.T) {
	for comparisons, want := range map[int]int{0: 6, 1: 6, 2: 7, 3: 7, 15: 10, 21: 10, 36: 11} {
		if got := MinRounds(comparisons); got != want {
			t.Errorf("%d comparisons: %d rounds, want %d", comparisons, got, want)
		}
	}
}

func TestDetectable(t *testing.T) {
	narrow := wobble(1, 0.02, 30)
	one, many := narrow.Detectable(1), narrow.Detectable(15)
	if one <= math.Log(narrow.CI.High) || many <= one {
		t.Errorf("%v alone, %v among 15, interval %v", one, many, narrow.CI)
	}
	if wide := wobble(1, 0.04, 30).Detectable(1); !near(math.Log1p(wide), 2*math.Log1p(one), 1e-9) {
		t.Errorf("twice the noise: %v instead of twice %v", wide, one)
	}
	for _, few := range []Ratio{{}, wobble(1, 0.02, 6)} {
		if v := few.Detectable(15); !math.IsInf(v, 1) {
			t.Errorf("%d rounds detect %v", few.N, v)
		}
	}
}

// The signed-rank test finds shift80 in 80 % of normal samples, near the least number of blocks as
// well as far from it.
func TestShift80(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	for _, c := range []struct {
		n     int
		alpha float64
	}{{6, 0.05}, {10, 0.05 / 15}, {12, 0.05}, {12, 0.05 / 15}, {40, 0.05}, {80, 0.05 / 3}} {
		const draws = 1500
		shift, found := shift80(c.n, c.alpha), 0
		for range draws {
			x := make([]float64, c.n)
			for i := range x {
				x[i] = shift + rng.NormFloat64()
			}
			if signedRankP(x, 0) <= c.alpha {
				found++
			}
		}
		if share := float64(found) / draws; share < 0.76 || share > 0.84 {
			t.Errorf("%d blocks at %v: found in %.1f %%", c.n, c.alpha, 100*share)
		}
	}
}

func TestRoundsFor(t *testing.T) {
	r := Ratio{N: 10, Ratio: 1, CI: &Interval{0.97, 1.03}}
	for width, want := range map[float64]int{0.03: 40, 0.06: 10, 0.5: 10} {
		if got := r.RoundsFor(width); got != want {
			t.Errorf("%v: %d rounds, want %d", width, got, want)
		}
	}
	if got := (Ratio{N: 3}).RoundsFor(0.03); got != 0 {
		t.Errorf("without an interval: %d", got)
	}
}
