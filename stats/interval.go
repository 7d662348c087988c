// Package stats says what samples mean: medians with distribution-free
// intervals, and ratios paired within blocks. It knows samples, not networks.
//
// Nothing here assumes a normal distribution: throughput and latency have
// bursts, drift and heavy tails, and a t-interval of their mean promises a
// coverage that it does not keep.
package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Confidence is the least coverage of every interval.
const Confidence = 0.95

// MinSamples is the least number of samples that an interval of a median with
// this [Confidence] needs: with five, the widest one there is, from the least
// to the greatest, covers it with 1 − 2·0.5⁵ = 0.9375 only.
const MinSamples = 6

// Interval is a closed interval.
type Interval struct{ Low, High float64 }

// Contains reports whether v lies in the interval.
func (i Interval) Contains(v float64) bool { return i.Low <= v && v <= i.High }

// RelativeWidth is the interval's full width as a share of the value that it
// belongs to; infinite if that is zero and the width is not.
func (i Interval) RelativeWidth(value float64) float64 {
	width := i.High - i.Low
	if width == 0 {
		return 0
	}
	return width / math.Abs(value)
}

// Summary describes a set of samples of one figure.
type Summary struct {
	N      int
	Median float64
	// CI covers the median with at least [Confidence]. Nil if there are fewer
	// than [MinSamples].
	CI *Interval
	// Missing is how many more samples CI needs; 0 if it is there.
	Missing int
	// Dropped counts values that were no finite number and were left out.
	Dropped int
}

// Summarize returns the median and its order-statistic interval: the k-th
// least and the k-th greatest sample, where k is the largest number for which
// a binomial(n, ½) count lies between with at least [Confidence] (Conover,
// Practical Nonparametric Statistics, 3rd ed., section 3.2; R: the exact
// interval of DescTools::MedianCI).
func Summarize(samples []float64) Summary {
	x := slices.DeleteFunc(slices.Clone(samples), func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
	s := Summary{N: len(x), Dropped: len(samples) - len(x), Median: math.NaN()}
	if s.N == 0 {
		s.Missing = MinSamples
		return s
	}
	slices.Sort(x)
	s.Median = middle(x)
	k := orderStatistic(s.N)
	if k == 0 {
		s.Missing = MinSamples - s.N
		return s
	}
	s.CI = &Interval{x[k-1], x[s.N-k]}
	return s
}

// middle is the median of sorted values.
func middle(x []float64) float64 {
	n := len(x)
	if n%2 == 1 {
		return x[n/2]
	}
	return x[n/2-1]/2 + x[n/2]/2 // halved first: the sum of two large ones may overflow
}

// orderStatistic is the rank, counted from either end, of the bounds of the
// interval of a median of n samples; 0 if there is none.
func orderStatistic(n int) int {
	count := distuv.Binomial{N: float64(n), P: 0.5}
	k := 0
	for count.CDF(float64(k)) <= (1-Confidence)/2 {
		k++
	}
	return k
}
