package figures

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// drawLatencies makes blocks of exponential round trips; spread varies their mean from
// block to block.
func drawLatencies(rng *rand.Rand, blocks int, spread float64) *latencies {
	newHistogram := func() *hdrhistogram.Histogram { return hdrhistogram.New(1, 1e9, 3) }
	l := &latencies{merged: newHistogram()}
	for range blocks {
		h := newHistogram()
		mean := 20000 * math.Exp(spread*rng.NormFloat64())
		for range 400 {
			_ = h.RecordValue(1 + int64(mean*rng.ExpFloat64()))
		}
		l.merged.Merge(h)
		l.blocks = append(l.blocks, barsOf(h))
	}
	return l
}

// Blocks vary more than their round trips do: the interval must be about them.
func TestPercentileIntervalCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, spread := range []float64{0, 0.2} {
		truth := drawLatencies(rng, 1500, spread)
		for _, name := range []string{"p50", "p90", "p99"} {
			want, _ := truth.percentile(name)
			const draws = 150
			covers := 0
			for range draws {
				if _, ci := drawLatencies(rng, 20, spread).percentile(name); ci[0] <= *want && *want <= ci[1] {
					covers++
				}
			}
			if share := float64(covers) / draws; share < 0.95-3*math.Sqrt(0.95*0.05/draws) {
				t.Errorf("%s, blocks that vary by %v: the interval covers in %.1f %%", name, spread, 100*share)
			}
		}
	}
}

func TestPercentileOfLittle(t *testing.T) {
	var none *latencies
	if at, ci := none.percentile("p99"); at != nil || ci != nil {
		t.Error("a percentile of nothing")
	}
	few := drawLatencies(rand.New(rand.NewPCG(1, 1)), 5, 0)
	if at, ci := few.percentile("p99"); at == nil || ci != nil {
		t.Errorf("five blocks: %v, %v", at, ci)
	}
	if at, _ := few.percentile("goodput"); at != nil {
		t.Error("goodput has a percentile")
	}
	same := &latencies{merged: hdrhistogram.New(1, 1e9, 3)}
	for range 6 {
		h := hdrhistogram.New(1, 1e9, 3)
		_ = h.RecordValues(1000, 50)
		same.merged.Merge(h)
		same.blocks = append(same.blocks, barsOf(h))
	}
	if at, ci := same.percentile("p999"); ci == nil || ci[0] != *at || ci[1] != *at {
		t.Errorf("all equal: %v in %v", *at, ci)
	}
}

// An exponential distribution is known: exp(-t/mean) lies beyond t.
func TestTailOfAnExponential(t *testing.T) {
	l := &latencies{merged: hdrhistogram.New(1, 1e10, 3)}
	rng := rand.New(rand.NewPCG(1, 2))
	const mean, n = 50_000, 200_000
	for range n {
		_ = l.merged.RecordValue(1 + int64(mean*rng.ExpFloat64()))
	}
	points := l.tail()
	if last := points[len(points)-1]; last.Beyond*n < TailLeast || last.Beyond > 1e-4 {
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
