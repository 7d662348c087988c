package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report"
	ashtml "github.com/cnibench/cnibench/report/html"
	"github.com/cnibench/cnibench/report/machine"
	"github.com/cnibench/cnibench/report/model"
	astext "github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/report/view"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// synthetic is a plugin of a made-up run, with its results.
type synthetic struct {
	name, fidelity, kind string
	port, overhead       int
	goodput, p50         float64 // relative to the host's
	policy               bool
	fails                map[string]string // cause by topology
	unsupported          words.Text
	reachable            bool // from outside, on vpc topologies
}

var syntheticPlugins = []synthetic{
	{name: "host", fidelity: "agent", kind: "none", goodput: 1, p50: 1},
	{name: "flannel-vxlan", fidelity: "agent", kind: "vxlan", port: 8472, overhead: 50, goodput: 0.80, p50: 1.5},
	{name: "flannel-host-gw", fidelity: "agent", kind: "none", goodput: 0.97, p50: 1.1,
		fails: map[string]string{"routed": "next hop 100.64.1.2 is not on-link", "vpc": "dropped by the source/dest check of the VPC"}},
	{name: "flannel-udp", fidelity: "agent", kind: "udp", port: 8285, overhead: 28, goodput: 0.10, p50: 8},
	{name: "flannel-ipip", fidelity: "agent", unsupported: words.KernelLacks.With("ipip")},
	{name: "calico-bgp", fidelity: "agent", kind: "none", goodput: 0.92, p50: 1.4, policy: true,
		fails: map[string]string{"routed": "next hop 100.64.1.2 is not on-link", "vpc": "dropped by the source/dest check of the VPC"}},
	{name: "calico-vxlan", fidelity: "agent", kind: "vxlan", port: 4789, overhead: 50, goodput: 0.78, p50: 1.7, policy: true},
	{name: "vpc-route", fidelity: "datapath", kind: "none", goodput: 0.95, p50: 1.2, reachable: true,
		fails: map[string]string{"l2": "there is no VPC to put routes into", "routed": "there is no VPC to put routes into"}},
}

// syntheticRun returns a run on the given topologies, with little noise and a drift of
// the machine that affects all plugins equally.
func syntheticRun(needs *results.Needs, topologies ...string) *results.Recorded {
	start := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	r := &results.Recorded{Run: results.Run{Schema: results.RunSchema, ID: "synthetic", Started: start, CongestionControl: "cubic", Host: results.Host{CPUs: 2, Kernel: "6.18", CPU: "made up", Virtualization: "none", CongestionControl: "bbr", Privilege: "root"},
		Asked:   results.Asked{Testbed: "lab", Topology: topologies, Wire: []string{"none"}, MTU: 1500, Nodes: 2, Rounds: 8, Duration: 1, Needs: needs},
		Metrics: []results.Metric{{Probe: "tcp-stream", Name: "goodput", Unit: "bit/s", Better: "higher"}, {Probe: "tcp-rr", Name: "p50", Unit: "s", Better: "lower"}}}}
	for _, p := range syntheticPlugins {
		r.Run.Asked.Plugins = append(r.Run.Asked.Plugins, p.name)
	}
	add := func(rec results.Record) { r.Records = append(r.Records, rec) }
	for _, topology := range topologies {
		for _, p := range syntheticPlugins {
			p.facts(topology, add)
		}
	}
	for block := range 16 {
		for _, topology := range topologies {
			for _, p := range syntheticPlugins {
				p.samples(topology, block, add)
			}
		}
		add(results.Record{Event: &results.Event{Name: results.EventBlockEnd, Block: block}})
	}
	add(results.Record{Time: start.Add(5 * time.Minute), Event: &results.Event{Name: results.EventFinished, Complete: true}})
	return r
}

// facts adds the records that a network has once.
func (p synthetic) facts(topology string, add func(results.Record)) {
	n := results.Network{Plugin: p.name, Topology: results.On(topology), Status: results.StatusOK, Fidelity: p.fidelity, Kernel: "6.18", PodMTU: 1500 - p.overhead}
	switch {
	case !p.unsupported.Empty():
		n.Status, n.Cause, n.PodMTU = results.StatusUnsupported, p.unsupported, 0
	case p.fails[topology] != "":
		n.Status, n.Cause, n.PodMTU = results.StatusFailed, words.Quote(p.fails[topology]), 0
	}
	add(results.Record{Network: &n})
	if n.Status != results.StatusOK {
		return
	}
	add(results.Record{Encapsulation: &results.Encapsulation{Plugin: p.name, Topology: results.On(topology), From: "n1", To: "n2", Configured: p.kind, ConfiguredPort: p.port,
		ExpectedBytes: p.overhead, Effective: p.kind, Port: p.port, OverheadBytes: p.overhead, Frames: 32, Sent: 32, Agrees: true}})
	for _, pair := range [][2]string{{"n1", "n2"}, {"n2", "n1"}} {
		a := results.Adjacency{Plugin: p.name, Topology: results.On(topology), From: pair[0], To: pair[1], Neighbour: topology != "routed", Forwards: topology == "l2", ProxyARP: topology == "vpc"}
		switch topology {
		case "l2":
			a.TTL = 64
		case "routed":
			a.Cause = words.Quote("no answer to ARP: they are in different subnets")
		case "vpc":
			a.Cause = words.Quote("the VPC answers ARP, but forwards by address")
		}
		add(results.Record{Adjacency: &a})
	}
	if p.name == results.HostPlugin {
		return
	}
	in := results.Reachability{Plugin: p.name, Topology: results.On(topology), Direction: results.OutsideToPod, Reachable: p.reachable, Source: results.SourceKept}
	if !p.reachable {
		in.Source, in.Cause, in.LastSeen = "", words.Quote("no route to the pod"), "outside/eth0"
	}
	add(results.Record{Reachability: &in})
	add(results.Record{Reachability: &results.Reachability{Plugin: p.name, Topology: results.On(topology), Direction: results.PodToPod, Reachable: true, Source: results.SourceKept}})
	policy := results.Policy{Plugin: p.name, Topology: results.On(topology), Enforced: p.policy, Seconds: 0.26}
	if !p.policy {
		policy.Seconds, policy.Cause = 0, words.Quote("the plugin has no policy")
	}
	add(results.Record{Policy: &policy})
	add(results.Record{Hops: &results.Hops{Plugin: p.name, Topology: results.On(topology), Sent: 100, Devices: []string{"n1/eth0", "n2/eth0"}, Arrived: true}})
}

// samples adds the samples of one block.
func (p synthetic) samples(topology string, block int, add func(results.Record)) {
	if !p.unsupported.Empty() || p.fails[topology] != "" {
		return
	}
	drift := 1 + 0.02*float64(block%3) + 0.001*float64(block)
	own := 1 + 0.001*float64((block*7+len(p.name))%5)
	cell := results.Cell{Plugin: p.name, Topology: results.On(topology), Wire: "none"}
	agents := map[string]float64{"flannel-udp": 0.9}[p.name] + 0.01
	if p.fidelity == "datapath" || p.name == results.HostPlugin {
		agents = 0
	}
	add(results.Record{Sample: &results.Sample{Cell: cell, Probe: "tcp-stream", Block: block, Seconds: 1, Placement: results.Placement{Mode: "split"}, AgentSeconds: agents,
		Values: map[string]float64{"goodput": 8e9 * p.goodput * drift * own}}})
	add(results.Record{Sample: &results.Sample{Cell: cell, Probe: "tcp-rr", Block: block, Seconds: 1, Placement: results.Placement{Mode: "same"},
		Values: map[string]float64{"p50": 2e-5 * p.p50 * drift * own}}})
}

// TestGoldenOfThreeTopologies renders the advice, the matrix and the claims of
// a made-up run.
func TestGoldenOfThreeTopologies(t *testing.T) {
	r := build(t, syntheticRun(&results.Needs{Nodes: 20, NodesLater: 120}, "l2", "routed", "vpc"))
	zh := chinese(t)
	for name, render := range map[string]func(io.Writer) error{"three.txt": people(astext.Write, r, nil), "three.json": of(machine.JSON, r), "three.html": people(ashtml.Write, r, nil),
		"three.zh.txt": people(astext.Write, r, zh), "three.zh.html": people(ashtml.Write, r, zh)} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := render(&got); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("differs from %s (go test ./report -update rewrites it):\n%s", golden, diff)
			}
		})
	}
}

// TestAdviceOfARecord checks the recommendations for records: each changes with the need
// that decides it.
func TestAdviceOfARecord(t *testing.T) {
	for _, c := range []struct {
		name string
		n    results.Needs
		want map[string]string
	}{
		{"no needs", results.Needs{}, map[string]string{"l2": "flannel-host-gw", "routed": "flannel-vxlan", "vpc": "vpc-route"}},
		{"policy", results.Needs{NetworkPolicy: true}, map[string]string{"l2": "calico-bgp", "routed": "calico-vxlan", "vpc": "calico-vxlan"}},
		{"reachable pods", results.Needs{PodIPsReachable: true}, map[string]string{"l2": "", "routed": "", "vpc": "vpc-route"}},
		{"no overlay", results.Needs{NoOverlay: true}, map[string]string{"l2": "flannel-host-gw", "routed": "", "vpc": "vpc-route"}},
		{"encryption", results.Needs{Encryption: true}, map[string]string{"l2": "", "routed": "", "vpc": ""}},
		{"more nodes than routes", results.Needs{Cloud: "alibaba", Nodes: 1200}, map[string]string{"vpc": "flannel-vxlan"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := build(t, syntheticRun(&c.n, "l2", "routed", "vpc"))
			for _, a := range r.Recommendation {
				if want, ok := c.want[a.Topology.String()]; ok && a.Plugin != want {
					t.Errorf("on %s %q is recommended, want %q: %s", a.Topology, a.Plugin, want, a.Summary)
				}
			}
		})
	}
}

// TestRecommendationInJSON checks that the recommendation is an object for one topology
// and a list for several, and that both can be read again.
func TestRecommendationInJSON(t *testing.T) {
	for first, topologies := range map[string][]string{"{": {"l2"}, "[": {"l2", "vpc"}} {
		t.Run(fmt.Sprint(topologies), func(t *testing.T) {
			r := build(t, syntheticRun(nil, topologies...))
			text, err := json.Marshal(r.Recommendation)
			if err != nil || !strings.HasPrefix(string(text), first) {
				t.Fatalf("%v: %.40s", err, text)
			}
			var again model.Recommendations
			sameWords := cmp.Comparer(func(a, b words.Text) bool { return a.String() == b.String() })
			if err := json.Unmarshal(text, &again); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(r.Recommendation, again, sameWords); diff != "" {
				t.Error(diff)
			}
		})
	}
	if text, _ := json.Marshal(model.Recommendations{}); string(text) != "[]" {
		t.Errorf("no advice is %s", text)
	}
}

// TestMatrix checks what works on which topology, and the reasons if it does not.
func TestMatrix(t *testing.T) {
	recorded := syntheticRun(nil, "l2", "vpc")
	recorded.Records = append(recorded.Records, results.Record{Finding: &results.Finding{Plugin: "flannel-vxlan", Topology: results.On("l2"), Probe: "mtu", Name: "mtu-too-large", Text: words.Quote("pods take packets that the tunnel cannot carry")}})
	r := build(t, recorded)
	got := map[string]string{}
	m := view.MatrixOf(r)
	for _, row := range m.Rows {
		for i, c := range row.Cells {
			got[row.Plugin+" on "+m.Topologies[i].String()] = c.Text().String()
		}
	}
	for where, want := range map[string]string{
		"flannel-host-gw on l2":  "works",
		"flannel-host-gw on vpc": "does not work: dropped by the source/dest check of the VPC",
		"flannel-vxlan on l2":    "works, but: pods take packets that the tunnel cannot carry",
		"flannel-vxlan on vpc":   "works",
		"flannel-ipip on l2":     "not measured: unsupported: kernel lacks ipip",
	} {
		if got[where] != want {
			t.Errorf("%s: %q, want %q", where, got[where], want)
		}
	}
}

// TestCutOffRunRecommendsNothingUnseen builds the report of a run that ended before most
// of its networks came up.
func TestCutOffRunRecommendsNothingUnseen(t *testing.T) {
	recorded := syntheticRun(nil, "l2")
	recorded.Records = recorded.Records[:1] // only the host's network
	r, err := report.Build(recorded, catalogue.All())
	if err != nil {
		t.Fatal(err)
	}
	if a := r.Recommendation[0]; a.Plugin != "" || len(a.Rejected) > 0 || a.Summary.String() != "On l2 no plugin was measured, so none is recommended." {
		t.Errorf("%+v", a)
	} else if !strings.Contains(a.NotMeasured[0].String(), "the run ended before these were brought up: flannel-vxlan, flannel-host-gw") {
		t.Errorf("not measured: %q", a.NotMeasured)
	}
}
