// Package testbed holds what the places to measure in have in common: the lab
// (network namespaces on this machine) and a Kubernetes cluster. A testbed
// brings a plugin's network up and says where workers run in it; it knows
// nothing of what they measure.
package testbed

import (
	"context"
	"time"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
)

// ClusterTopology is what a cluster's figures are kept under: how its nodes are
// connected is for the probes to find out.
const ClusterTopology = "cluster"

// Testbed is a place where plugins' networks can be brought up.
type Testbed interface {
	// Up brings the plugin's network up on a topology and returns once a
	// packet has passed between two pods on different nodes. instance tells
	// apart two networks of the same plugin. An error is a property of that
	// network, not of the run; an [*UnsupportedError] says that this testbed
	// cannot carry the plugin. A network that is returned with an error is one
	// whose pods cannot reach each other: facts about it can be taken, samples
	// cannot.
	Up(ctx context.Context, p *plugins.Plugin, instance, topology string) (Network, error)
	// Close takes down whatever is still up.
	Close() error
}

// Network is a plugin that runs on nodes, with a pod on each.
type Network interface {
	// Ends are two pods on different nodes (for the baseline: the nodes).
	Ends() (client, server probes.End)
	// Facts are what is known of the network itself.
	Facts() (results.Network, results.Setup)
	// SetWire gives the underlay links another profile.
	SetWire(wire string) error
	// AgentTime is the processor time that the plugin's agents have used
	// since they started; 0 where the testbed cannot see it.
	AgentTime() time.Duration
	// Err is the cause once the network cannot be used any more: an agent has
	// exited for good. It is nil while the network lives. A [Restorer] may get
	// over it.
	Err() error
	// Down removes the pods through the plugin and ends its agents. The error
	// says what did not go in order; the network is gone all the same.
	Down(ctx context.Context) error
}

// PodAdder is a network that can add pods while it is measured.
type PodAdder interface {
	// AddPods adds n pods on the client's node, all at once, waits until a
	// packet from the server's node reaches each, and removes them.
	AddPods(ctx context.Context, n int) ([]probes.PodTimes, error)
}

// Restorer is a network whose workers can be lost while it lives: their control
// streams pass something that may break.
type Restorer interface {
	// Restore starts again what does not answer any more and says what that
	// was and why, "" for nothing. The error is why a part cannot be had back;
	// the network is of no use then.
	Restore(ctx context.Context) (string, error)
}

// Server is a network that can put a Service before the server's pod.
type Server interface {
	Service(ctx context.Context) (*probes.Service, error)
}

// Surveyor is a network that can show what lies around the two pods.
type Surveyor interface {
	// Around starts workers in the other places of the network, the first time
	// it is called.
	Around(ctx context.Context) (*probes.Surroundings, error)
}

// Kernel is a testbed that knows the kernel that its nodes run on.
type Kernel interface {
	// Lacks names the first feature that the plugin needs and the kernel does
	// not know, "" if there is none.
	Lacks(p *plugins.Plugin) string
	// Slower is how many times longer than on the machine's own kernel things
	// take, for time limits.
	Slower() int
}

// UnsupportedError says that a plugin cannot run on this testbed and why; it
// is no failure of the plugin.
type UnsupportedError struct {
	Cause string
	Lacks string // the feature that the kernel does not know, if that is the cause
}

func (e *UnsupportedError) Error() string { return e.Cause }
