package stats

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestOrderStatisticOf compares selection with sorting.
func TestOrderStatisticOf(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	for name, value := range map[string]func(i int) float64{
		"random":  func(int) float64 { return rng.NormFloat64() },
		"ties":    func(int) float64 { return float64(rng.IntN(3)) },
		"equal":   func(int) float64 { return 1 },
		"rising":  func(i int) float64 { return float64(i) },
		"falling": func(i int) float64 { return -float64(i) },
		"to and fro": func(i int) float64 {
			return float64(i%2*1000) + float64(i)
		},
	} {
		for _, n := range []int{1, 2, 3, 4, 7, 100} {
			t.Run(fmt.Sprint(name, " ", n), func(t *testing.T) {
				x := make([]float64, n)
				for i := range x {
					x[i] = value(i)
				}
				sorted := slices.Sorted(slices.Values(x))
				for k := range x {
					if got := orderStatisticOf(slices.Clone(x), k); got != sorted[k] {
						t.Fatalf("%d of %v: %v", k, x, got)
					}
				}
				if got := medianOf(slices.Clone(x)); got != middle(sorted) {
					t.Errorf("median of %v: %v", x, got)
				}
			})
		}
	}
}
