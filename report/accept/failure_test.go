package accept

import (
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// TestFailedSamples checks that a threshold fails if the figure is missing because its
// samples failed, unless the nodes' own network fails too.
func TestFailedSamples(t *testing.T) {
	failure := func(shared bool) []model.Failure {
		return []model.Failure{{Probe: "tcp-stream", Failed: 6, Of: 6, Cause: words.Quote("timed out"), Shared: shared}}
	}
	broke := func(c *model.Cell, round int) {
		c.Status, c.Cause, c.BrokeRound, c.WorkedRounds, c.BrokeAt = results.StatusBroke, words.Quote("no packet within 30 s"), round, round-1, time.Date(2026, 11, 25, 12, 34, 56, 0, time.UTC)
	}
	for _, c := range []struct {
		name      string
		threshold string
		change    func(host, plugin *model.Cell)
		want      Verdict
		says      string
	}{
		{"all samples failed", "metric: tcp-stream goodput, at_least: 1", func(_, p *model.Cell) { p.Metrics, p.Failures = p.Metrics[1:], failure(false) }, Fail, "tcp-stream failed 6 of 6: timed out"},
		{"all samples failed, the host's too", "metric: tcp-stream goodput, at_least: 1", func(_, p *model.Cell) { p.Metrics, p.Failures = p.Metrics[1:], failure(true) }, Inconclusive, "the nodes' own network fails at it too"},
		{"another probe's samples failed", "metric: tcp-rr p99, at_most: 5", func(_, p *model.Cell) { p.Metrics, p.Failures = p.Metrics[1:], failure(false) }, Pass, ""},
		{"a probe that is not in the run", "metric: udp-pps rate, at_least: 1", func(_, p *model.Cell) { p.Failures = failure(false) }, Inconclusive, "the run has no udp-pps rate"},
		{"it broke", "metric: tcp-stream goodput, at_least: 1", func(_, p *model.Cell) { broke(p, 5) }, Fail, "it worked for 4 rounds, then broke in round 5 at 12:34:56 UTC: no packet within 30 s"},
		{"it broke, a fact", "fact: encapsulation agrees, is: true", func(_, p *model.Cell) { broke(p, 5) }, Fail, "it worked for 4 rounds, then broke"},
		{"it broke, and the host's network too", "metric: tcp-stream goodput, at_least: 1", func(h, p *model.Cell) { broke(p, 5); broke(h, 5) }, Inconclusive, "the nodes' own network broke too"},
		{"it broke in the first round", "setup: cni_add_ms, at_most: 1 s", func(_, p *model.Cell) { broke(p, 1) }, Fail, "it came up, then broke in round 1"},
		{"it failed, and the host's network too", "metric: tcp-stream goodput, at_least: 1", func(h, p *model.Cell) {
			h.Status, h.Cause, p.Status, p.Cause = results.StatusFailed, words.Quote("no carrier"), results.StatusFailed, words.Quote("no packet")
		}, Inconclusive, "the nodes' own network does not work either: no carrier"},
		{"the host's network failed, and it works", "metric: tcp-stream goodput, at_least: 1", func(h, _ *model.Cell) {
			h.Status, h.Cause = results.StatusFailed, words.Quote("no carrier")
		}, Pass, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runOf(&[2]float64{2, 2}, nil)
			c.change(&r.Cells[0], &r.Cells[1])
			if o := Judge(parse(t, c.threshold), r, nil, catalogue.All()); o.Verdict != c.want || !strings.Contains(o.Thresholds[0].Reason, c.says) {
				t.Errorf("%+v, want %s", o.Thresholds, c.want)
			}
		})
	}
}

// TestReachedBothWays checks both directions between two nodes against a threshold; the
// reason names the direction that fails.
func TestReachedBothWays(t *testing.T) {
	back := func(plugin string) results.Reachability {
		return results.Reachability{Plugin: plugin, Topology: results.On("l2"), Direction: results.PodToPod, From: "node2", To: "node1", Cause: words.Quote("lost")}
	}
	for _, c := range []struct {
		name string
		more []results.Reachability
		want Verdict
		says string
	}{
		{"one direction fails", []results.Reachability{back("calico-bgp")}, Fail, "calico-bgp on l2, from node2 to node1: it is false, not true"},
		{"the host's does too", []results.Reachability{back("calico-bgp"), back("host")}, Inconclusive, "the nodes' own network fails at it too: lost"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := runOf(nil, nil)
			there := results.Reachability{Plugin: "calico-bgp", Topology: results.On("l2"), Direction: results.PodToPod, From: "node1", To: "node2", Reachable: true, Source: "kept"}
			r.Reachability = append([]results.Reachability{there}, c.more...)
			o := Judge(parse(t, "fact: reachability pod-to-pod, is: true"), r, nil, catalogue.All())
			if o.Verdict != c.want || !strings.Contains(o.Thresholds[0].Reason, c.says) {
				t.Errorf("%+v", o.Thresholds)
			}
		})
	}
}

// TestUnseenOnTheWire distinguishes packets that were not seen from a capture that
// failed.
func TestUnseenOnTheWire(t *testing.T) {
	for _, c := range []struct {
		name string
		sent int
		says string
	}{{"they arrived and were not seen", 32, "none of the 32 packets was seen on the wire, although they arrived"}, {"the capture failed", 0, "packets on the wire could not be captured"}} {
		t.Run(c.name, func(t *testing.T) {
			r := runOf(nil, nil)
			r.Encapsulation[0].Effective, r.Encapsulation[0].Agrees, r.Encapsulation[0].Sent = "unseen", false, c.sent
			o := Judge(parse(t, "fact: encapsulation kind, is: vxlan"), r, nil, catalogue.All())
			if o.Verdict != Inconclusive || !strings.Contains(o.Thresholds[0].Reason, c.says) {
				t.Errorf("%+v", o.Thresholds)
			}
		})
	}
}
