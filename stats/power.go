package stats

import (
	"math"
	"math/rand/v2"
	"sync"

	"gonum.org/v1/gonum/stat/distuv"
)

// MinRounds returns the minimum number of blocks with which a family of comparisons can show any
// difference: the smallest p-value of n pairs is 2·0.5ⁿ, and Holm multiplies the smallest one by
// the size of the family.
func MinRounds(comparisons int) int {
	n := MinSamples
	for float64(comparisons)*2*math.Pow(0.5, float64(n)) > Level {
		n++
	}
	return n
}

// power is the probability of finding a difference of the size given by [Ratio.Detectable].
const power = 0.8

// Detectable returns the smallest difference, as a share, that these blocks would have shown with
// about 80 % probability in a family of the given number of comparisons. Both tests of a ratio
// must find it. The t-test needs an estimate beyond its quantile, and the estimate varies with the
// standard error of independent blocks (Lachin, Controlled Clinical Trials 2, 1981). The
// signed-rank test is discrete: near the least number of blocks, hardly any outcome is rare
// enough, and the difference must be large (see [shift80]). Both use the width of the interval,
// which bursts do not inflate as they do a standard deviation. It is infinite if there are too few
// blocks to show any.
func (r Ratio) Detectable(comparisons int) float64 {
	if r.CI == nil || r.Logs != nil && r.N < MinRounds(comparisons) {
		return math.Inf(1)
	}
	return math.Expm1(r.detectable(max(comparisons, 1)))
}

// detectable returns the difference as a logarithm. It requires an interval.
func (r Ratio) detectable(comparisons int) float64 {
	alpha := Level / float64(comparisons)
	z := distuv.UnitNormal.Quantile(power)
	needed := r.se() * student(r.nu).Quantile(1-alpha/2)
	if r.Logs == nil {
		return needed + z*r.sd
	}
	// The width of the interval varies from run to run too, the more the fewer blocks there are.
	byT := needed + z*math.Hypot(r.sd, needed*widthVaries(r.N))
	return max(byT, r.sd*math.Sqrt(float64(r.N))*shift80(r.N, alpha))
}

// widthVaries returns the relative standard deviation of the width of an interval of n blocks, most
// of which comes from the uncertain correlation. It is a curve through what cmd/simulate found
// ("detectable").
func widthVaries(n int) float64 { return 1.7/math.Sqrt(float64(n)) + 75/float64(n*n) }

// shift80 returns the shift, in standard deviations of a block, that the signed-rank test of n
// blocks finds at this level with 80 % probability if the noise is normal. A sample is found
// different as soon as the shift exceeds the distance of its interval's bound from 0, so shift80
// is a quantile of these distances, from samples drawn with a fixed seed.
func shift80(n int, alpha float64) float64 {
	type key struct {
		n     int
		alpha float64
	}
	if v, ok := shifts.Load(key{n, alpha}); ok {
		return v.(float64)
	}
	v := distuv.UnitNormal.Quantile(1-alpha/2) + distuv.UnitNormal.Quantile(power)
	v *= math.Sqrt(math.Pi / 3 / float64(n)) // the efficiency of ranks for normal noise
	if k := signedRankAt(n, alpha/2); n <= exactShift && k > 0 {
		const draws = 1000
		rng := rand.New(rand.NewPCG(1, uint64(n)))
		bounds := make([]float64, draws)
		x := make([]float64, n)
		for i := range bounds {
			for j := range x {
				x[j] = rng.NormFloat64()
			}
			bounds[i] = -orderStatisticOf(walshAverages(x), k-1)
		}
		v = orderStatisticOf(bounds, int(power*draws))
	}
	shifts.Store(key{n, alpha}, v)
	return v
}

// exactShift is the number of blocks up to which [shift80] is simulated. Beyond it, the normal
// approximation differs by less than 2 %.
const exactShift = 60

// shifts caches the results of [shift80].
var shifts sync.Map

// RoundsToDetect estimates how many blocks would find a difference, given as a share, in the
// sense of [Ratio.Detectable]. It returns 0 if there is no interval to base this on.
func (r Ratio) RoundsToDetect(difference float64, comparisons int) int {
	if r.CI == nil {
		return 0
	}
	now := r.detectable(max(comparisons, 1))
	rounds := math.Ceil(float64(r.N) * math.Pow(now/math.Log1p(difference), 2))
	return max(int(rounds), MinRounds(comparisons))
}

// DeploymentsToDetect is [Ratio.RoundsToDetect] for deployments: more rounds in each would not show
// what varies between them. It returns 0 if the ratio is not that of deployments.
func (r Ratio) DeploymentsToDetect(difference float64, comparisons int) int {
	if r.Spread == nil || r.CI == nil {
		return 0
	}
	now := r.detectable(max(comparisons, 1))
	return int(math.Ceil(float64(r.Spread.Deployments) * math.Pow(now/math.Log1p(difference), 2)))
}

// RoundsFor estimates how many blocks would make the interval as narrow as width, a share of the
// ratio: its width decreases with the square root of their number. It returns 0 if there is no
// interval to base this on.
func (r Ratio) RoundsFor(width float64) int {
	if r.CI == nil {
		return 0
	}
	now := r.CI.RelativeWidth(r.Ratio)
	if now <= width {
		return r.N
	}
	return int(math.Ceil(float64(r.N)*math.Pow(now/width, 2) - rounding))
}
