// Package testbed holds what the two kinds of testbed share: the lab (network
// namespaces on this machine) and a Kubernetes cluster. A testbed brings a
// plugin's network up and starts workers in it; it knows nothing of what they
// measure.
package testbed

import (
	"context"
	"time"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// ClusterTopology is the name of every cluster's topology: how its nodes are
// connected is for the probes to find out.
const ClusterTopology = "cluster"

// Testbed is a place where plugins' networks can be brought up.
type Testbed interface {
	// Up brings the plugin's network up on a topology and returns once a
	// packet has passed between two pods on different nodes. instance
	// distinguishes two networks of the same plugin. An error concerns that
	// network, not the run; an [*UnsupportedError] says that this testbed cannot
	// run the plugin. If Up returns both a network and an error, the pods cannot
	// reach each other: facts about the network can be taken, samples cannot.
	Up(ctx context.Context, p *plugins.Plugin, instance, topology string) (Network, error)
	// Close takes down whatever is still up.
	Close() error
}

// Network is a plugin that runs on nodes, with a pod on each.
type Network interface {
	// Ends are two pods on different nodes (for the baseline: the nodes).
	Ends() (client, server probes.End)
	// Facts describe the network itself.
	Facts() (results.Network, results.Setup)
	// SetWire gives the underlay links another rate limit.
	SetWire(wire string) error
	// AgentTime is the processor time that the plugin's agents have used since
	// they started; 0 if the testbed cannot measure it.
	AgentTime() time.Duration
	// Err returns why the network can no longer be used, for example because an
	// agent keeps exiting; nil while it can. A [Restorer] may repair it.
	Err() error
	// Down removes the pods through the plugin and stops its agents. The network
	// is gone afterwards even if Down returns an error, which says what failed.
	Down(ctx context.Context) error
}

// PodAdder is a network that can add pods while it is measured.
type PodAdder interface {
	// AddPods adds n pods on the client's node, all at once, waits until a
	// packet from the server's node reaches each, and removes them.
	AddPods(ctx context.Context, n int) ([]probes.PodTimes, error)
}

// Restorer is a network that can outlive its workers, because their control
// streams depend on something that may fail.
type Restorer interface {
	// Restore restarts workers that no longer answer and returns which ones and
	// why, "" if all answer. After an error the network cannot be used.
	Restore(ctx context.Context) (words.Text, error)
}

// Server is a network that can create a Service for the server's pod.
type Server interface {
	Service(ctx context.Context) (*probes.Service, error)
}

// Surveyor is a network that can start workers outside the two pods.
type Surveyor interface {
	// Around starts workers on the nodes and, if there is one, on the outside
	// host. Only the first call starts them.
	Around(ctx context.Context) (*probes.Surroundings, error)
}

// Kernel is a testbed that can try the features of its nodes' kernel.
type Kernel interface {
	// Lacks returns the first feature that the plugin needs and the kernel does
	// not have, "" if it has all.
	Lacks(p *plugins.Plugin) string
	// Slower is the factor by which time limits are longer than on the machine's
	// own kernel.
	Slower() int
}

// UnsupportedError says why a plugin cannot run on this testbed, which is not a
// failure of the plugin.
type UnsupportedError struct {
	Cause words.Text
	Lacks string // the feature that the kernel does not have, if that is the cause
}

func (e *UnsupportedError) Error() string { return e.Cause.String() }

// Words is the sentence.
func (e *UnsupportedError) Words() words.Text { return e.Cause }
