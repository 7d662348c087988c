package figures

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"gonum.org/v1/gonum/stat/distuv"

	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// percentiles lists the figures that come from histograms.
var percentiles = map[string]float64{"p50": 50, "p90": 90, "p99": 99, "p999": 99.9}

// latencies holds the histograms of a cell's samples of one probe: that of each block,
// and all of them merged.
type latencies struct {
	merged *hdrhistogram.Histogram
	blocks []bars
}

// bars holds the non-empty bars of a histogram in ascending order. They are far fewer
// than all bars, and every percentile looks through them.
type bars []hdrhistogram.Bar

func barsOf(h *hdrhistogram.Histogram) bars {
	return slices.Clip(slices.DeleteFunc(h.Distribution(), func(b hdrhistogram.Bar) bool { return b.Count == 0 }))
}

// below counts the values that are at most v, and all values.
func (b bars) below(v int64) (count, all float64) {
	for _, bar := range b {
		if bar.From <= v {
			count += float64(bar.Count)
		}
		all += float64(bar.Count)
	}
	return count, all
}

// latenciesOf reads the histograms of a cell's samples by probe.
func latenciesOf(b *gather.Run, samples []results.Sample) (map[string]*latencies, error) {
	all := map[string]*latencies{}
	for _, s := range samples {
		if s.Hist == "" {
			continue
		}
		h, err := results.Histogram(b.Recorded.Dir, s.Hist)
		if err != nil {
			return nil, err
		}
		l := all[s.Probe]
		if l == nil {
			l = &latencies{merged: hdrhistogram.New(h.LowestTrackableValue(), h.HighestTrackableValue(), int(h.SignificantFigures()))}
			all[s.Probe] = l
		}
		if dropped := l.merged.Merge(h); dropped > 0 {
			return nil, fmt.Errorf("merging histogram %s: %d values are outside the range of the others", s.Hist, dropped)
		}
		l.blocks = append(l.blocks, barsOf(h))
	}
	return all, nil
}

const (
	// tailStep is the distance between two points of a tail, in powers of ten.
	tailStep = 0.1
	// TailLeast is the number of round trips that must lie beyond the last point.
	TailLeast = 10
)

// tail returns the distribution of all round trips from the merged histogram, in equal
// steps of the logarithm of the share beyond. It is nil without a histogram.
func (l *latencies) tail() []model.TailPoint {
	if l == nil || l.merged.TotalCount() == 0 {
		return nil
	}
	var points []model.TailPoint
	for step := 0; ; step++ {
		beyond := math.Pow(10, -tailStep*float64(step))
		if beyond*float64(l.merged.TotalCount()) < TailLeast {
			return points
		}
		points = append(points, model.TailPoint{Seconds: seconds(l.merged.ValueAtPercentile(100 * (1 - beyond))), Beyond: beyond})
	}
}

// percentile returns a latency figure from the merged histogram, in seconds, and its
// interval over the blocks. Both are nil if the figure is not a percentile or there is
// no histogram.
func (l *latencies) percentile(name string) (*float64, *[2]float64) {
	p, ok := percentiles[name]
	if !ok || l == nil || l.merged.TotalCount() == 0 {
		return nil, nil
	}
	at := seconds(l.merged.ValueAtPercentile(p))
	return &at, l.interval(p)
}

// interval is Woodruff's for a percentile of clustered observations (Woodruff,
// Confidence intervals for medians and other position measures, JASA 47,
// 1952): round trips of one block are alike, so blocks are what varies. The
// share of round trips at or below the percentile is a ratio of sums over the
// blocks, with the standard error of such (Cochran, Sampling Techniques, 3rd
// ed., section 6.4); the percentiles of the shares that lie Student's t times
// that above and below are the bounds. Nil below [stats.MinSamples] blocks.
func (l *latencies) interval(p float64) *[2]float64 {
	n := float64(len(l.blocks))
	if len(l.blocks) < stats.MinSamples {
		return nil
	}
	at := l.merged.ValueAtPercentile(p)
	count, all := barsOf(l.merged).below(at)
	share := count / all
	squares := 0.0
	for _, b := range l.blocks {
		mine, total := b.below(at)
		squares += math.Pow(mine-share*total, 2)
	}
	half := distuv.StudentsT{Sigma: 1, Nu: n - 1}.Quantile(1-(1-stats.Confidence)/2) * math.Sqrt(squares*n/(n-1)) / all
	low, high := max(0, p-100*half), min(100, p+100*half)
	return &[2]float64{seconds(l.merged.ValueAtPercentile(low)), seconds(l.merged.ValueAtPercentile(high))}
}

func seconds(nanoseconds int64) float64 { return time.Duration(nanoseconds).Seconds() }
