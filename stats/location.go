package stats

import (
	"math"
	"slices"
)

// betweenTimes is the standard deviation, as a logarithm, by which the level of one network is
// assumed to move between minutes for reasons that its own rounds do not show. The rounds of a run
// lie within minutes: in recorded noise (testdata), a rank interval of 12 rounds covers the level
// of the whole recording in 50 to 77 of 100 cases instead of 95, and 30 rounds do no better.
// docs/statistics.md compares several values.
const betweenTimes = 0.05

// Location is the level of one figure of one network beyond the minutes in which it was measured.
type Location struct {
	Median float64
	// CI covers the level with about [Confidence]; nil if there are fewer than [MinSamples]
	// samples.
	CI *Interval
	// Deployments is how many deployments CI is based on. Below [MinDeployments], it is based on
	// the rounds of a run and an assumption about other times.
	Deployments int
}

// LocationOf estimates a level from samples by deployment, each in the order of its rounds. From
// [MinDeployments] on, the deployments count, one median each, with the rank interval of their
// median: the levels of a machine may be two, so their mean would be the level of neither.
// With fewer, the interval of the median ([Summarize]) is widened for the correlation of
// neighbouring rounds, as in [Together], and for what other times add (about 10 % either way), unless
// all samples are equal.
func LocationOf(deployments [][]float64) Location {
	var medians, all []float64
	for _, samples := range deployments {
		if s := Summarize(samples); s.N > 0 {
			medians, all = append(medians, s.Median), append(all, samples...)
		}
	}
	s := Summarize(all)
	l := Location{Median: s.Median, Deployments: len(medians)}
	switch {
	case len(medians) >= MinDeployments:
		l.CI = Summarize(medians).CI
	case s.CI != nil && slices.Min(all) == slices.Max(all):
		l.CI = s.CI // a fact, such as the MTU of a path, which does not vary
	case s.CI != nil:
		l.CI = otherTimes(all, s)
	}
	return l
}

// otherTimes widens the interval of a median for correlation and for other times: as a ratio, if all
// samples are positive, so that no bound falls below zero.
func otherTimes(samples []float64, s Summary) *Interval {
	finite := Finite(samples)
	factor, apart := inflation(correlation(finite)+undetected(len(finite))), quantile(math.Inf(1))*betweenTimes
	if slices.Min(finite) <= 0 {
		apart *= math.Abs(s.Median)
		return &Interval{s.Median - math.Hypot(factor*(s.Median-s.CI.Low), apart), s.Median + math.Hypot(factor*(s.CI.High-s.Median), apart)}
	}
	median := math.Log(s.Median)
	below, above := factor*(median-math.Log(s.CI.Low)), factor*(math.Log(s.CI.High)-median)
	i := &Interval{math.Exp(median - math.Hypot(below, apart)), math.Exp(median + math.Hypot(above, apart))}
	if math.IsInf(i.High, 0) {
		return nil // not a figure that was measured
	}
	return i
}

// Ratio returns the location as the ratio to 1, for comparison with another level ([Between]). It has
// no estimate if the level is not positive.
func (l Location) Ratio(samples int) Ratio {
	r := Ratio{Ratio: math.NaN(), P: 1, Widened: 1}
	if !positive(l.Median) || l.CI == nil || l.CI.Low <= 0 {
		return r
	}
	r.N, r.Ratio, r.CI = samples, l.Median, l.CI
	r.nu = math.Inf(1)
	if l.Deployments >= MinDeployments {
		r.nu = float64(l.Deployments - 1)
	}
	q := quantile(r.nu)
	r.below, r.above = math.Log(l.Median/l.CI.Low)/q, math.Log(l.CI.High/l.Median)/q
	r.sd = r.se()
	return r
}
