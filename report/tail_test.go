package report

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// An exponential distribution is known: exp(-t/mean) lies beyond t.
func TestTailOfAnExponential(t *testing.T) {
	l := &latencies{merged: hdrhistogram.New(1, 1e10, 3)}
	rng := rand.New(rand.NewPCG(1, 2))
	const mean, n = 50_000, 200_000
	for range n {
		_ = l.merged.RecordValue(1 + int64(mean*rng.ExpFloat64()))
	}
	points := l.tail()
	if last := points[len(points)-1]; last.Beyond*n < tailLeast || last.Beyond > 1e-4 {
		t.Errorf("the tail ends at %v", last)
	}
	for _, p := range points {
		if p.Beyond > 0.5 || p.Beyond < 1e-3 {
			continue
		}
		if want := -math.Log(p.Beyond) * mean / 1e9; math.Abs(p.Seconds/want-1) > 0.05 {
			t.Errorf("%.4f lies beyond %v s, want %v s", p.Beyond, p.Seconds, want)
		}
	}
}

func TestPlotTail(t *testing.T) {
	named := func(plugin string, seed uint64) row {
		l := drawLatencies(rand.New(rand.NewPCG(seed, 2)), 20, 0.1)
		c := &Cell{}
		c.Plugin = plugin
		return row{Cell: c, Metrics: []*Metric{{tail: l.tail()}}}
	}
	with := &table{Probe: "tcp-rr", Rows: []row{named("host", 1), named("flannel-vxlan", 2)}}
	drawn, err := with.plotTail(nil)
	if err != nil || !strings.Contains(string(drawn), "flannel-vxlan") || strings.Contains(string(drawn), "NaN") {
		t.Errorf("%v: %.300s", err, drawn)
	}
	without := &table{Probe: "tcp-stream", Rows: []row{{Cell: &Cell{}, Metrics: []*Metric{{}}}}}
	if drawn, err := without.plotTail(nil); err != nil || drawn != "" {
		t.Errorf("a probe without histograms: %v, %.100s", err, drawn)
	}
}
