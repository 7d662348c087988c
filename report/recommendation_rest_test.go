package report_test

import (
	"math"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// sampleOf reports whether a sample is of a plugin.
func sampleOf(plugin string) func(results.Sample) bool {
	return func(s results.Sample) bool { return s.Plugin == plugin }
}

// marked adds a warning to the samples of a plugin from a round on.
func marked(plugin string, from int) option {
	return samples(plugin, func(s *results.Sample) {
		if s.Block >= from {
			s.Warnings = []words.Text{words.Quote("steal")}
		}
	})
}

func finding(plugin, name string) results.Record {
	return results.Record{Finding: &results.Finding{Plugin: plugin, Topology: results.On("l2"), Wire: "none", Probe: "mtu", Name: name, Text: words.Quote("mtu")}}
}

// doubts are runs in which something weakens the figures.
var doubts = []journalCase{
	{"a control that agrees", run(append([]lane{atSpeed("flannel-host-gw+control", 0.95)}, three...)), advised{plugin: "flannel-host-gw", level: "high", unbeaten: "flannel-host-gw"}},
	{"a control that differs", run(append(three[:3:3], atSpeed("flannel-host-gw+control", 0.9))),
		advised{plugin: "flannel-host-gw", level: "low", lowered: []string{"control-differs"}, unbeaten: "flannel-host-gw", rests: []string{"flannel-host-gw differs from its own copy (A/A control)"}}},
	{"a control of another plugin differs", run(append(three[:3:3], atSpeed("flannel-vxlan+control", 0.7))),
		advised{plugin: "flannel-host-gw", level: "low", lowered: []string{"control-differs"}, unbeaten: "flannel-host-gw"}},
	{"a verdict that rests on disturbed samples", run(three, marked("calico-bgp", 4)),
		advised{plugin: "flannel-host-gw", level: "low", lowered: []string{"disturbed"}, unbeaten: "flannel-host-gw",
			rests: []string{"without the disturbed samples the verdict on flannel-host-gw and calico-bgp is inconclusive instead of faster"}}},
	{"disturbed samples that change nothing", run(three, marked("calico-bgp", 18)), advised{plugin: "flannel-host-gw", level: "high", unbeaten: "flannel-host-gw"}},
	{"disturbed samples of an excluded plugin", run(append(three[:3:3], atSpeed("flannel-udp", 0.1)), marked("flannel-udp", 4)), advised{plugin: "flannel-host-gw", level: "high", unbeaten: "flannel-host-gw"}},
	{"the fastest is faster than the nodes' network", run(append([]lane{atSpeed("flannel-vxlan-directrouting", 1.1)}, three[1:]...)),
		advised{plugin: "flannel-vxlan-directrouting", level: "low", lowered: []string{"implausible"}, unbeaten: "flannel-vxlan-directrouting", rests: []string{"implausible results: faster-than-underlay"}}},
	{"a tunnel is faster than plain routes", run([]lane{atSpeed("flannel-vxlan", 0.95), atSpeed("flannel-host-gw", 0.9)}),
		advised{plugin: "flannel-vxlan", level: "low", lowered: []string{"implausible"}, unbeaten: "flannel-vxlan", rests: []string{"implausible results: tunnel-faster-than-plain"}}},
	{"plain routes are slower than a tunnel", run([]lane{atSpeed("flannel-host-gw", 0.9), atSpeed("flannel-vxlan", 0.95)}),
		advised{plugin: "flannel-vxlan", level: "medium", lowered: []string{"implausible-other"}, unbeaten: "flannel-vxlan", rests: []string{"implausible results of flannel-host-gw: tunnel-faster-than-plain"}}},
	{"the ratio drifts", run(three, times("flannel-host-gw", func(s results.Sample) float64 { return 1 + 0.002*float64(s.Block) })),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"wide-intervals", "notes"}, unbeaten: "flannel-host-gw", rests: []string{"comparisons are weakened (flannel-host-gw and calico-bgp: the ratio drifted by"}}},
	{"rounds that resemble each other", run(three, rounds(30), times("calico-bgp", func(s results.Sample) float64 { return 1 + 0.02*math.Sin(float64(s.Block)/2) })),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"notes"}, unbeaten: "flannel-host-gw", rests: []string{"neighbouring rounds resemble each other"}}},
	{"a warm-up", run(three, rounds(40), times("calico-bgp", func(s results.Sample) float64 {
		if s.Block < 8 {
			return 0.9
		}
		return 1
	})), advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"notes"}, unbeaten: "flannel-host-gw", rests: []string{"comparisons are weakened"}}},
	{"few rounds in common", run(three, withoutSamples(func(s results.Sample) bool { return s.Plugin == "calico-bgp" && s.Block%4 == 0 })),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"notes"}, unbeaten: "flannel-host-gw", rests: []string{"only 15 of 20 rounds have a sample of both"}}},
	{"the fastest by far, its ratio to the host unknown", run(three, noise(0.2, results.HostPlugin)),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"wide-intervals"}, unbeaten: "flannel-host-gw", says: []string{"it is the fastest"}}},
	{"a black hole", run(three, plus(finding("flannel-host-gw", results.FindingPMTUBlackHole))),
		advised{plugin: "flannel-host-gw", level: "low", lowered: []string{"grave-finding"}, unbeaten: "flannel-host-gw", says: []string{"But this was found on it: mtu."}, rests: []string{"found: pmtu-black-hole"}}},
	{"a pod MTU that is too small", run(three, plus(finding("flannel-host-gw", results.FindingPodMTUTooSmall))),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"finding"}, unbeaten: "flannel-host-gw", rests: []string{"found: pod-mtu-too-small"}}},
	{"a black hole of the nodes' network", run(three, plus(finding("flannel-host-gw", results.FindingPMTUBlackHole)), plus(finding(results.HostPlugin, results.FindingPMTUBlackHole))),
		advised{plugin: "flannel-host-gw", level: "high", unbeaten: "flannel-host-gw"}},
	{"a black hole of another plugin", run(three, plus(finding("flannel-vxlan", results.FindingPMTUBlackHole))), advised{plugin: "flannel-host-gw", level: "high", unbeaten: "flannel-host-gw"}},
}

// circumstances are runs that differ in what was deployed where, and in what is needed.
var circumstances = []journalCase{
	{"one plugin", run(three[2:]), advised{plugin: "flannel-vxlan", level: "medium", lowered: []string{"only-plugin"}, says: []string{"it is the only plugin that was measured"}}},
	{"one that fits", run([]lane{atSpeed("flannel-vxlan", 0.9), atSpeed("flannel-udp", 0.1)}),
		advised{plugin: "flannel-vxlan", level: "medium", lowered: []string{"only-fitting"}, says: []string{"of 2 plugins it is the only one that fits"}, rejected: []string{"flannel-udp [debugging-only]", "flannel-udp [slower] is slower than flannel-vxlan"}}},
	{"the fastest lacks a need", run(three, needs(func(n *results.Needs) { n.NetworkPolicy = true })),
		advised{plugin: "calico-bgp", level: "medium", lowered: []string{"only-fitting"}, rejected: []string{"flannel-host-gw [network-policy]", "flannel-vxlan [slower] is slower than calico-bgp"}}},
	{"the needs leave two", run(append(three[:3:3], atSpeed("calico-vxlan", 0.7)), needs(func(n *results.Needs) { n.NetworkPolicy = true })),
		advised{plugin: "calico-bgp", level: "high", unbeaten: "calico-bgp", says: []string{"of the 2 plugins that fit, it is the fastest"}, rejected: []string{"calico-vxlan [slower] fits, but is slower than calico-bgp"}}},
	{"the needs leave none", run(three, needs(func(n *results.Needs) { n.NetworkPolicy, n.Encryption = true, true })),
		advised{plugin: "", level: "low", lowered: []string{"not-all-measured"}, says: []string{"the need encryption excludes"}}},
	{"l2 is not known", run(three, needs(func(n *results.Needs) { n.L2 = "" })), advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"network-may-differ"}, unbeaten: "flannel-host-gw"}},
	{"the winner was not captured", run(three, captures("flannel-host-gw", nil)), advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"wire-not-captured"}, unbeaten: "flannel-host-gw", rests: []string{"the wire was not captured"}}},
	{"the winner's capture failed", run(three, captures("flannel-host-gw", func(e *results.Encapsulation) { e.Effective, e.Frames, e.Sent, e.Agrees = "unseen", 0, 0, false })),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"wire-not-captured"}, unbeaten: "flannel-host-gw"}},
	{"the fastest took another path", run(three, captures("flannel-host-gw", func(e *results.Encapsulation) { e.Effective, e.Frames, e.Agrees = "unseen", 0, false })),
		advised{plugin: "calico-bgp", level: "high", unbeaten: "calico-bgp", rejected: []string{"flannel-host-gw ["}}},
	{"another was not captured", run(three, captures("flannel-vxlan", nil)), advised{plugin: "flannel-host-gw", level: "high", unbeaten: "flannel-host-gw"}},
	{"the winner by its data path alone", run(three, networks("flannel-host-gw", func(n *results.Network) { n.Fidelity = "datapath" })),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"data-path"}, unbeaten: "flannel-host-gw", says: []string{"of which only the data path was measured"}}},
	{"stopped before its end", run(three, ended(results.EventStopped, false)), advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"incomplete"}, unbeaten: "flannel-host-gw"}},
	{"cut off", run(three, ended("", false)), advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"incomplete"}, unbeaten: "flannel-host-gw"}},
	{"stopped with one that fits", run([]lane{atSpeed("flannel-vxlan", 0.9), atSpeed("flannel-udp", 0.1)}, ended(results.EventStopped, false)),
		advised{plugin: "flannel-vxlan", level: "low", lowered: []string{"only-fitting", "incomplete-alone"}}},
	{"cut off before some came up", run(three, records(func(r *results.Record) bool {
		return (r.Network == nil || r.Network.Plugin != "flannel-vxlan") && (r.Sample == nil || r.Sample.Plugin != "flannel-vxlan") && (r.Encapsulation == nil || r.Encapsulation.Plugin != "flannel-vxlan") &&
			(r.Policy == nil || r.Policy.Plugin != "flannel-vxlan")
	}), ended("", false)), advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"incomplete"}, unbeaten: "flannel-host-gw", says: []string{"of the 2 plugins that fit"}}},
	{"the fastest did not come up", run(three, networks("flannel-host-gw", func(n *results.Network) { n.Status, n.Cause = results.StatusFailed, words.Quote("no route to host") }), withoutSamples(sampleOf("flannel-host-gw"))),
		advised{plugin: "calico-bgp", level: "high", unbeaten: "calico-bgp", rejected: []string{"flannel-host-gw [works]"}}},
	{"the fastest is not supported here", run(three, networks("flannel-host-gw", func(n *results.Network) {
		n.Status, n.Cause, n.Lacks = results.StatusUnsupported, words.KernelLacks.With("bridge"), "bridge"
	}), withoutSamples(sampleOf("flannel-host-gw"))), advised{plugin: "calico-bgp", level: "high", unbeaten: "calico-bgp", rejected: []string{"flannel-host-gw [works] was not shown to work here"}}},
	{"one in another kernel", run(three, inKernel("uml 6.1", "flannel-vxlan")),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"not-compared"}, unbeaten: "flannel-host-gw", says: []string{"it is the fastest", "the speed of flannel-vxlan was measured in another kernel (uml 6.1)"},
			rejected: []string{"flannel-vxlan [speed-unknown] fits, but its speed was not compared"}}},
	{"all but one in another kernel", run(three, inKernel("uml 6.1", "flannel-vxlan", "calico-bgp")),
		advised{plugin: "flannel-host-gw", level: "low", lowered: []string{"speed-not-compared"}, says: []string{"it is the one whose speed counts here"},
			rejected: []string{"flannel-vxlan [other-kernel] fits, but its speed was measured in another kernel (uml 6.1)"}}},
	{"all in another kernel", run(three, inKernel("uml 6.1", results.HostPlugin, "flannel-vxlan", "calico-bgp", "flannel-host-gw")),
		advised{plugin: "flannel-host-gw", level: "high", unbeaten: "flannel-host-gw", says: []string{"it is the fastest"}}},
	{"installed one after the other", run(three, func(d *described) { d.asked.Install = []string{"flannel-host-gw", "calico-bgp", "flannel-vxlan"} }),
		advised{plugin: "flannel-host-gw", level: "medium", lowered: []string{"notes"}, unbeaten: "flannel-host-gw", rests: []string{"they were never up at once"}}},
	// As long as every verdict rests on one deployment, the next two are medium and say "in this
	// deployment"; what is expected follows from the report's comparisons.
	{"two deployments", run(three, samples("", func(s *results.Sample) { s.Deployment = s.Block / 10 }), func(d *described) { d.asked.Redeploy = 2 }),
		advised{plugin: "flannel-host-gw", level: "high", unbeaten: "flannel-host-gw"}},
	{"enough deployments", run(three, rounds(36), samples("", func(s *results.Sample) { s.Deployment = s.Block / 6 }), func(d *described) { d.asked.Redeploy = 6 }),
		advised{plugin: "flannel-host-gw", level: "high", unbeaten: "flannel-host-gw", says: []string{"it is the fastest"}}},
}
