package report_test

import (
	"math"
	"time"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// three are three plugins in a clear order.
var three = []lane{atSpeed("flannel-host-gw", 0.95), atSpeed("calico-bgp", 0.88), atSpeed("flannel-vxlan", 0.8)}

// nobodyBeaten are the plugins of three, if nothing is decided between them.
const nobodyBeaten = "flannel-host-gw,calico-bgp,flannel-vxlan"

// fewSamples are runs that hold less than was asked for.
var fewSamples = []journalCase{
	{"1 round", run(three, rounds(1)), advised{plugin: "flannel-host-gw", level: "low", lowered: []string{"few-rounds"}, unbeaten: nobodyBeaten, unsaid: []string{"fastest"},
		rests: []string{"1 round on 2 nodes (lab)", "so few rounds cannot show a difference, 9 are needed"}}},
	{"3 rounds", run(three, rounds(3)), advised{plugin: "flannel-host-gw", level: "low", lowered: []string{"few-rounds"}, unbeaten: nobodyBeaten, unsaid: []string{"fastest"}}},
	{"one round fewer than needed", run(three, rounds(8)), advised{plugin: "flannel-host-gw", level: "low", lowered: []string{"few-rounds"}, unbeaten: nobodyBeaten, unsaid: []string{"fastest"}}},
	{"as many rounds as needed", run(three, rounds(9)), advised{plugin: "flannel-host-gw", level: "high", unbeaten: "flannel-host-gw", says: []string{"it is the fastest"}}},
	{"1 round of the only plugin", run(three[:1], rounds(1)), advised{plugin: "flannel-host-gw", level: "low", lowered: []string{"only-plugin", "few-rounds"},
		says: []string{"it is the only plugin that was measured"}, rests: []string{"so few rounds give no interval, 6 are needed"}}},
	{"1 round of the only plugin that fits", run([]lane{atSpeed("flannel-host-gw", 0.9), atSpeed("flannel-udp", 0.1)}, rounds(1)),
		advised{plugin: "flannel-host-gw", level: "low", lowered: []string{"only-fitting", "few-rounds"}, says: []string{"of 2 plugins it is the only one that fits"}}},
	{"one sample of the fastest", run(three, withoutSamples(func(s results.Sample) bool { return s.Plugin == "flannel-host-gw" && s.Block > 0 })),
		advised{plugin: "calico-bgp", level: "medium", lowered: []string{"not-compared"}, unbeaten: "calico-bgp", says: []string{"it is the fastest in", "the speed of flannel-host-gw was not compared"},
			rejected: []string{"flannel-host-gw [speed-unknown] fits, but was measured in too few rounds to compare its speed with that of calico-bgp"}}},
	{"one sample of another", run(three, withoutSamples(func(s results.Sample) bool { return s.Plugin == "flannel-vxlan" && s.Block > 0 })),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"not-compared"}, unbeaten: "flannel-host-gw", says: []string{"it is the fastest", "the speed of flannel-vxlan was not compared"},
			rejected: []string{"flannel-vxlan [speed-unknown] fits, but was measured in too few rounds"}}},
	{"no samples", run(three, withoutSamples(always)), advised{plugin: "", level: "low", lowered: []string{"not-all-measured"}, says: []string{"nothing that was measured fits"}}},
	{"facts only", run(three, withoutSamples(always), plus(results.Record{Setup: &results.Setup{Plugin: "flannel-host-gw", Topology: results.On("l2"), NetworkReadyMS: 100}}),
		plus(results.Record{Setup: &results.Setup{Plugin: "flannel-vxlan", Topology: results.On("l2"), NetworkReadyMS: 100}})),
		advised{plugin: "flannel-host-gw", level: "low", lowered: []string{"speed-not-compared"}, unsaid: []string{"fast"}, says: []string{"it puts fewer bytes around packets; their speed was not compared"},
			rejected: []string{"flannel-vxlan [fewer-bytes] fits, and its speed was not compared"}}},
	{"all failed", run(three, thatFail("", always)), advised{plugin: "", level: "low", lowered: []string{"not-all-measured"}, says: []string{"nothing that was measured fits"}}},
	{"all plugins failed", run(three, thatFail("flannel-host-gw", always), thatFail("calico-bgp", always), thatFail("flannel-vxlan", always)),
		advised{plugin: "", level: "low", lowered: []string{"not-all-measured"}, rejected: []string{"flannel-host-gw [works] does not work on this network", "calico-bgp [works]", "flannel-vxlan [works]"}}},
	{"the fastest failed from round 3", run(three, thatFail("flannel-host-gw", func(s results.Sample) bool { return s.Block >= 2 })),
		advised{plugin: "calico-bgp", level: "medium", lowered: []string{"not-compared"}, unbeaten: "calico-bgp", rejected: []string{"flannel-host-gw [speed-unknown] fits, but was measured in too few rounds"}}},
	{"the preferred one of two failed from round 3", run(three[:2], thatFail("flannel-host-gw", func(s results.Sample) bool { return s.Block >= 2 })),
		advised{plugin: "calico-bgp", level: "low", lowered: []string{"speed-not-compared"}, says: []string{"it is the one whose speed counts here; the speed of flannel-host-gw was not compared"},
			rejected: []string{"flannel-host-gw [speed-unknown] fits, but was measured in too few rounds"}}},
	{"another failed from round 3", run(three, thatFail("calico-bgp", func(s results.Sample) bool { return s.Block >= 2 })),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"not-compared"}, unbeaten: "flannel-host-gw", says: []string{"the speed of calico-bgp was not compared"},
			because: []string{"[fastest] is faster than flannel-vxlan"}, rejected: []string{"calico-bgp [speed-unknown]"}}},
	{"the fastest broke in round 3", run(three, networks("flannel-host-gw", func(n *results.Network) {
		n.Status, n.Cause, n.BrokeRound, n.BrokeAt = results.StatusBroke, words.Quote("no route to host"), 3, time.Unix(0, 0).UTC()
	}), withoutSamples(func(s results.Sample) bool { return s.Plugin == "flannel-host-gw" && s.Block >= 2 })),
		advised{plugin: "calico-bgp", level: "high", unbeaten: "calico-bgp", says: []string{"of the 2 plugins that fit, it is the fastest"}, rejected: []string{"flannel-host-gw [works] does not work on this network"}}},
	{"one sample of the fastest failed", run(three, thatFail("flannel-host-gw", func(s results.Sample) bool { return s.Block == 7 && s.Probe == "tcp-rr" })),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"notes", "failed-samples"}, unbeaten: "flannel-host-gw", rests: []string{"1 of its 20 samples failed"}}},
	{"zeros of one plugin", run(three, times("flannel-host-gw", func(results.Sample) float64 { return 0 }), samples("flannel-host-gw", func(s *results.Sample) {
		for name := range s.Values {
			s.Values[name] = 0
		}
	})), advised{plugin: "calico-bgp", level: "medium", lowered: []string{"not-compared"}, unbeaten: "calico-bgp", says: []string{"it is the fastest", "the speed of flannel-host-gw was not compared"},
		rejected: []string{"flannel-host-gw [speed-unknown] fits, but its speed was not compared"}}},
	{"zeros of all", run(three, samples("", func(s *results.Sample) {
		for name := range s.Values {
			s.Values[name] = 0
		}
	})), advised{plugin: "flannel-host-gw", level: "low", lowered: []string{"speed-not-compared"}, unsaid: []string{"fast"}}},
	{"a zero in one round by one figure", run(three, samples("flannel-host-gw", func(s *results.Sample) {
		if s.Block == 3 && s.Probe == "tcp-rr" {
			s.Values["p50"] = 0
		}
	})), advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"partly-compared"}, unbeaten: "flannel-host-gw", rests: []string{"not every figure could be compared with calico-bgp and flannel-vxlan"}}},
	{"no figure of latency for one", run(three, withoutSamples(func(s results.Sample) bool { return s.Plugin == "calico-bgp" && s.Probe == "tcp-rr" }),
		byProbe("calico-bgp", map[string]float64{"tcp-stream": 0.95 / 0.88})),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"undecided", "partly-compared"}, unbeaten: "flannel-host-gw,calico-bgp",
			rejected: []string{"calico-bgp [fewer-moving-parts] fits, but flannel-host-gw is not shown to be faster or slower than calico-bgp"}}},
	{"values near the largest number", run(three, samples("", func(s *results.Sample) {
		for name := range s.Values {
			s.Values[name] *= 0.5 * math.MaxFloat64 / 1e10
		}
	})), advised{plugin: "flannel-host-gw", level: "high", unbeaten: "flannel-host-gw"}},
	{"values near the smallest number", run(three, samples("", func(s *results.Sample) {
		for name := range s.Values {
			s.Values[name] *= 1e-290
		}
	})), advised{plugin: "flannel-host-gw", level: "high", unbeaten: "flannel-host-gw"}},
	{"noise hides everything", run(three, noise(0.3, "flannel-host-gw", "calico-bgp", "flannel-vxlan")),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"undecided", "undetectable", "wide-intervals"}, unbeaten: nobodyBeaten, unsaid: []string{"fastest"}}},
}
