package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// withNetem returns a kernel that can delay and lose packets: this machine's or User-Mode Linux.
func withNetem(t *testing.T) []string {
	t.Helper()
	if kernelLacks(t, "netem") == "" {
		return []string{"--kernel", results.KernelHost}
	}
	needsGuest(t)
	return []string{"--kernel", results.KernelUML}
}

// TestLinkDelays measures over links with a delay, with and without a rate limit, where the two
// are on different interfaces (host) and where they share one (terway-eni, whose interfaces move
// into pods).
func TestLinkDelays(t *testing.T) {
	needs(t, "terway-eni")
	const twice = 0.040 // s
	args := append(withNetem(t), "--plugins", "terway-eni", "--topology", "vpc", "--wire", "none,20mbit", "--probes", "tcp-rr,mtu,tcp-stream,encap",
		"--rounds", "2", "--duration", "1s")
	near, far := measure(t, args...), measure(t, append(args, "--link", "delay=20ms")...)
	if far.Run.Asked.Link.String() != "delay=20ms" {
		t.Errorf("the record has the link %s", far.Run.Asked.Link)
	}
	for _, plugin := range []string{results.HostPlugin, "terway-eni"} {
		for _, wire := range []string{"none", "20mbit"} {
			c := results.Cell{Plugin: plugin, Topology: "vpc", Wire: wire}
			before, after := near.Cell(c), far.Cell(c)
			if before == nil || after == nil || before.Metric("tcp-rr", "p50") == nil || after.Metric("tcp-rr", "p50") == nil {
				t.Errorf("%s over %s has no figures: %+v, %+v", plugin, wire, before, after)
				continue
			}
			// The buckets of the histogram are a thousandth wide.
			if p50 := after.Metric("tcp-rr", "p50").Median; p50 < 0.999*twice {
				t.Errorf("%s over %s: a round trip of %g s, less than twice the delay", plugin, wire, p50)
			}
			if p50 := before.Metric("tcp-rr", "p50").Median; p50 >= twice {
				t.Errorf("%s over %s: without a link a round trip of %g s", plugin, wire, p50)
			}
			if m := after.Metric("mtu", "path"); m == nil || m.Median != 1500 {
				t.Errorf("%s over %s: the path's MTU is %+v", plugin, wire, m)
			}
			if m := after.Metric("tcp-stream", "goodput"); m == nil || (m.Expected != nil) != (wire == "20mbit") || m.Expected != nil && m.Median > 1.03**m.Expected {
				t.Errorf("%s over %s: goodput %+v", plugin, wire, m)
			}
		}
	}
}

// TestLinkLoses checks that lost requests were retransmitted.
func TestLinkLoses(t *testing.T) {
	args := append(withNetem(t), "--plugins", results.HostPlugin, "--wire", "none", "--probes", "udp-rr,encap", "--rounds", "1", "--duration", "2s")
	for link, lost := range map[string]bool{"loss=10%": true, "delay=1ms": false} {
		t.Run(link, func(t *testing.T) {
			r := measure(t, append(args, "--link", link)...)
			m := cellOf(t, r, results.HostPlugin, "none").Metric("udp-rr", "p50")
			if m == nil {
				t.Fatal("no figures")
			}
			told := slices.ContainsFunc(m.Warnings, func(w words.Text) bool { return strings.Contains(w.String(), "lost and sent again") })
			// On a busy machine, an answer may be late without any loss.
			if lost && !told {
				t.Errorf("warnings %q", m.Warnings)
			}
			// The encapsulation is captured without loss.
			for _, e := range r.Encapsulation {
				if e.Frames != e.Sent {
					t.Errorf("%d packets were sent, %d captured", e.Sent, e.Frames)
				}
			}
		})
	}
}

// TestLinkWithoutNetem checks that on kernels that cannot delay packets nothing is measured as if
// they could.
func TestLinkWithoutNetem(t *testing.T) {
	cause := kernelLacks(t, "netem")
	if cause == "" {
		t.Skip("this kernel has netem")
	}
	r := measure(t, "--plugins", results.HostPlugin, "--wire", "none", "--probes", "tcp-rr", "--rounds", "1", "--duration", "100ms", "--kernel", results.KernelHost, "--link", "delay=1ms")
	if c := cellOf(t, r, results.HostPlugin, "none"); c.Status != results.StatusUnsupported || !strings.HasPrefix(c.Cause.String(), cause) {
		t.Errorf("%+v, want unsupported: %s", c, cause)
	}
}
