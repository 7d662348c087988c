package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// What the order of the blocks may show. All tests go by ranks, so that a
// burst counts as one odd block and not for its size.

// Drift says whether values move one way over the blocks.
type Drift struct {
	// P is the two-sided p-value of the Mann–Kendall test.
	P float64
	// Change is the movement from the first block to the last, in the unit of
	// the values, by the Theil–Sen slope (the median of the slopes of all pairs:
	// Sen, JASA 63, 1968).
	Change float64
}

// FindDrift tests values in the order of their blocks (Mann, Econometrica 13,
// 1945; Kendall, Rank Correlation Methods, 1975; R: cor.test(method =
// "kendall") against the time). The distribution is exact without ties, normal
// with the correction for ties and continuity otherwise.
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

// kendallP is the two-sided p-value of Kendall's score s of n values.
func kendallP(n, s int, ties map[float64]int) float64 {
	if s < 0 {
		s = -s
	}
	if len(ties) == n && n <= exactUpTo {
		// s = pairs − 2·inversions; as many inversions as this or fewer.
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

// inversionsCDF is the probability that a random order of n has at most limit
// inversions: the i-th value adds 0 to i−1 of them, each as likely.
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

// Echo says how much a block resembles the one before.
type Echo struct {
	// P is the one-sided p-value of Bartels's test: neighbours are closer than
	// chance has it.
	P float64
	// Lag1 is the correlation of the ranks of neighbouring blocks.
	Lag1 float64
}

// FindEcho tests values in the order of their blocks for autocorrelation by
// the rank version of von Neumann's ratio (Bartels, JASA 77, 1982; R:
// randtests::bartels.rank.test), with the normal approximation whose variance
// is exact. What a block inherits from the one before makes intervals that
// take blocks for independent too narrow.
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

// Independent is how many independent blocks n blocks with such an echo are
// worth (Bayley and Hammersley, JRSS Supplement 8, 1946, for a correlation
// that fades from block to block).
func (e Echo) Independent(n int) float64 {
	r := max(0, e.Lag1)
	return float64(n) * (1 - r) / (1 + r)
}

// warmUpLevel is the probability with which a warm-up is found where there is
// none.
const warmUpLevel = 0.01

// WarmUp is the number of blocks at the start that differ from the rest, 0 if
// none do. Every split up to a third of the blocks is tried: those before it
// against those after by the Mann–Whitney test. The split with the least
// p-value counts if that, times the number of splits tried (Bonferroni), is at
// most 1 %. A single odd block is no warm-up: there is no telling it from a
// burst.
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

// mannWhitneyP is the two-sided p-value of the test that two samples are of
// one distribution: exact, ties included, for up to exactPool values, and
// beyond by the normal approximation corrected for ties and continuity
// (Hollander, Wolfe and Chicken, 3rd ed., section 4.1; R: coin::wilcox_test
// with distribution = "exact", and wilcox.test(x, y, exact = FALSE)).
func mannWhitneyP(x, y []float64) float64 {
	return ranked(slices.Concat(x, y)).mannWhitneyP(len(x))
}

// exactPool is up to how many values of both samples together the p-value of
// the Mann–Whitney test is exact.
const exactPool = 24

// pool is the values of two samples together.
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

// mannWhitneyP is the p-value of the first values against the others.
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

// exactP is the share of all choices of so many values whose sum of doubled
// ranks is at least that far from the expected one. It counts the choices by
// size and sum, adding one value after the other.
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
