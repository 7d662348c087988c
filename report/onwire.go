package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/results"
)

// onWire is what lies around a pod's packet on the wire between the nodes of a
// cell. Everything that reckons with headers asks [builder.onWire] for it.
type onWire struct {
	known    bool
	overhead int // bytes around the pod's packet; 0: none
	ways     int // directions that a figure's rate is the sum of, 1 or 2
}

// onWire says what a capture showed of a cell's network. If nobody looked, it is
// what the plugin is configured for on this topology. It is not known where
// packets took several forms, where they were not seen at all, and inside a
// node. probe is the one that a figure is of, with its parameters.
func (b *builder) onWire(c *Cell, probe string) onWire {
	w := onWire{ways: 1}
	if params := strings.Split(probe, ":"); params[0] == "tcp-stream" && slices.Contains(params[1:], "both") {
		w.ways = 2
	}
	if c.Topology == results.SameNode {
		return w
	}
	switch e := b.report.captured(c.Plugin, c.Topology); {
	case e != nil && e.Sent > 0:
		w.known, w.overhead = e.Effective != effectiveMixed && !missed(e), e.OverheadBytes
	case e != nil: // the look failed; the record has what was expected of these nodes
		w.known, w.overhead = e.Configured != undeclared, e.ExpectedBytes
	default:
		w.overhead, w.known = b.configured(c)
	}
	return w
}

// What an [results.Encapsulation] says besides the kinds of encapsulation.
const (
	effectiveMixed = "mixed"
	undeclared     = "unknown" // configured: the catalogue does not know the plugin
)

// configured is the overhead that the catalogue gives a cell's plugin. A mode
// that encapsulates between subnets alone does so only where the topology puts
// the two nodes in different ones.
func (b *builder) configured(c *Cell) (overhead int, known bool) {
	plugin := b.plugin(c.Plugin)
	if plugin == nil || plugin.Encapsulation.Kind == undeclared {
		return 0, false
	}
	if !plugin.Encapsulation.SubnetsOnly {
		return plugin.Encapsulation.Overhead, true
	}
	topology, _ := results.SplitGround(c.Topology)
	switch options := strings.Split(topology, ":"); {
	case options[0] == "routed", options[0] == "vpc" && slices.Contains(options, "two-subnets"):
		return plugin.Encapsulation.Overhead, true
	case options[0] == "l2", options[0] == "vpc":
		return 0, true
	}
	return 0, false // of a cluster: the record does not say which subnets its nodes are in
}

// captured is the last capture of a network, nil if nobody looked.
func (r *Report) captured(plugin, ground string) *results.Encapsulation {
	for i := len(r.Encapsulation) - 1; i >= 0; i-- {
		if e := &r.Encapsulation[i]; e.Plugin == plugin && e.Topology == ground {
			return e
		}
	}
	return nil
}

// missed reports whether packets were sent and arrived, but those of one
// direction or of both were not seen on the wire. A capture watches one NIC, and
// both directions pass it.
func missed(e *results.Encapsulation) bool { return e.Sent > 0 && 2*e.Frames <= e.Sent }

// path is whether a network's packets were seen on the watched wire: yes, no, or
// "" where nobody looked or the nodes' own packets were not seen there either,
// which shows that another wire was watched.
func (r *Report) path(plugin, ground string) advice.Fact {
	e := r.captured(plugin, ground)
	if e == nil || e.Sent == 0 {
		return advice.Fact{}
	}
	evidence := fmt.Sprintf("%d of %d packets were seen on the wire between the nodes, although they arrived", e.Frames, e.Sent)
	if !missed(e) {
		return advice.Fact{Value: "yes", Evidence: fmt.Sprintf("%d of %d packets were seen on the wire between the nodes", e.Frames, e.Sent)}
	}
	if host := r.captured(results.HostPlugin, ground); plugin != results.HostPlugin && host != nil && missed(host) {
		return advice.Fact{Evidence: evidence + "; the nodes' own packets were not seen there either"}
	}
	return advice.Fact{Value: "no", Evidence: evidence}
}

// apartOnWire names which of two networks took another path than the other, ""
// if nothing shows that one did. Where the nodes' own packets were not seen, the
// watch shows no more than whether the two were seen alike.
func (r *Report) apartOnWire(a, b, ground string) string {
	one, other := r.captured(a, ground), r.captured(b, ground)
	oneAway, otherAway := one != nil && missed(one), other != nil && missed(other)
	host := r.captured(results.HostPlugin, ground)
	switch watched := host == nil || !missed(host); {
	case ground == results.SameNode:
	case !watched && (oneAway == otherAway || one == nil || other == nil || one.Sent == 0 || other.Sent == 0):
	case oneAway:
		return a
	case otherAway:
		return b
	}
	return ""
}
