package load

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/probes/probestest"
	"github.com/cnibench/cnibench/words"
)

// TestSteady applies the rule to series of bins, as a receiver does at the end of
// each. The recorded ones are segments per 5 ms at 1 Gbit/s in the lab.
func TestSteady(t *testing.T) {
	repeat := func(n int, bins ...int64) []int64 { return slices.Repeat(bins, n) }
	growing := func(n, percent int) []int64 {
		series := []int64{1_000_000}
		for len(series) < n {
			series = append(series, series[len(series)-1]*int64(100+percent)/100)
		}
		return series
	}
	falling := growing(40, 5)
	slices.Reverse(falling)
	for _, c := range []struct {
		name string
		bins []int64
		want int // bins until the flow is steady, 0 for never
	}{
		{"nothing has been received", nil, 0},
		{"nothing arrives", repeat(40, 0), 0},
		{"constant", repeat(40, 7), 8},
		{"a thousand times as much", repeat(40, 7000), 8},
		{"packets of 64 KB, nine or ten in a bin", repeat(10, 405, 405, 405, 450), 8},
		{"noise of a third", repeat(5, 90, 120, 100, 80, 110, 95, 125, 85), 8},
		{"one bin in four is empty", repeat(10, 0, 400, 300, 500), 8},
		{"one packet in four bins", repeat(20, 0, 1, 0, 0), 8},
		{"one percent more in each bin", growing(40, 1), 8},
		{"two percent more in each bin", growing(40, 2), 0},
		{"twice as much in each bin", growing(30, 100), 0},
		{"five percent less in each bin", falling, 0},
		{"slow start within a few bins", append([]int64{1, 4, 16, 64}, repeat(40, 100)...), 9},
		{"slow start, a bin a round trip", append([]int64{10, 20, 40, 80, 160, 320, 640}, repeat(20, 860)...), 12},
		{"a pause and what it held back", slices.Concat(repeat(8, 100), []int64{0, 0, 300}, repeat(20, 100)), 8},
		{"a late first packet", append(repeat(10, 0), repeat(20, 100)...), 11},
		{"a step", slices.Concat([]int64{100, 100, 100, 100}, repeat(20, 50)), 9},
		{"recorded: host", []int64{448, 429, 405, 405, 405, 405, 405, 450, 405, 405, 405, 405, 405, 450, 405, 405}, 8},
		{"recorded: host, whose sender had to wait for a CPU", []int64{205, 416, 405, 450, 405, 405, 405, 225, 270, 765, 405, 405, 405, 405, 405, 450, 405, 405, 405, 405}, 8},
		{"recorded: flannel-vxlan", []int64{360, 483, 400, 390, 444, 355, 400, 400, 400, 400, 400, 400}, 8},
		{"recorded: flannel-host-gw on a busy machine", []int64{444, 407, 405, 291, 0, 315, 540, 0, 810, 270, 45, 0, 695, 435, 405, 405, 401, 405, 448, 405, 405, 405, 405, 45, 675, 495, 315, 495, 450, 405}, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := 0
			for n := range len(c.bins) + 1 {
				if steady(c.bins[:n]) {
					got = n
					break
				}
			}
			if got != c.want {
				t.Errorf("steady after %d bins, want %d", got, c.want)
			}
		})
	}
}

// TestSteadyIgnoresTheLevel checks that only differences count: a series and its
// multiples, and its mirror image in time, are judged alike.
func TestSteadyIgnoresTheLevel(t *testing.T) {
	for _, c := range []struct {
		name string
		bins []int64
	}{
		{"steady", []int64{405, 405, 450, 405, 405, 398, 405, 450}},
		{"rising", []int64{100, 110, 120, 130, 140, 150, 160, 170}},
		{"stopped", []int64{400, 400, 400, 400, 1, 1, 1, 1}},
		{"with pauses", []int64{0, 400, 0, 0, 400, 0, 0, 400}},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := steady(c.bins)
			larger, mirrored := slices.Clone(c.bins), slices.Clone(c.bins)
			for i := range larger {
				larger[i] *= 1000
			}
			slices.Reverse(mirrored)
			if steady(larger) != want || steady(mirrored) != want {
				t.Errorf("%v; a thousand times as much: %v, mirrored: %v", want, steady(larger), steady(mirrored))
			}
		})
	}
}

// TestSteadyFavoursNothing draws flows whose rate varies but has no trend, and compares
// the bins from when the rule holds with those from a fixed time on. Their means must
// agree, or the rule would wait for a fast or a slow moment.
func TestSteadyFavoursNothing(t *testing.T) {
	const flows, window, longest, tolerance = 20_000, steadyBins, 400, 0.02
	for _, c := range []struct {
		name string
		next func(r *rand.Rand, before float64) float64 // a bin's logarithm from that before
	}{
		{"independent noise", func(r *rand.Rand, _ float64) float64 { return 0.5 * r.NormFloat64() }},
		{"noise that wanders", func(r *rand.Rand, x float64) float64 { return 0.95*x + 0.15*r.NormFloat64() }},
		{"steps", func(r *rand.Rand, x float64) float64 {
			if r.Float64() < 0.05 {
				return r.NormFloat64()
			}
			return x
		}},
		{"pauses of ten bins, as long as what is between them", func(r *rand.Rand, x float64) float64 {
			switch {
			case r.Float64() >= 0.1:
				return x
			case x == 0:
				return math.Inf(-1)
			}
			return 0
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			var found, fixed float64
			for range flows {
				bins, x := make([]int64, longest+window), 0.0
				for range 100 { // forget the beginning
					x = c.next(r, x)
				}
				for i := range bins {
					x = c.next(r, x)
					bins[i] = int64(1000 * math.Exp(x))
				}
				bins[0]++ // the flow has begun
				n := steadyBins
				for n < longest && !steady(bins[:n]) {
					n++
				}
				for i := range window {
					found += float64(bins[n+i])
					fixed += float64(bins[steadyBins+i])
				}
			}
			if math.Abs(found/fixed-1) > tolerance {
				t.Errorf("%.4f of what a fixed beginning gives", found/fixed)
			}
			t.Logf("%.4f", found/fixed)
		})
	}
}

// TestUnsteadyFlowIsReported begins the window before there are enough bins to judge
// by.
func TestUnsteadyFlowIsReported(t *testing.T) {
	for _, c := range []struct {
		name             string
		warmUp, patience time.Duration
		warned           bool
	}{
		{"enough patience", 50 * time.Millisecond, 20 * time.Second, false},
		{"too little", leastBin, 2 * leastBin, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := probestest.Process(t)
			args := StreamArgs{Addr: probestest.Localhost, CPU: -1, Streams: 1, Duration: probes.MinDuration, WarmUp: c.warmUp, Patience: c.patience}
			call, s := connectedTo(t, w, args)
			defer s.Close()
			b := make([]byte, writeSize)
			hot.Transmit(s.FD, b)
			var got Received
			if err := call.Wait(t.Context(), &got); err != nil {
				t.Fatal(err)
			}
			if warned := strings.Contains(words.Clauses(got.Warnings...).String(), "still rising or falling"); warned != c.warned || got.Bytes == 0 {
				t.Errorf("%d bytes, %q", got.Bytes, got.Warnings)
			}
		})
	}
}
