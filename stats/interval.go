// Package stats interprets samples: medians with distribution-free intervals, and ratios paired
// within blocks. It knows about samples, not about networks.
//
// Nothing here assumes that rounds have a normal distribution: throughput and latency have bursts,
// drift and heavy tails, so a t-interval of their mean does not have the coverage that it promises.
// Only deployments, each of them the estimate of many rounds, are assumed to vary about normally.
package stats

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Confidence is the minimum coverage of every interval.
const Confidence = 0.95

// MinSamples is the minimum number of samples for an interval of a median with this [Confidence]:
// with five, even the widest possible interval, from the smallest to the largest sample, covers
// the median with a probability of only 1 − 2·0.5⁵ = 0.9375.
const MinSamples = 6

// Interval is a closed interval.
type Interval struct{ Low, High float64 }

// Contains reports whether v lies in the interval.
func (i Interval) Contains(v float64) bool { return i.Low <= v && v <= i.High }

// Within reports whether the interval of a ratio lies within a margin, a share that is the same for a
// ratio and its inverse.
func (i Interval) Within(margin float64) bool { return i.Low >= 1/(1+margin) && i.High <= 1+margin }

// RelativeWidth returns the interval's full width as a share of the value that it belongs to, or
// infinity if that value is zero and the width is not.
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
	// CI covers the median with at least [Confidence]. It is nil if there are fewer than
	// [MinSamples].
	CI *Interval
	// Missing is how many more samples CI needs; 0 if CI is set.
	Missing int
	// Dropped counts the values that were ignored because they were not finite numbers.
	Dropped int
}

// Finite returns the values that are finite numbers, in their order.
func Finite(values []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) })
}

// Summarize returns the median and its order-statistic interval: the k-th smallest and the k-th
// largest sample, where k is the largest number for which a binomial(n, ½) count lies between
// them with at least [Confidence] (Conover, Practical Nonparametric Statistics, 3rd ed., section
// 3.2; R: the exact interval of DescTools::MedianCI).
func Summarize(samples []float64) Summary {
	x := Finite(samples)
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

// middle returns the median of sorted values.
func middle(x []float64) float64 {
	n := len(x)
	if n%2 == 1 {
		return x[n/2]
	}
	return x[n/2-1]/2 + x[n/2]/2 // halve first: the sum of two large values may overflow
}

// orderStatistic returns the rank, counted from either end, of the bounds of the interval of a
// median of n samples, or 0 if there is none.
func orderStatistic(n int) int {
	count := distuv.Binomial{N: float64(n), P: 0.5}
	k := 0
	for count.CDF(float64(k)) <= (1-Confidence)/2 {
		k++
	}
	return k
}
