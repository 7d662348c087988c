package advice

import (
	"slices"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// shown is what a test's run showed about a plugin.
type shown struct {
	name     string
	works    string // yes, no, or "" for a network that did not come up here
	overhead int    // bytes on the wire; -1 if nothing was captured
	policy   string
	reach    string
	speed    float64 // share of the host's speed, by every metric; 0 if not measured
	datapath bool
}

// onL2 is a run of everything that works across a switch. The speeds are in the order that was measured
// elsewhere: no encapsulation, then ipip, vxlan, udp.
var onL2 = []shown{
	{"flannel-vxlan", yes, 50, no, no, 0.80, false},
	{"flannel-vxlan-directrouting", yes, 0, no, no, 0.93, false},
	{"flannel-host-gw", yes, 0, no, no, 0.95, false},
	{"flannel-udp", yes, 28, no, no, 0.10, false},
	{"flannel-ipip", "", -1, "", "", 0, false},
	{"flannel-wireguard", yes, 60, no, no, 0.50, false},
	{"calico-bgp", yes, 0, yes, no, 0.90, false},
	{"calico-vxlan", yes, 50, yes, no, 0.78, false},
	{"calico-vxlan-crosssubnet", yes, 0, yes, no, 0.89, false},
}

// onRouted is the same across a router that has no routes to pods.
var onRouted = []shown{
	{"flannel-vxlan", yes, 50, no, no, 0.80, false},
	{"flannel-vxlan-directrouting", yes, 50, no, no, 0.79, false},
	{"flannel-host-gw", no, -1, "", "", 0, false},
	{"flannel-wireguard", yes, 60, no, no, 0.50, false},
	{"calico-bgp", no, -1, "", "", 0, false},
	{"calico-vxlan", yes, 50, yes, no, 0.78, false},
	{"calico-vxlan-crosssubnet", yes, 50, yes, no, 0.77, false},
}

// onVPC is a run on a cloud's network with its source/destination check on.
var onVPC = []shown{
	{"flannel-vxlan", yes, 50, no, no, 0.80, false},
	{"flannel-vxlan-directrouting", no, -1, "", "", 0, false},
	{"flannel-host-gw", no, -1, "", "", 0, false},
	{"flannel-wireguard", yes, 60, no, no, 0.50, false},
	{"calico-bgp", no, -1, "", "", 0, false},
	{"calico-vxlan", yes, 50, yes, no, 0.78, false},
	{"vpc-route", yes, 0, no, yes, 0.94, true},
	{"terway-eni", yes, 0, no, yes, 0.97, true},
	{"terway-eniip", yes, 0, no, yes, 0.92, true},
	{"aws-vpc-cni", yes, 0, no, yes, 0.91, true},
	{"cce-tunnel", yes, 50, yes, no, 0.76, true},
}

var runs = map[string][]shown{"l2": onL2, "routed": onRouted, "vpc": onVPC}

// factsOf returns the facts of a run.
func factsOf(topology string, all []shown) Facts {
	f := Facts{Topology: results.On(topology), Testbed: "lab", Nodes: 2, Complete: true}
	for _, s := range all {
		f.Plugins = append(f.Plugins, s.plugin())
	}
	for i, a := range all {
		for _, b := range all[:i] {
			f.Comparisons = append(f.Comparisons, compared(b, a)...)
		}
	}
	return f
}

func (s shown) plugin() Plugin {
	p := Plugin{Name: s.name, Fidelity: "agent", PathMTU: 1500, Rounds: 8, Facts: map[string]Fact{}}
	if s.datapath {
		p.Fidelity = DataPath
	}
	set := func(name, value string) {
		if value != "" {
			p.Facts[name] = Fact{value, words.Quote(name + " was seen: " + value)}
		}
	}
	set(Works, s.works)
	if s.works == "" {
		p.Facts[Works] = Fact{"", words.Quote("unsupported: the kernel lacks it")}
	}
	set(Policy, s.policy)
	set(Reachable, s.reach)
	if s.overhead >= 0 {
		overhead := s.overhead
		p.Overhead, p.PathMTU = &overhead, 1500-overhead
		set(Encapsulates, answer(overhead > 0))
		set(Encrypts, answer(s.name == "flannel-wireguard"))
		set(WireAgrees, yes)
	}
	return p
}

// compared returns one comparison of throughput and one of latency.
func compared(a, b shown) []Comparison {
	if a.speed == 0 || b.speed == 0 {
		return nil
	}
	ratio, verdict := a.speed/b.speed, stats.Inconclusive
	switch {
	case ratio > 1.005:
		verdict = stats.Faster
	case ratio < 0.995:
		verdict = stats.Slower
	}
	var all []Comparison
	for probe, metric := range map[string]string{"tcp-stream": "goodput", "tcp-rr": "p50"} {
		all = append(all, Comparison{A: a.name, B: b.name, Wire: "none", Probe: probe, Metric: metric, Ratio: ratio,
			CI: &[2]float64{ratio * 0.999, ratio * 1.001}, Verdict: verdict, Holds: verdict != stats.Inconclusive, Margin: stats.DefaultMargin, Detectable: 0.01, Deployments: stats.MinDeployments, Evidence: words.Quotef("%s %s ×%.3f to %s: %s", probe, a.name, ratio, b.name, verdict)})
	}
	return all
}

// without returns a run without the named plugins.
func without(all []shown, names ...string) []shown {
	return slices.DeleteFunc(slices.Clone(all), func(s shown) bool { return slices.Contains(names, s.name) })
}

// only returns a run with only the named plugins.
func only(all []shown, names ...string) []shown {
	return slices.DeleteFunc(slices.Clone(all), func(s shown) bool { return !slices.Contains(names, s.name) })
}

// but returns a run with a change to what was shown about one plugin.
func but(all []shown, name string, change func(*shown)) []shown {
	changed := slices.Clone(all)
	for i := range changed {
		if changed[i].name == name {
			change(&changed[i])
		}
	}
	return changed
}
