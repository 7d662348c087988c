package main

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/cnibench/cnibench/stats"
)

// Default settings of a cnibench run.
const (
	precision = 0.03
	cap30     = 30
)

// ratios returns the ratios of all pairs, those with the first plugin first.
func (w *world) ratios() []stats.Ratio {
	var all []stats.Ratio
	for i, a := range w.plugins {
		for _, b := range w.plugins[i+1:] {
			all = append(all, stats.Paired(a, b))
		}
	}
	return all
}

// judge returns the verdicts on all pairs.
func (w *world) judge() []stats.Comparison { return stats.Judge(w.ratios(), true, stats.DefaultMargin) }

// untilPrecise measures until every interval is narrow enough or the maximum is reached.
func (w *world) untilPrecise(most int) {
	pairs := len(w.plugins) * (len(w.plugins) - 1) / 2
	w.measure(stats.MinRounds(pairs))
	for w.blocks < most && !w.precise() {
		w.measure(1)
	}
}

func (w *world) precise() bool {
	for i, a := range w.plugins {
		for _, b := range w.plugins[i+1:] {
			if r := stats.Paired(a, b); r.CI.RelativeWidth(r.Ratio) > precision {
				return false
			}
		}
	}
	return true
}

// peers does what other tools do: it takes samples of one plugin, then as many of the next. It
// returns their means, of three samples each.
func peers(w *walk, factors ...float64) []float64 {
	const samples = 3
	var means []float64
	for _, f := range factors {
		sum := 0.0
		for range samples {
			sum += w.next() * f
		}
		means = append(means, sum/samples)
	}
	return means
}

// apart reports whether any two means differ by more than the tolerance.
func apart(means []float64, tolerance float64) bool {
	return slices.Max(means)/slices.Min(means) > 1+tolerance
}

// estimator is a method for computing an interval of a ratio's logarithm.
type estimator struct {
	name     string
	interval func(logs []float64, w *world) (low, high float64)
}

// estimators are the methods that were considered.
var estimators = []estimator{
	{"Hodges–Lehmann", func(_ []float64, w *world) (float64, float64) {
		r := stats.Paired(w.plugins[0], w.plugins[1])
		return math.Log(r.CI.Low), math.Log(r.CI.High)
	}},
	{"median", func(logs []float64, _ *world) (float64, float64) {
		s := stats.Summarize(logs)
		return s.CI.Low, s.CI.High
	}},
	{"mean, t", func(logs []float64, _ *world) (float64, float64) {
		mean, sd := stat.MeanStdDev(logs, nil)
		n := float64(len(logs))
		half := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(0.975) * sd / math.Sqrt(n)
		return mean - half, mean + half
	}},
	{"trimmed, bootstrap", func(logs []float64, w *world) (float64, float64) {
		const resamples = 400
		means := make([]float64, resamples)
		again := make([]float64, len(logs))
		for i := range means {
			for j := range again {
				again[j] = logs[w.rng.IntN(len(logs))]
			}
			slices.Sort(again)
			cut := len(again) / 5
			means[i] = stat.Mean(again[cut:len(again)-cut], nil)
		}
		slices.Sort(means)
		return means[resamples/40], means[resamples-1-resamples/40]
	}},
}
