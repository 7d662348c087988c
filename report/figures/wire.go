package figures

import (
	"slices"
	"strings"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

// onWire is what lies around a pod's packet on the wire between the nodes of a
// cell. Everything that reckons with headers asks [builder.onWire] for it.
type onWire struct {
	Known    bool
	Overhead int // bytes around the pod's packet; 0: none
	ways     int // Directions that a figure's rate is the sum of, 1 or 2
}

// WireOf says what a capture showed of a cell's network. If nobody looked, it is
// what the plugin is configured for on this topology. It is not known where
// packets took several forms, where they were not seen at all, and inside a
// node. probe is the one that a figure is of, with its parameters.
func WireOf(b *gather.Run, c *model.Cell, probe string) onWire {
	w := onWire{ways: 1}
	if params := strings.Split(probe, ":"); params[0] == "tcp-stream" && slices.Contains(params[1:], "both") {
		w.ways = 2
	}
	if c.Topology.Name == results.SameNode {
		return w
	}
	switch e := b.Report.Captured(c.Plugin, c.Topology); {
	case e != nil && e.Sent > 0:
		w.Known, w.Overhead = e.Effective != effectiveMixed && !facts.Missed(e), e.OverheadBytes
	case e != nil: // the look failed; the record has what was expected of these nodes
		w.Known, w.Overhead = e.Configured != undeclared, e.ExpectedBytes
	default:
		w.Overhead, w.Known = configuredOverhead(b, c)
	}
	return w
}

// What an [results.Encapsulation] says besides the kinds of encapsulation.
const (
	effectiveMixed = "mixed"
	undeclared     = "unknown" // configured: the catalogue does not know the plugin
)

// configuredOverhead is the overhead that the catalogue gives a cell's plugin. A mode
// that encapsulates between subnets alone does so only where the topology puts
// the two nodes in different ones.
func configuredOverhead(b *gather.Run, c *model.Cell) (overhead int, known bool) {
	plugin := b.Plugin(c.Plugin)
	if plugin == nil || plugin.Encapsulation.Kind == undeclared {
		return 0, false
	}
	if !plugin.Encapsulation.SubnetsOnly {
		return plugin.Encapsulation.Overhead, true
	}
	switch options := strings.Split(c.Topology.Name, ":"); {
	case options[0] == "routed", options[0] == "vpc" && slices.Contains(options, "two-subnets"):
		return plugin.Encapsulation.Overhead, true
	case options[0] == "l2", options[0] == "vpc":
		return 0, true
	}
	return 0, false // of a cluster: the record does not say which subnets its nodes are in
}
