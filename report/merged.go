package report

import (
	"fmt"
	"regexp"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/cnibench/cnibench/results"
)

// percentiles are the figures that come from histograms.
var percentiles = map[string]float64{"p50": 50, "p90": 90, "p99": 99, "p999": 99.9}

// merged sums the histograms of a cell's samples by probe.
func (b *builder) merged(samples []results.Sample) (map[string]*hdrhistogram.Histogram, error) {
	sums := map[string]*hdrhistogram.Histogram{}
	for _, s := range samples {
		if s.Hist == "" {
			continue
		}
		h, err := results.Histogram(b.recorded.Dir, s.Hist)
		if err != nil {
			return nil, err
		}
		if sums[s.Probe] == nil {
			sums[s.Probe] = h
		} else if dropped := sums[s.Probe].Merge(h); dropped > 0 {
			return nil, fmt.Errorf("merging histogram %s: %d values are outside the range of the others", s.Hist, dropped)
		}
	}
	return sums, nil
}

// percentile reads a latency figure off a merged histogram, in seconds; nil
// if the figure is none or there is no histogram.
func percentile(merged *hdrhistogram.Histogram, name string) *float64 {
	p, ok := percentiles[name]
	if !ok || merged == nil {
		return nil
	}
	seconds := time.Duration(merged.ValueAtPercentile(p)).Seconds()
	return &seconds
}

var figures = regexp.MustCompile(`[0-9]+(\.[0-9]+)?`)

// withoutFigures makes warnings equal that differ in their figures alone.
func withoutFigures(warning string) string { return figures.ReplaceAllString(warning, "…") }
