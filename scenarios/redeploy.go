package scenarios

import (
	"time"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/words"
)

// state journals the state of a network.
func (r *run) state(n results.Network) error {
	r.states[results.Cell{Plugin: n.Plugin, Topology: n.Topology}] = n
	return r.write().append(results.Record{Network: &n})
}

// cameUp adds a network to the phase and journals its state, in the first deployment, and what it
// took to bring it up.
func (r *run) cameUp(n *upNetwork) error {
	facts, setup := n.Facts()
	n.configured = facts.Configured
	setup.Deployment = r.phase.Deployment
	n.found = r.earlier().findings(n.instance, n.topology.Name)
	r.earlier().health(n)
	known := r.hostKnown && n.instance == results.HostPlugin
	if was := r.before.get(n.instance, n.topology); was != nil && r.phase.Deployment > 0 {
		n.found, n.absent, n.worked = was.found, was.absent, was.worked
	} else if was != nil && known {
		n.found = was.found
	}
	r.networks = append(r.networks, n)
	if n.dead && r.phase.Deployment > 0 {
		return r.notAgain(n.instance, n.topology.Name, words.Error(facts.Cause))
	}
	if r.phase.Deployment == 0 {
		if err := r.state(facts); err != nil {
			return err
		}
		if err := r.known(n); err != nil {
			return err
		}
	}
	if n.dead || r.earlier().hasSetup(n, setup.Deployment) || known {
		return nil
	}
	return r.write().append(results.Record{Setup: &setup})
}

// known journals what the testbed knows of a network before it is measured.
func (r *run) known(n *upNetwork) error {
	finder, is := n.Network.(testbed.Finder)
	if !is {
		return nil
	}
	at := step{Cell: results.Cell{Plugin: n.instance, Topology: n.topology, Wire: r.Asked.Wire[0]}, probe: detectedBy, network: n}
	return r.write().findings(at, finder.Findings())
}

// detectedBy stands for a probe in findings that a testbed returns.
const detectedBy = "detect"

// notAgain gives up a network that came up in an earlier deployment, but not in this one.
func (r *run) notAgain(instance, topology string, cause error) error {
	cell := results.Cell{Plugin: instance, Topology: results.On(topology)}
	facts := r.states[cell]
	facts.Status, facts.Cause = results.StatusFailed, words.NotInDeployment.With(r.phase.Deployment+1, words.OfError(cause))
	if r.pace.seen.any(cell) {
		facts.Status, facts.BrokeRound, facts.BrokeAt = results.StatusBroke, max(r.next, r.first)+1, time.Now()
	}
	return r.state(facts)
}

// any reports whether a network has ever been measured.
func (s seen) any(network results.Cell) bool {
	for f := range s {
		if f.Plugin == network.Plugin && f.Topology == network.Topology {
			return true
		}
	}
	return false
}
