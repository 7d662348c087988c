package report_test

import (
	"math"
	"testing"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// Nothing follows from records that hold nothing: no verdict, and no figure that is not a number. pair
// compares the two plugins, others the rest.
func TestDegenerateRecords(t *testing.T) {
	two := []lane{atSpeed("flannel-host-gw", 0.9), atSpeed("flannel-vxlan", 0.6)}
	set := func(value float64) func(*results.Sample) {
		return func(s *results.Sample) {
			for name := range s.Values {
				s.Values[name] = value
			}
		}
	}
	const vxlan, gw = "flannel-vxlan", "flannel-host-gw"
	for _, c := range []struct {
		name         string
		run          *described
		pair, others stats.Verdict // by goodput: of vxlan against host-gw, and of host-gw against the host
	}{
		{"nothing wrong", run(two), stats.Slower, stats.Slower},
		{"no round", run(two, rounds(0)), "", ""},
		{"one sample of each", run(two, rounds(1)), stats.Inconclusive, stats.Inconclusive},
		{"two samples", run(two, rounds(2)), stats.Inconclusive, stats.Inconclusive},
		{"five samples", run(two, rounds(5)), stats.Inconclusive, stats.Inconclusive},
		{"one sample of one plugin", run(two, withoutSamples(func(s results.Sample) bool { return s.Plugin == vxlan && s.Block > 0 })), stats.Inconclusive, stats.Slower},
		{"all samples failed", run(two, thatFail("", always)), "", ""},
		{"all samples of one plugin failed", run(two, thatFail(vxlan, always)), "", stats.Slower},
		{"one plugin failed from round 3", run(two, thatFail(vxlan, func(s results.Sample) bool { return s.Block >= 2 })), stats.Inconclusive, stats.Slower},
		{"zeros of one plugin", run(two, samples(vxlan, set(0))), stats.Inconclusive, stats.Slower},
		{"one zero of one plugin", run(two, samples(vxlan, func(s *results.Sample) {
			if s.Block == 4 {
				set(0)(s)
			}
		})), stats.Inconclusive, stats.Slower},
		{"zeros of all", run(two, samples("", set(0))), stats.Inconclusive, stats.Inconclusive},
		{"1e308 of all", run(two, samples("", set(1e308))), stats.Equivalent, stats.Equivalent},
		{"1e308 of one plugin", run(two, samples(vxlan, set(1e308))), stats.Faster, stats.Slower},
		{"1e308 against 1e-300", run(two, samples(vxlan, set(1e308)), samples(gw, set(1e-300))), stats.Inconclusive, stats.Inconclusive}, // their quotients overflow
		{"1e-300 against 1e308", run(two, samples(vxlan, set(1e-300)), samples(gw, set(1e308))), stats.Inconclusive, stats.Faster},
		{"the smallest numbers", run(two, samples("", set(math.SmallestNonzeroFloat64))), stats.Equivalent, stats.Equivalent},
		{"a negative figure", run(two, samples(vxlan, set(-1))), stats.Inconclusive, stats.Slower},
		{"the other way in every other round", run(two, times(vxlan, func(s results.Sample) float64 {
			if s.Block%2 == 0 {
				return 1000
			}
			return 0.001
		})), stats.Inconclusive, stats.Slower},
		{"one more deployment in every round", run(two, samples("", func(s *results.Sample) { s.Deployment = s.Block })), stats.Slower, stats.Slower},
		{"facts of a run with many deployments", run(two, probing(goodputMetric, rttMetric, results.Metric{Probe: "mtu", Name: "path", Unit: "byte", Better: "higher", Fact: true}),
			samples("", func(s *results.Sample) { s.Deployment = s.Block / 3 }), withoutSamples(func(s results.Sample) bool { return s.Probe == "mtu" && s.Block > 0 && s.Block < 19 })), stats.Slower, stats.Slower},
		{"six deployments of one plugin, five of the other", run(two, samples("", func(s *results.Sample) { s.Deployment = s.Block % 6 }),
			withoutSamples(func(s results.Sample) bool { return s.Plugin == vxlan && s.Deployment == 5 })), stats.Slower, stats.Slower},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := c.run.reported(t) // which holds report.json against its schema
			for pair, want := range map[[2]string]stats.Verdict{{gw, vxlan}: c.pair, {gw, results.HostPlugin}: c.others} {
				got := byGoodput(r, pair[0], pair[1])
				if pair[1] == vxlan { // asked the other way round
					got = map[stats.Verdict]stats.Verdict{stats.Faster: stats.Slower, stats.Slower: stats.Faster, stats.Equivalent: stats.Equivalent, stats.Inconclusive: stats.Inconclusive}[got]
				}
				if got != want {
					t.Errorf("%v: %q, want %q", pair, got, want)
				}
			}
		})
	}
}

// byGoodput returns the verdict on two plugins, "" if they are not compared.
func byGoodput(r *model.Report, a, b string) stats.Verdict {
	for _, c := range r.Comparisons {
		if c.A == a && c.B == b && c.Probe == "tcp-stream" {
			return c.Verdict
		}
	}
	return ""
}
