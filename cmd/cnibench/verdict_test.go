package main

import (
	"strings"
	"testing"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// TestVerdicts compares real plugins, one of them with a copy of itself.
func TestVerdicts(t *testing.T) {
	needs(t, "flannel-vxlan", "flannel-host-gw", "flannel-udp")
	wires := sample([]string{results.WireNone, "1gbit"}, func(wire string) bool { return wire == "1gbit" })
	// Few rounds cannot tell a slow plugin whose samples vary by half from the others.
	r := measure(t, "--plugins", "flannel-vxlan,flannel-host-gw,flannel-udp", "--control", "flannel-vxlan", "--probes", "tcp-stream",
		"--wire", strings.Join(wires, ","), "--rounds", "40", "--duration", "200ms")
	for _, wire := range wires {
		// At its level, a control is called different in one of twenty runs. The test
		// fails only where chance does so in one of five hundred.
		const chance = 0.002
		c := comparison(t, r, "flannel-vxlan+control", "flannel-vxlan", wire)
		if apart := c.Verdict == stats.Faster || c.Verdict == stats.Slower; !c.Control || apart && c.PAdjusted < chance {
			t.Errorf("the control over %s: %+v", wire, c)
		}
		for _, other := range []string{"flannel-vxlan", "flannel-host-gw"} {
			if c := comparison(t, r, other, "flannel-udp", wire); c.Verdict != stats.Faster {
				t.Errorf("flannel-udp over %s: %+v", wire, c)
			}
		}
		if c := comparison(t, r, "flannel-udp", results.HostPlugin, wire); c.Verdict != stats.Slower {
			t.Errorf("flannel-udp over %s: %+v", wire, c)
		}
	}
	// VXLAN's headers leave 1398 of the 1448 bytes of a full-sized segment. The
	// interval is narrower than the error of a token bucket: its burst and the ends
	// of the window add up to a thousandth.
	const headers, exact = 0.9655, 0.001
	c := comparison(t, r, "flannel-vxlan", "flannel-host-gw", "1gbit")
	// On a busy machine the interval may be too wide to decide.
	if c.Verdict != stats.Slower && c.Verdict != stats.Inconclusive || c.CI[0] > headers+exact || c.CI[1] < headers-exact {
		t.Errorf("vxlan against host-gw at 1gbit: %+v, interval %v", c, c.CI)
	}
}

func comparison(t *testing.T, r *model.Report, a, b, wire string) *model.Comparison {
	t.Helper()
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		if c.A == a && c.B == b && c.Wire == wire {
			if c.CI == nil || c.N == 0 || c.Sentence.Empty() {
				t.Fatalf("%+v", c)
			}
			return c
		}
	}
	t.Fatalf("%s and %s are not compared over %s", a, b, wire)
	return nil
}
