package report_test

import (
	"github.com/cnibench/cnibench/results"
)

// journalCase is a case of TestRecommendationOfJournals.
type journalCase struct {
	name string
	run  *described
	want advised
}

// Metrics that cases measure beside the two of run.
var (
	goodputMetric = results.Metric{Probe: "tcp-stream", Name: "goodput", Unit: "bit/s", Better: "higher"}
	rttMetric     = results.Metric{Probe: "tcp-rr", Name: "p50", Unit: "s", Better: "lower"}
	udpRTTMetric  = results.Metric{Probe: "udp-rr", Name: "p50", Unit: "s", Better: "lower"}
)

// byProbe makes a plugin faster by some probes.
func byProbe(plugin string, faster map[string]float64) option {
	return times(plugin, func(s results.Sample) float64 {
		if f, ok := faster[s.Probe]; ok {
			return f
		}
		return 1
	})
}

// fourEqual are four plugins of one speed and one that is 3 % slower.
var fourEqual = []lane{atSpeed("flannel-host-gw", 0.9), atSpeed("flannel-vxlan-directrouting", 0.9), atSpeed("calico-bgp", 0.9), atSpeed("calico-ipip-crosssubnet", 0.9), atSpeed("flannel-vxlan", 0.87)}

// circle is three plugins, each of which is better than another by one figure, and equivalent by the
// others.
var circle = []option{rounds(30), probing(goodputMetric, rttMetric, udpRTTMetric),
	byProbe("flannel-host-gw", map[string]float64{"tcp-stream": 1.05, "tcp-rr": 1.025, "udp-rr": 1.00}),
	byProbe("calico-bgp", map[string]float64{"tcp-stream": 1.00, "tcp-rr": 1.05, "udp-rr": 1.025}),
	byProbe("flannel-vxlan-directrouting", map[string]float64{"tcp-stream": 1.025, "tcp-rr": 1.00, "udp-rr": 1.05})}

// circular are those three plugins.
var circular = []lane{atSpeed("flannel-host-gw", 0.85), atSpeed("calico-bgp", 0.85), atSpeed("flannel-vxlan-directrouting", 0.85)}

// tiesAndWins are runs that differ in who is faster than whom.
var tiesAndWins = []journalCase{
	{"the fastest of three", run([]lane{atSpeed("flannel-host-gw", 0.95), atSpeed("calico-bgp", 0.88), atSpeed("flannel-vxlan", 0.8)}),
		advised{plugin: "flannel-host-gw", level: "high", unbeaten: "flannel-host-gw", says: []string{"of the 3 plugins that fit, it is the fastest"},
			rests:   []string{"20 rounds on 2 nodes (lab); 4 comparisons corrected over 2 figures"},
			because: []string{"[fastest] is faster than calico-bgp and flannel-vxlan; the closest of them is calico-bgp (tcp-stream goodput unshaped: flannel-host-gw is ×1.080"},
			rejected: []string{"calico-bgp [slower] fits, but is slower than flannel-host-gw", "flannel-vxlan [slower] fits, but is slower than flannel-host-gw",
				"flannel-vxlan [costs-bytes]", "corrected over 2 figures"}}},
	{"four equal and one 3 % slower", run(fourEqual),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"undecided"},
			unbeaten: "flannel-host-gw,flannel-vxlan-directrouting,calico-bgp,calico-ipip-crosssubnet",
			says: []string{"nothing is shown to be faster than flannel-host-gw, flannel-vxlan-directrouting, calico-bgp and calico-ipip-crosssubnet",
				"; of these, flannel-host-gw is preferred because it has fewer moving parts (programs to keep running on each node) and comes first by name"},
			unsaid:   []string{"fastest"},
			because:  []string{"[faster] is faster than flannel-vxlan", "[unbeaten] nothing is shown to be faster than", "[fewer-moving-parts] is as fast as calico-bgp, and has fewer moving parts"},
			rejected: []string{"flannel-vxlan [slower] fits, but is slower than flannel-host-gw", "calico-bgp [fewer-moving-parts] fits, but flannel-host-gw is as fast as calico-bgp, and has fewer"}}},
	{"four equal and one 3 % slower, with noise", run(fourEqual, noise(0.07, "flannel-host-gw", "flannel-vxlan-directrouting", "calico-bgp", "calico-ipip-crosssubnet", "flannel-vxlan")),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"undecided", "undetectable", "wide-intervals"},
			unbeaten: "flannel-host-gw,flannel-vxlan-directrouting,calico-bgp,calico-ipip-crosssubnet,flannel-vxlan",
			unsaid:   []string{"fastest"}, rejected: []string{"flannel-vxlan [fewer-bytes] fits, but flannel-host-gw is not shown to be faster or slower than flannel-vxlan, and"}}},
	{"all equal", run(fourEqual[:4]),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"undecided"}, unsaid: []string{"fastest"},
			unbeaten: "flannel-host-gw,flannel-vxlan-directrouting,calico-bgp,calico-ipip-crosssubnet"}},
	{"two equal, fewer bytes", run([]lane{atSpeed("flannel-vxlan", 0.9), atSpeed("flannel-host-gw", 0.9)}),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"undecided"}, unbeaten: "flannel-host-gw,flannel-vxlan",
			says:     []string{"nothing is shown to be faster than flannel-host-gw and flannel-vxlan", "flannel-host-gw is preferred because it puts fewer bytes around packets"},
			rejected: []string{"flannel-vxlan [fewer-bytes] fits, but flannel-host-gw is as fast as flannel-vxlan, and puts fewer bytes"}}},
	{"two equal, one by its data path alone", run([]lane{atSpeed("calico-bgp", 0.9), atSpeed("flannel-host-gw", 0.9)}, networks("flannel-host-gw", func(n *results.Network) { n.Fidelity = "datapath" })),
		advised{plugin: "calico-bgp", level: "medium", lowered: []string{"undecided"}, unbeaten: "calico-bgp,flannel-host-gw",
			says: []string{"had its own agents measured"}, rejected: []string{"flannel-host-gw [agents-ran]"}}},
	{"two equal, less memory", run([]lane{atSpeed("flannel-host-gw", 0.9), atSpeed("flannel-vxlan-directrouting", 0.9)},
		plus(results.Record{Setup: &results.Setup{Plugin: "flannel-host-gw", Topology: results.On("l2"), NetworkReadyMS: 100, AgentRSSBytes: 90 << 20, Agents: 2}}),
		plus(results.Record{Setup: &results.Setup{Plugin: "flannel-vxlan-directrouting", Topology: results.On("l2"), NetworkReadyMS: 100, AgentRSSBytes: 50 << 20, Agents: 2}})),
		advised{plugin: "flannel-vxlan-directrouting", level: "medium", lowered: []string{"undecided"}, unbeaten: "flannel-vxlan-directrouting,flannel-host-gw",
			says: []string{"because it takes less memory for its agents"}, rejected: []string{"flannel-host-gw [less-memory]"}}},
	{"equal to the winner, which alone beats a third", run([]lane{atSpeed("flannel-host-gw", 0.9), atSpeed("calico-bgp", 0.9*0.982), atSpeed("flannel-vxlan", 0.9/1.05)}, rounds(30), noise(0.065, "flannel-vxlan")),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"undecided"}, unbeaten: "flannel-host-gw,calico-bgp", unsaid: []string{"fastest"},
			says:     []string{"nothing is shown to be faster than flannel-host-gw and calico-bgp"},
			because:  []string{"[faster] is faster than flannel-vxlan (", "[fewer-moving-parts] is as fast as calico-bgp"},
			rejected: []string{"calico-bgp [fewer-moving-parts] fits, but flannel-host-gw is as fast as calico-bgp", "flannel-vxlan [slower] fits, but is slower than flannel-host-gw"}}},
	{"beaten by another of the leaders", run([]lane{atSpeed("flannel-host-gw", 0.9), atSpeed("calico-bgp", 0.9), atSpeed("flannel-vxlan", 0.85)}, noise(0.12, "flannel-host-gw")),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"undecided", "undetectable", "wide-intervals"}, unbeaten: "flannel-host-gw,calico-bgp",
			rests:    []string{"a difference of up to ", "2 of its 2 ratios to the host are not known to within 3.0 %"},
			rejected: []string{"flannel-vxlan [slower] fits, but is slower than calico-bgp", "calico-bgp [fewer-moving-parts] fits, but flannel-host-gw is not shown to be faster or slower than calico-bgp"}}},
	{"unbeaten alone, but not faster than each", run([]lane{atSpeed("flannel-host-gw", 0.85), atSpeed("calico-bgp", 0.85), atSpeed("flannel-vxlan-directrouting", 0.85)},
		byProbe("flannel-host-gw", map[string]float64{"tcp-stream": 1.05, "tcp-rr": 1.025}), byProbe("calico-bgp", map[string]float64{"tcp-rr": 1.05}), byProbe("flannel-vxlan-directrouting", map[string]float64{"tcp-stream": 1.025}), rounds(60)),
		advised{plugin: "flannel-host-gw", level: "high", unbeaten: "flannel-host-gw", unsaid: []string{"fastest"}, says: []string{"it is the only one that no other is shown to be faster than"},
			because:  []string{"[faster] is faster than calico-bgp (", "[unbeaten] it is the only one"},
			rejected: []string{"flannel-vxlan-directrouting [slower] fits, but is slower than calico-bgp"}}},
	{"each better at one kind", run([]lane{{"flannel-host-gw", 0.95, 1.3}, {"calico-bgp", 0.85, 1.1}}),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"undecided"}, unbeaten: "flannel-host-gw,calico-bgp", unsaid: []string{"fastest"},
			because: []string{"[fewer-moving-parts] is faster than calico-bgp by some figures and slower by others"}}},
	{"equivalent by one kind, faster by the other", run([]lane{{"flannel-host-gw", 0.9, 1.3}, {"calico-bgp", 0.9, 1.1}}),
		advised{plugin: "calico-bgp", level: "high", unbeaten: "calico-bgp", says: []string{"it is the fastest"}, rejected: []string{"goodput unshaped: flannel-host-gw is ×1.000"}}},
	{"two wires that agree", run([]lane{atSpeed("flannel-host-gw", 0.9), atSpeed("calico-bgp", 0.8)}, wires("none", "1gbit")),
		advised{plugin: "flannel-host-gw", level: "high", unbeaten: "flannel-host-gw", says: []string{"it is the fastest"}, rests: []string{"4 comparisons corrected over 4 figures"}}},
	{"two wires that disagree", run([]lane{atSpeed("flannel-host-gw", 0.5), atSpeed("calico-bgp", 0.5)}, wires("none", "1gbit"),
		times("calico-bgp", func(s results.Sample) float64 { return map[string]float64{"none": 1.2, "1gbit": 0.8}[s.Wire] })),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"undecided"}, unbeaten: "flannel-host-gw,calico-bgp", unsaid: []string{"fastest"},
			rejected: []string{"calico-bgp [fewer-moving-parts] fits, but flannel-host-gw is faster than calico-bgp by some figures and slower by others"}}},
	{"a verdict that holds for its own figure only", run([]lane{atSpeed("flannel-host-gw", 0.9), atSpeed("calico-bgp", 0.9*1.1)}, rounds(6), probing(goodputMetric, rttMetric, udpRTTMetric),
		withoutSamples(func(s results.Sample) bool { return s.Plugin == results.HostPlugin })),
		advised{plugin: "flannel-host-gw", level: "low", lowered: []string{"few-rounds"}, unbeaten: "flannel-host-gw,calico-bgp", unsaid: []string{"fastest"}, rests: []string{"so few rounds cannot show a difference, 7 are needed"},
			rejected: []string{"calico-bgp [fewer-moving-parts] fits, but flannel-host-gw is not shown to be faster or slower than calico-bgp", "slower (not when corrected over the 3 figures of the advice)"}}},
	{"a circle", run(circular, circle...),
		advised{plugin: "flannel-host-gw", level: "low", lowered: []string{"circle"}, unbeaten: "flannel-host-gw,flannel-vxlan-directrouting,calico-bgp", unsaid: []string{"fastest", "nothing is shown"},
			says:     []string{"each of flannel-host-gw, flannel-vxlan-directrouting and calico-bgp is slower than another of them", "of these, flannel-host-gw is preferred because it"},
			rests:    []string{"the verdicts on speed go in a circle"},
			because:  []string{"[circle] each of", "Schwartz", "[fewer-moving-parts] is preferred to calico-bgp because it has fewer moving parts"},
			rejected: []string{"calico-bgp [fewer-moving-parts] fits, but is slower than flannel-host-gw (they form a circle", "flannel-vxlan-directrouting [by-name] fits, but is slower than calico-bgp (they form a circle"}}},
	{"a circle and one that all of it beats", run(append([]lane{atSpeed("flannel-vxlan", 0.7)}, circular...), circle...),
		advised{plugin: "flannel-host-gw", level: "low", lowered: []string{"circle"}, unbeaten: "flannel-host-gw,flannel-vxlan-directrouting,calico-bgp",
			rejected: []string{"flannel-vxlan [slower] fits, but is slower than flannel-host-gw"}}},
	{"one that beats a whole circle", run(append([]lane{atSpeed("calico-ipip-crosssubnet", 0.97)}, circular...), circle...),
		advised{plugin: "calico-ipip-crosssubnet", level: "high", unbeaten: "calico-ipip-crosssubnet", says: []string{"it is the fastest"}}},
}
