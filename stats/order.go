package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Tests on the order of the blocks. All of them use ranks, so that a burst counts as one odd
// block, whatever its size.

// Drift describes whether values move in one direction over the blocks.
type Drift struct {
	// P is the two-sided p-value of the Mann–Kendall test.
	P float64
	// Change is the movement from the first block to the last, in the unit of the values, based
	// on the Theil–Sen slope (the median of the slopes of all pairs: Sen, JASA 63, 1968).
	Change float64
}

// FindDrift tests values in the order of their blocks for drift (Mann, Econometrica 13, 1945;
// Kendall, Rank Correlation Methods, 1975; R: cor.test(method = "kendall") against the time).
// Without ties it uses the exact distribution; otherwise, the normal distribution corrected for
// ties and continuity.
func FindDrift(x []float64) Drift {
	if len(x) < MinSamples {
		return Drift{P: 1}
	}
	s, ties := 0, map[float64]int{}
	slopes := make([]float64, 0, len(x)*(len(x)-1)/2)
	for i, v := range x {
		ties[v]++
		for j := range x[:i] {
			switch {
			case v > x[j]:
				s++
			case v < x[j]:
				s--
			}
			slopes = append(slopes, (v-x[j])/float64(i-j))
		}
	}
	return Drift{P: kendallP(len(x), s, ties), Change: medianOf(slopes) * float64(len(x)-1)}
}

// kendallP returns the two-sided p-value of Kendall's score s of n values.
func kendallP(n, s int, ties map[float64]int) float64 {
	if s < 0 {
		s = -s
	}
	if len(ties) == n && n <= exactUpTo {
		// s = pairs − 2·inversions; count the orders with this many inversions or fewer.
		inversions := (n*(n-1)/2 - s) / 2
		return min(1, 2*inversionsCDF(n, inversions))
	}
	f := func(n int) float64 { v := float64(n); return v * (v - 1) * (2*v + 5) }
	variance := f(n)
	for _, t := range ties {
		variance -= f(t)
	}
	if variance <= 0 || s == 0 {
		return 1
	}
	return min(1, 2*distuv.UnitNormal.Survival(float64(s-1)/math.Sqrt(variance/18)))
}

// inversionsCDF returns the probability that a random order of n has at most limit inversions:
// the i-th value adds 0 to i−1 inversions, all equally likely.
func inversionsCDF(n, limit int) float64 {
	p := make([]float64, limit+1)
	p[0] = 1
	for i := 2; i <= n; i++ {
		next := make([]float64, limit+1)
		window := 0.0
		for w := range next {
			window += p[w]
			if w >= i {
				window -= p[w-i]
			}
			next[w] = window / float64(i)
		}
		p = next
	}
	all := 0.0
	for _, v := range p {
		all += v
	}
	return all
}

// Echo describes how much a block resembles the previous one.
type Echo struct {
	// P is the one-sided p-value of Bartels's test that neighbours are closer than by chance.
	P float64
	// Lag1 is the correlation of the ranks of neighbouring blocks.
	Lag1 float64
}

// FindEcho tests values in the order of their blocks for autocorrelation, using the rank version
// of von Neumann's ratio (Bartels, JASA 77, 1982; R: randtests::bartels.rank.test) and the normal
// approximation with the exact variance. Autocorrelation between blocks makes intervals that
// assume independent blocks too narrow.
func FindEcho(x []float64) Echo {
	n := float64(len(x))
	if len(x) < MinSamples {
		return Echo{P: 1}
	}
	ranks := doubledRanks(x, func(v float64) float64 { return v })
	steps, spread, product := 0.0, 0.0, 0.0
	centred := func(i int) float64 { return float64(ranks[i])/2 - (n+1)/2 }
	for i := range ranks {
		spread += centred(i) * centred(i)
		if i > 0 {
			steps += math.Pow(centred(i)-centred(i-1), 2)
			product += centred(i) * centred(i-1)
		}
	}
	if spread == 0 {
		return Echo{P: 1}
	}
	variance := 4 * (n - 2) * (5*n*n - 2*n - 9) / (5 * n * (n + 1) * (n - 1) * (n - 1))
	return Echo{P: distuv.UnitNormal.CDF((steps/spread - 2) / math.Sqrt(variance)), Lag1: product / spread}
}

// warmUpLevel is the probability of finding a warm-up where there is none.
const warmUpLevel = 0.01

// WarmUp returns the number of blocks at the start that differ from the rest, or 0 if none do. It
// tries every split up to a third of the blocks, comparing the blocks before the split with those
// after it by the Mann–Whitney test. The split with the smallest p-value counts if that p-value,
// times the number of splits tried (Bonferroni), is at most 1 %. A single odd block is not a
// warm-up, because it cannot be told from a burst.
func WarmUp(x []float64) int {
	best, bestP := 0, 1.0
	splits := len(x) / 3
	pool := ranked(x) // the same for all splits
	for first := 1; first <= splits; first++ {
		if p := pool.mannWhitneyP(first); p < bestP {
			best, bestP = first, p
		}
	}
	if bestP*float64(splits) > warmUpLevel {
		return 0
	}
	return best
}

// exactPool is the maximum number of values, in both samples together, for which the p-value of
// the Mann–Whitney test is exact.
const exactPool = 24

// pool holds the ranks of two samples together.
type pool struct {
	ranks []int   // doubled
	cubes float64 // Σ t³ − t over groups of t equal values
}

func ranked(x []float64) pool {
	p := pool{ranks: doubledRanks(x, func(v float64) float64 { return v })}
	ties := map[int]float64{}
	for _, r := range p.ranks {
		ties[r]++
	}
	for _, t := range ties {
		p.cubes += t*t*t - t
	}
	return p
}

// mannWhitneyP returns the two-sided p-value of the test that the first values and the others have
// the same distribution. It is exact, including ties, for up to exactPool values; beyond, it uses
// the normal approximation corrected for ties and continuity (Hollander, Wolfe and Chicken, 3rd
// ed., section 4.1; R: coin::wilcox_test with distribution = "exact", and wilcox.test(x, y, exact
// = FALSE)).
func (p pool) mannWhitneyP(first int) float64 {
	sum := 0 // of doubled ranks
	for _, r := range p.ranks[:first] {
		sum += r
	}
	expected := first * (len(p.ranks) + 1)
	if len(p.ranks) <= exactPool {
		return p.exactP(first, max(sum-expected, expected-sum))
	}
	n, m := float64(first), float64(len(p.ranks)-first)
	variance := n * m / 12 * (n + m + 1 - p.cubes/((n+m)*(n+m-1)))
	distance := math.Abs(float64(sum-expected))/2 - 0.5
	if variance <= 0 || distance <= 0 {
		return 1
	}
	return 2 * distuv.UnitNormal.Survival(distance/math.Sqrt(variance))
}

// exactP returns the share of all subsets of the given size whose sum of doubled ranks is at
// least as far from the expected sum. It counts the subsets by size and sum, adding one value at
// a time.
func (p pool) exactP(size, distance int) float64 {
	total := 0
	for _, r := range p.ranks {
		total += r
	}
	choices := make([][]float64, size+1)
	for i := range choices {
		choices[i] = make([]float64, total+1)
	}
	choices[0][0] = 1
	for _, r := range p.ranks {
		for chosen := size; chosen > 0; chosen-- {
			for sum := r; sum <= total; sum++ {
				choices[chosen][sum] += choices[chosen-1][sum-r]
			}
		}
	}
	expected := size * (len(p.ranks) + 1)
	far, all := 0.0, 0.0
	for sum, n := range choices[size] {
		all += n
		if max(sum-expected, expected-sum) >= distance {
			far += n
		}
	}
	return far / all
}
