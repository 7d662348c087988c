package scenarios

import (
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
)

// upNetwork is a network that came up, and what has been observed of it since.
type upNetwork struct {
	testbed.Network
	instance string
	topology results.Topology
	wire     string
	// configured is what a cluster says of the plugin's encapsulation; nil if the
	// catalogue's holds.
	configured *results.Configured
	health
	dead   bool
	found  map[probes.Finding]bool
	absent []string      // requested probes that cannot be measured on it
	passed probes.Passes // paths that have carried something
}

// networks are those of a phase that came up.
type networks []*upNetwork

// alive names the networks that are still being measured, each with its topology.
func (all networks) alive() []string {
	var names []string
	for _, n := range all {
		if !n.dead {
			names = append(names, n.instance+" "+n.topology.Name)
		}
	}
	return names
}

// worthwhile reports whether there is anything to measure. If plugins are measured one after the
// other and one did not come up, there is nothing to compare with the baseline.
func (all networks) worthwhile(apart bool) bool {
	if !apart {
		return len(all) > 0
	}
	for _, n := range all {
		if !n.dead && n.instance != results.HostPlugin {
			return true
		}
	}
	return false
}

// get returns a network, or nil if it did not come up.
func (all networks) get(instance string, topology results.Topology) *upNetwork {
	for _, n := range all {
		if n.instance == instance && n.topology == topology {
			return n
		}
	}
	return nil
}

// steps returns those steps of a block whose network came up.
func (all networks) steps(block []step) []step {
	var steps []step
	for _, s := range block {
		if s.network = all.get(s.Plugin, s.Topology); s.network != nil {
			steps = append(steps, s)
		}
	}
	return steps
}

// states holds what was last recorded of each network.
type states map[results.Cell]results.Network

// givenUp reports whether a network failed or was unsupported.
func (all states) givenUp(instance, topology string) bool {
	was, known := all[results.Cell{Plugin: instance, Topology: results.On(topology)}]
	return known && was.Status != results.StatusOK
}
