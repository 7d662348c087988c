package report_test

import (
	"math"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/report/facts"
	ashtml "github.com/cnibench/cnibench/report/html"
	"github.com/cnibench/cnibench/report/model"
	astext "github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// seen returns the record of a capture that saw the given number of frames of the 32
// packets sent.
func seen(plugin, topology, configured string, expected int, effective string, overhead, frames int) results.Record {
	e := &results.Encapsulation{Plugin: plugin, Topology: results.On(topology), Configured: configured, ExpectedBytes: expected, Effective: effective,
		OverheadBytes: overhead, Frames: frames, Sent: 32, Agrees: configured == effective && frames == 32}
	return results.Record{Encapsulation: e}
}

// onWireRun returns a run with six rounds of the host and a plugin on a topology at
// 1 Gbit/s.
func onWireRun(plugin, topology, probe string, podMTU int, ofHost float64, more ...results.Record) *results.Recorded {
	r := record(network("host", "ok", "", 1500), network(plugin, "ok", "", podMTU))
	r.Run.Asked.Plugins, r.Run.Asked.Topology = []string{"host", plugin}, []string{topology}
	r.Run.Metrics[0].Probe = probe
	for block := range 6 {
		r.Records = append(r.Records, goodput("host", block, 0.95e9*(1+0.001*float64(block))), goodput(plugin, block, 0.95e9*ofHost*(1+0.001*float64(block))))
	}
	for i := range r.Records {
		if n := r.Records[i].Network; n != nil {
			n.Topology = results.On(topology)
		}
		if s := r.Records[i].Sample; s != nil {
			s.Topology, s.Probe = results.On(topology), probe
		}
	}
	r.Records = append(r.Records, more...)
	return r
}

// TestExpectedFollowsTheWire checks that expected goodput, the split of the loss and the
// alarms follow from the captured packets.
func TestExpectedFollowsTheWire(t *testing.T) {
	failedLook := results.Record{Encapsulation: &results.Encapsulation{Plugin: "flannel-vxlan-directrouting", Topology: results.On("l2"), Configured: "none",
		Effective: "unseen", Warnings: words.Quotes([]string{"the wire could not be captured: no permission"})}}
	const plain, vxlan, wide = 1448.0 / 1514, 1398.0 / 1514, 1398.0 / 1464
	for _, c := range []struct {
		name, plugin, topology, probe string
		podMTU                        int
		record                        []results.Record
		want                          float64 // share of 1 Gbit/s; 0: no expectation
	}{
		{"no capture, always encapsulated", "flannel-vxlan", "l2", "tcp-stream", 1450, nil, vxlan},
		{"no capture, only between subnets, one subnet", "flannel-vxlan-directrouting", "l2", "tcp-stream", 1450, nil, wide},
		{"no capture, only between subnets, two subnets", "flannel-vxlan-directrouting", "routed", "tcp-stream", 1450, nil, vxlan},
		{"no capture, only between subnets, a VPC's one subnet", "calico-vxlan-crosssubnet", "vpc:srcdst-off", "tcp-stream", 1450, nil, wide},
		{"no capture, only between subnets, a VPC's two subnets", "calico-vxlan-crosssubnet", "vpc:srcdst-off:two-subnets", "tcp-stream", 1450, nil, vxlan},
		{"no capture, only between subnets, a cluster", "calico-vxlan-crosssubnet", "cluster", "tcp-stream", 1450, nil, 0},
		{"the capture failed, but recorded the expected bytes", "flannel-vxlan-directrouting", "l2", "tcp-stream", 1450, []results.Record{failedLook}, wide},
		{"seen plain", "calico-ipip-crosssubnet", "l2", "tcp-stream", 1480, []results.Record{seen("calico-ipip-crosssubnet", "l2", "none", 0, "none", 0, 32)}, 1428.0 / 1494},
		{"seen plain against the catalogue", "flannel-vxlan", "l2", "tcp-stream", 1450, []results.Record{seen("flannel-vxlan", "l2", "vxlan", 50, "none", 0, 32)}, wide},
		{"seen encapsulated against the catalogue", "flannel-host-gw", "l2", "tcp-stream", 1450, []results.Record{seen("flannel-host-gw", "l2", "none", 0, "vxlan", 50, 32)}, vxlan},
		{"seen mixed", "flannel-vxlan", "l2", "tcp-stream", 1450, []results.Record{seen("flannel-vxlan", "l2", "vxlan", 50, "mixed", 50, 32)}, 0},
		{"captured and not seen", "flannel-vxlan", "l2", "tcp-stream", 1450, []results.Record{seen("flannel-vxlan", "l2", "vxlan", 50, "unseen", 0, 0)}, 0},
		{"seen in one direction only", "flannel-vxlan", "l2", "tcp-stream", 1450, []results.Record{seen("flannel-vxlan", "l2", "vxlan", 50, "vxlan", 50, 16)}, 0},
		{"unknown to the catalogue, but seen", "weave", "l2", "tcp-stream", 1450, []results.Record{seen("weave", "l2", "unknown", 0, "vxlan", 50, 32)}, vxlan},
		{"unknown to the catalogue", "weave", "l2", "tcp-stream", 1450, nil, 0},
		{"both directions", "flannel-vxlan", "l2", "tcp-stream:both", 1450, nil, 2 * vxlan},
		{"both directions, with other parameters", "flannel-vxlan", "l2", "tcp-stream:streams=4:both", 1450, nil, 2 * vxlan},
		{"only the reverse direction", "flannel-vxlan", "l2", "tcp-stream:reverse", 1450, nil, vxlan},
		{"inside a node", "flannel-vxlan", results.SameNode, "tcp-stream", 1450, nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			// The plugin has the goodput that its packets allow, or that of the host.
			ofHost := 1.0
			if c.want > 0 {
				ofHost = c.want / plain
			}
			r := build(t, onWireRun(c.plugin, c.topology, c.probe, c.podMTU, ofHost, c.record...))
			cell := r.Cell(results.Cell{Plugin: c.plugin, Topology: results.On(c.topology), Wire: "1gbit"})
			got := cell.Metric(c.probe, "goodput").Expected
			if c.want == 0 && got != nil || c.want > 0 && (got == nil || math.Abs(*got-c.want*1e9) > 1) {
				t.Errorf("expected goodput is %v, want %.0f", got, c.want*1e9)
			}
			split := c.want > 0 && c.probe == "tcp-stream"
			if (cell.Loss != nil) != split || split && math.Abs(cell.Loss.Header-(1-c.want/plain)) > 1e-9 {
				t.Errorf("loss: %+v", cell.Loss)
			}
			for _, i := range r.Implausible {
				if i.Rule == "above-the-wire" {
					t.Errorf("a false alarm: %+v", i)
				}
			}
		})
	}
}

// TestExpectedFollowsTheCluster checks that without a capture the arithmetic follows
// from what the cluster says of the wire.
func TestExpectedFollowsTheCluster(t *testing.T) {
	for _, c := range []struct {
		name, plugin string
		configured   *results.Configured
		podMTU       int
		want         float64 // share of 1 Gbit/s; 0: no expectation
	}{
		{"as the catalogue says", "flannel-vxlan", nil, 1450, 1398.0 / 1514},
		{"over IPv6", "flannel-vxlan", &results.Configured{Encapsulation: "vxlan", Port: 8472, OverheadBytes: 70}, 1430, 1378.0 / 1514},
		{"a plugin that the catalogue lacks", "cilium-native", &results.Configured{Encapsulation: "none"}, 1500, 1448.0 / 1514},
		{"contradicted", "flannel-vxlan", &results.Configured{Encapsulation: "unknown"}, 1450, 0},
		{"between subnets only", "flannel-vxlan", &results.Configured{Encapsulation: "vxlan", OverheadBytes: 50, SubnetsOnly: true}, 1450, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			recorded := onWireRun(c.plugin, "cluster", "tcp-stream", c.podMTU, 1)
			for i := range recorded.Records {
				if n := recorded.Records[i].Network; n != nil && n.Plugin == c.plugin {
					n.Configured = c.configured
				}
			}
			r := build(t, recorded)
			cell := r.Cell(results.Cell{Plugin: c.plugin, Topology: results.On("cluster"), Wire: "1gbit"})
			got := cell.Metric("tcp-stream", "goodput").Expected
			if c.want == 0 && got != nil || c.want > 0 && (got == nil || math.Abs(*got-c.want*1e9) > 1) {
				t.Errorf("expected goodput is %v, want %.0f", got, c.want*1e9)
			}
		})
	}
}

// TestContradictedIsNotRecommended gives figures the name of a plugin that pods and
// nodes do not show.
func TestContradictedIsNotRecommended(t *testing.T) {
	recorded := onWireRun("flannel-vxlan", "cluster", "tcp-stream", 1450, 0.9)
	why := words.Contradicted.With("flannel-vxlan", words.DeviceIsOf.With("lxc1", "Cilium"))
	for i := range recorded.Records {
		if n := recorded.Records[i].Network; n != nil && n.Plugin == "flannel-vxlan" {
			n.Contradicted, n.Configured = why, &results.Configured{Encapsulation: "unknown"}
		}
	}
	r := build(t, recorded)
	if len(r.Recommendation) != 1 || r.Recommendation[0].Plugin != "" || len(r.Recommendation[0].Rejected) != 1 {
		t.Fatalf("%+v", r.Recommendation)
	}
	if because := r.Recommendation[0].Rejected[0].Because; len(because) == 0 || because[0].Rule != "another-plugin" || !strings.Contains(because[0].Evidence.String(), "lxc1") {
		t.Errorf("%+v", because)
	}
}

// TestAboveTheWireIsStillFound checks the alarm for goodput above the rate limit in both
// directions together.
func TestAboveTheWireIsStillFound(t *testing.T) {
	for _, probe := range []string{"tcp-stream", "tcp-stream:both"} {
		r := build(t, onWireRun("flannel-vxlan", "l2", probe, 1450, 2.2))
		if alarms := rulesOf(r); !strings.Contains(alarms, "above-the-wire") {
			t.Errorf("%s: %q", probe, alarms)
		}
	}
}

func rulesOf(r *model.Report) string {
	var names []string
	for _, i := range r.Implausible {
		names = append(names, i.Rule+" of "+i.Plugin)
	}
	return strings.Join(names, ", ")
}

// TestTunnelFasterThanPlain checks that captured packets decide which of two modes has a
// tunnel.
func TestTunnelFasterThanPlain(t *testing.T) {
	for _, c := range []struct {
		name   string
		record []results.Record
		want   bool
	}{
		{"configured", nil, true},
		{"the tunnel is not on the wire", []results.Record{seen("flannel-vxlan", "l2", "vxlan", 50, "none", 0, 32)}, false},
		{"the plain mode has a tunnel too", []results.Record{seen("flannel-host-gw", "l2", "none", 0, "vxlan", 50, 32)}, false},
		{"the tunnel's packets were not seen", []results.Record{seen("flannel-vxlan", "l2", "vxlan", 50, "unseen", 0, 0)}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			recorded := steady(12, func(s *results.Sample) {
				if s.Plugin == "flannel-host-gw" {
					s.Values["goodput"] *= 0.5
				}
			})
			recorded.Records = append(recorded.Records, c.record...)
			if got := rulesOf(build(t, recorded)); strings.Contains(got, "tunnel-faster-than-plain of flannel-") != c.want {
				t.Errorf("%q", got)
			}
		})
	}
}

// TestPathThatTheWireDidNotCarry checks that figures are not compared if the packets took
// another path.
func TestPathThatTheWireDidNotCarry(t *testing.T) {
	host := func(frames int) results.Record {
		kind := "none"
		if frames == 0 {
			kind = "unseen"
		}
		return seen("host", "l2", "none", 0, kind, 0, frames)
	}
	unseen := seen("flannel-vxlan", "l2", "vxlan", 50, "unseen", 0, 0)
	for _, c := range []struct {
		name   string
		record []results.Record
		away   bool
		fact   string
		says   string
	}{
		{"no capture", nil, false, "", "the wire was not captured"},
		{"the capture failed", []results.Record{{Encapsulation: &results.Encapsulation{Plugin: "flannel-vxlan", Topology: results.On("l2"), Configured: "vxlan", Effective: "unseen",
			Warnings: words.Quotes([]string{"the wire could not be captured: no permission"})}}}, false, "", "could not be captured"},
		{"seen", []results.Record{host(32), seen("flannel-vxlan", "l2", "vxlan", 50, "vxlan", 50, 32)}, false, "yes", ""},
		{"some frames were dropped", []results.Record{host(32), seen("flannel-vxlan", "l2", "vxlan", 50, "vxlan", 50, 30)}, false, "yes", ""},
		{"not seen", []results.Record{host(32), unseen}, true, "no", "0 of 32 packets were seen on the wire between the nodes, although they arrived"},
		{"one direction was not seen", []results.Record{host(32), seen("flannel-vxlan", "l2", "vxlan", 50, "vxlan", 50, 16)}, true, "no", "16 of 32 packets"},
		{"the host's was not seen", []results.Record{host(0), seen("flannel-vxlan", "l2", "vxlan", 50, "vxlan", 50, 32)}, true, "yes", "host on l2: 0 of 32 packets"},
		{"neither was seen: the capture was on another link", []results.Record{host(0), unseen}, false, "", "the nodes' own packets were not seen there either"},
	} {
		t.Run(c.name, func(t *testing.T) {
			recorded := onWireRun("flannel-vxlan", "l2", "tcp-stream", 1450, 114, c.record...)
			recorded.Records = append(recorded.Records, results.Record{Hops: &results.Hops{Plugin: "flannel-vxlan", Topology: results.On("l2"), Sent: 100, Devices: []string{"n1/eth0", "n2/eth0"}, Arrived: true}})
			r := build(t, recorded)
			cell := r.Cell(results.Cell{Plugin: "flannel-vxlan", Topology: results.On("l2"), Wire: "1gbit"})
			m := cell.Metric("tcp-stream", "goodput")
			if (m.VsHost == nil) != c.away || c.away && !strings.Contains(words.Clauses(m.Warnings...).String(), "no ratio to host") {
				t.Errorf("ratio %+v, warnings %q", m.VsHost, m.Warnings)
			}
			if c.away && (cell.Loss != nil || !strings.Contains(rulesOf(r), "not-on-this-wire")) {
				t.Errorf("loss %+v, alarms %q", cell.Loss, rulesOf(r))
			}
			p := pair(t, r, "flannel-vxlan", "host")
			if (p.Ratio == nil) != c.away || c.away && (p.Verdict != stats.Inconclusive || !strings.Contains(p.Sentence.String(), "took different paths")) {
				t.Errorf("%+v", p)
			}
			if got := facts.OfPlugin(r, "flannel-vxlan", results.On("l2")).Facts["path_seen"]; got.Value != c.fact {
				t.Errorf("path_seen is %+v, want %q", got, c.fact)
			}
			text, page := rendered(t, people(astext.Write, r, nil)), rendered(t, people(ashtml.Write, r, nil))
			if failed := c.name == "the capture failed"; failed != strings.Contains(text, "not measured") || failed && strings.Contains(text+page, "disagrees") {
				t.Errorf("a capture that failed shows nothing, and is reported as:\n%s", text)
			}
			if c.away && strings.Contains(text, "No order contradicts physics") {
				t.Error("the text says that nothing contradicts physics")
			}
			if !strings.Contains(text+facts.SeenOnWire(r, "flannel-vxlan", results.On("l2")).Evidence.String(), c.says) {
				t.Errorf("%q is not said:\n%s", c.says, text)
			}
			if e := r.Captured("flannel-vxlan", results.On("l2")); e != nil && facts.Missed(e) != strings.Contains(page, "the packets were not seen on this wire") {
				t.Error("the page does not say that the packets were not seen on this wire, or says so of packets that were")
			}
		})
	}
}
