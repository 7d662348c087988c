package figures

import (
	"slices"
	"strings"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

// onWire is the encapsulation of a pod's packet between the nodes of a cell. All
// arithmetic with headers takes it from [WireOf].
type onWire struct {
	Known    bool
	Overhead int // bytes around the pod's packet; 0: none
	ways     int // directions that a figure's rate sums up, 1 or 2
}

// WireOf returns the encapsulation that a capture of a cell's network showed or, if
// there was no capture, the one that the plugin is configured for on this topology. It
// is not known if packets had several forms, if they were not captured, and inside a
// node. The probe is given with its parameters.
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
	case e != nil: // the capture failed; the record has what was expected of these nodes
		w.Known, w.Overhead = e.Configured != undeclared, e.ExpectedBytes
	default:
		w.Overhead, w.Known = configuredOverhead(b, c)
	}
	return w
}

// Values of [results.Encapsulation] besides the kinds of encapsulation.
const (
	effectiveMixed = "mixed"
	undeclared     = "unknown" // configured: the plugin is not in the catalogue
)

// configuredOverhead returns the overhead of a cell's plugin according to its cluster
// or, if that says nothing, to the catalogue. A mode that encapsulates between subnets only does so if the topology puts
// the two nodes into different ones.
func configuredOverhead(b *gather.Run, c *model.Cell) (overhead int, known bool) {
	var e plugins.Encapsulation
	if of := c.Configured; of != nil {
		e = plugins.Encapsulation{Kind: of.Encapsulation, Overhead: of.OverheadBytes, SubnetsOnly: of.SubnetsOnly}
	} else if plugin := b.Plugin(c.Plugin); plugin != nil {
		e = plugin.Encapsulation
	}
	if e.Kind == "" || e.Kind == undeclared {
		return 0, false
	}
	if !e.SubnetsOnly {
		return e.Overhead, true
	}
	switch options := strings.Split(c.Topology.Name, ":"); {
	case options[0] == "routed", options[0] == "vpc" && slices.Contains(options, "two-subnets"):
		return e.Overhead, true
	case options[0] == "l2", options[0] == "vpc":
		return 0, true
	}
	return 0, false // on a cluster: the record does not have the subnets of its nodes
}
