package accept

import (
	"strings"
	"testing"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
)

// TestCheckRun checks thresholds against runs that can decide them and runs that
// cannot.
func TestCheckRun(t *testing.T) {
	figure := func(probe, name, unit string, baseline bool) Figure {
		return Figure{Metric: results.Metric{Probe: probe, Name: name, Unit: unit}, Baseline: baseline}
	}
	figures := []Figure{figure("tcp-stream", "goodput", "bit/s", true), figure("tcp-rr", "p50", "s", true), figure("tcp-rr", "p99", "s", true),
		figure("udp-rr", "p50", "s", true), {Metric: results.Metric{Probe: "mtu", Name: "path", Unit: "byte", Fact: true}, Baseline: true}, figure("cni-time", "add", "s", false), figure("service", "rate", "1/s", true),
		{Metric: results.Metric{Probe: "hairpin", Name: "rate", Unit: "1/s"}, Covers: func(topology string) bool { return topology == results.SameNode }}}
	lab := func(change func(a *results.Asked)) results.Asked {
		a := results.Asked{Testbed: "lab", Plugins: []string{"host", "calico-bgp"}, Topology: []string{"l2"}, Wire: []string{"none", "1gbit"},
			Probes: []string{"tcp-stream", "tcp-rr:size=64", "cni-time", "encap"}, MaxRounds: 30}
		if change != nil {
			change(&a)
		}
		return a
	}
	probes := func(names ...string) results.Asked { return lab(func(a *results.Asked) { a.Probes = names }) }
	cloud := lab(func(a *results.Asked) {
		a.Plugins, a.Topology, a.Probes = []string{"host", "calico-vxlan", "terway-eni"}, []string{"l2", "vpc:l3-only"}, []string{"tcp-rr", "policy"}
	})
	cluster := results.Asked{Testbed: "cluster", Topology: []string{"l2"}, Wire: []string{"1gbit"}, Probes: []string{"tcp-rr", "encap", "cni-time"}, MaxRounds: 30}
	onPaths := cluster
	onPaths.Plugins, onPaths.Probes = []string{"calico-bgp"}, []string{"hairpin"}
	for _, c := range []struct {
		name, threshold string
		asked           results.Asked
		says            string // "" if it can be decided
	}{
		{"a figure", "metric: tcp-stream goodput, at_least: 1 Mbit/s", lab(nil), ""},
		{"a figure of a probe with parameters", "metric: \"tcp-rr:size=64 p50\", of: host, at_most: 3", lab(nil), ""},
		{"the same probe without them", "metric: tcp-rr p50, at_most: 1 s", lab(nil), "threshold 1 is about tcp-rr p50, which the run does not measure: add the probe tcp-rr to run.probes"},
		{"a probe that is not asked for", "metric: udp-rr p50, at_most: 1 s", lab(nil), "add the probe udp-rr to run.probes"},
		{"a figure that its probe does not have", "metric: tcp-rr p90, at_most: 1 s", probes("tcp-rr"), `no probe measures; did you mean tcp-rr p`},
		{"a probe that does not exist", "metric: tcp-strem goodput, at_least: 1", lab(nil), "did you mean tcp-stream goodput"},
		{"a unit of something else", "metric: tcp-stream goodput, at_least: 1 ms", lab(nil), "cannot be compared"},
		{"too few rounds", "metric: tcp-stream goodput, at_least: 1", lab(func(a *results.Asked) { a.Rounds = 5 }), "takes 6 rounds, but the run has 5"},
		{"too few rounds at most", "metric: tcp-stream goodput, at_least: 1", lab(func(a *results.Asked) { a.MaxRounds = 4 }), "the run has 4"},
		{"few rounds for a fact", "fact: encapsulation kind, is: none", lab(func(a *results.Asked) { a.Rounds = 1 }), ""},
		{"few rounds for a figure that does not vary", "metric: mtu path, at_least: 1400 byte", lab(func(a *results.Asked) { a.Rounds, a.Probes = 1, []string{"mtu"} }), ""},
		{"an earlier run that is not named", "metric: tcp-stream goodput, of: earlier, at_least: 1", lab(nil), "none is named"},
		{"of host where only pods are measured", "metric: cni-time add, of: host, at_most: 1", lab(nil), "compares with host, which cni-time does not measure"},
		{"of pods themselves", "metric: cni-time add, at_most: 1 s", lab(nil), ""},
		{"host of host", "plugin: host, metric: tcp-stream goodput, of: host, at_least: 1", lab(nil), "compares host with itself"},
		{"a Service in the lab", "metric: service rate, at_least: 1", probes("service"), "which the testbed lab cannot measure"},
		{"a plugin that is not asked for", "plugin: flannel-*, metric: tcp-stream goodput, at_least: 1", lab(nil), "matches nothing in the run, which has plugins host, calico-bgp;"},
		{"an alias", "plugin: calico, metric: tcp-stream goodput, at_least: 1", lab(nil), ""},
		{"a control", "plugin: calico-bgp+control, metric: tcp-stream goodput, at_least: 1", lab(func(a *results.Asked) { a.Control = "calico-bgp" }), ""},
		{"no control", "plugin: calico-bgp+control, metric: tcp-stream goodput, at_least: 1", lab(nil), "matches nothing"},
		{"a topology that is not asked for", "topology: routed, metric: tcp-stream goodput, at_least: 1", lab(nil), "topologies l2;"},
		{"a rate limit that is not asked for", "wire: 10gbit, metric: tcp-stream goodput, at_least: 1", lab(nil), "rate limits (wire) none, 1gbit"},
		{"the wire", "fact: encapsulation agrees, is: true", lab(nil), ""},
		{"the wire, unseen", "fact: encapsulation agrees, is: true", probes("tcp-rr"), "add the probe encap to run.probes"},
		{"adjacency", "fact: adjacency neighbour, is: true", lab(nil), "add the probe adjacency"},
		{"reachability", "fact: reachability pod-to-pod, is: true", lab(nil), "add the probe reach"},
		{"a source", "fact: source pod-to-pod, is: kept", lab(nil), "add the probe reach"},
		{"policy", "fact: policy enforced, is: true", lab(nil), "add the probe policy"},
		{"the pods' MTU, which every run knows", "fact: mtu pod, at_least: 1400", probes("encap"), ""},
		{"findings beside figures", "fact: findings, at_most: 0", lab(nil), ""},
		{"findings beside none", "fact: findings, at_most: 0", probes("encap"), "add a probe that measures one"},
		{"set-up", "setup: cni_add_ms, at_most: 1 s", lab(nil), ""},
		{"set-up of the baseline", "plugin: host, setup: cni_add_ms, at_most: 1 s", lab(nil), "neither agents nor pods"},
		{"a place where one cannot run", "metric: tcp-rr p50, at_most: 1 s", cloud, "also covers terway-eni on l2, where it cannot run: it needs a VPC"},
		{"the place where it can", "topology: \"vpc*\", metric: tcp-rr p50, at_most: 1 s", cloud, ""},
		{"policy of agents that do not run", "topology: \"vpc*\", fact: policy enforced, is: true", cloud, "which runs only its data path"},
		{"policy of those that do", "plugin: \"calico*\", fact: policy enforced, is: true", cloud, ""},
		{"a cluster's topology", "topology: cluster, fact: encapsulation kind, is: none", cluster, ""},
		{"a probe between two pods on one node", "metric: hairpin rate, at_least: 1", onPaths, "also covers calico-bgp on cluster, where hairpin is not measured"},
		{"that node", "topology: same-node, plugin: calico-bgp, metric: hairpin rate, at_least: 1", onPaths, ""},
		{"a cluster's one node", "fact: encapsulation kind, is: none", cluster, "on same-node, where packets do not leave the node"},
		{"the lab's rate limit on a cluster", "wire: 1gbit, metric: tcp-rr p50, at_most: 1 s", cluster, "rate limits (wire) none"},
		{"a setup figure that clusters do not have", "setup: agent_rss_bytes, at_most: 1", cluster, "cannot be measured on a cluster"},
		{"a probe that clusters do not have", "metric: cni-time add, at_most: 1 s", cluster, "which the testbed cluster cannot measure"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := parse(t, c.threshold).CheckRun(c.asked, figures, catalogue.All())
			if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("error %v, want %q", err, c.says)
			}
		})
	}
}

// TestCheckRunNamesAll names every threshold that cannot be decided, each by
// its number.
func TestCheckRunNamesAll(t *testing.T) {
	s, err := Parse([]byte("thresholds:\n- {fact: policy enforced, is: true}\n- {fact: mtu pod, at_least: 1}\n- {fact: adjacency forwards, is: true}\n"), results.Asked{})
	if err != nil {
		t.Fatal(err)
	}
	asked := results.Asked{Testbed: "lab", Plugins: []string{"calico-bgp"}, Topology: []string{"l2"}, Wire: []string{"none"}, Probes: []string{"tcp-rr"}}
	err = s.CheckRun(asked, nil, catalogue.All())
	if err == nil || strings.Count(err.Error(), "\n") != 1 || !strings.Contains(err.Error(), "threshold 1 ") || !strings.Contains(err.Error(), "threshold 3 ") {
		t.Errorf("error %v", err)
	}
}
