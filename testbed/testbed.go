// Package testbed defines the interface between a run and its testbed: the lab
// (network namespaces on this machine) or a Kubernetes cluster. A testbed brings
// up a plugin's network and starts workers in it; it does not know what they
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

// ClusterTopology is the topology of every cluster. The probes find out how its
// nodes are connected.
const ClusterTopology = "cluster"

// Testbed brings up the networks of plugins.
type Testbed interface {
	// Up brings up the plugin's network on a topology and returns once a
	// packet has passed between two pods on different nodes. The instance
	// distinguishes two networks of the same plugin. An error concerns this
	// network, not the run; an [*UnsupportedError] means that this testbed cannot
	// run the plugin. If Up returns both a network and an error, the pods cannot
	// reach each other: facts about the network can be recorded, samples cannot.
	Up(ctx context.Context, p *plugins.Plugin, instance, topology string) (Network, error)
	// Close takes down whatever is still up.
	Close() error
}

// Network is a plugin running on a set of nodes, with a pod on each.
type Network interface {
	// Ends returns two pods on different nodes or, for the baseline, the nodes
	// themselves.
	Ends() (client, server probes.End)
	// Facts describes the network itself.
	Facts() (results.Network, results.Setup)
	// SetWire changes the rate limit of the underlay links.
	SetWire(wire string) error
	// AgentTime returns the CPU time that the plugin's agents have used since
	// they started, or 0 if the testbed cannot measure it.
	AgentTime() time.Duration
	// Err returns why the network can no longer be used, for example because an
	// agent keeps exiting. It returns nil while the network works. A [Restorer]
	// may be able to repair it.
	Err() error
	// Down removes the pods through the plugin and stops its agents. The network
	// is gone afterwards even if Down returns an error.
	Down(ctx context.Context) error
}

// PodAdder is a network that can add pods while it is being measured.
type PodAdder interface {
	// AddPods adds n pods on the client's node, all at once, waits until a
	// packet from the server's node has reached each of them, and removes them.
	AddPods(ctx context.Context, n int) ([]probes.PodTimes, error)
}

// Finder is a network of which something is known before it is measured.
type Finder interface {
	// Findings returns what a reader should know.
	Findings() []probes.Finding
}

// Restorer is a network that can outlive its workers, whose control streams
// depend on something that may fail.
type Restorer interface {
	// Restore restarts the workers that no longer answer and says which ones and
	// why; the text is empty if all answer. After an error the network cannot be
	// used.
	Restore(ctx context.Context) (words.Text, error)
}

// Server is a network that can create Services for the server's pod.
type Server interface {
	// Service creates a Service of a kind, or returns the one that exists. The error is
	// a [*probes.NotHereError] if the cluster refuses it.
	Service(ctx context.Context, kind probes.ServiceKind) (*probes.Service, error)
}

// Surveyor is a network that can start workers outside the two pods.
type Surveyor interface {
	// Around starts workers on the nodes and on the outside host, if there is
	// one. Only the first call starts them.
	Around(ctx context.Context) (*probes.Surroundings, error)
}

// Mesh is a network that can start workers in a pod on each of its nodes.
type Mesh interface {
	// Mesh starts the workers and returns a member for each node, in the order of the
	// nodes. A node's failure is recorded in its member and is not an error. The workers
	// are stopped by release.
	Mesh(ctx context.Context) (members []probes.Member, release func(), err error)
}

// Kernel is a testbed that can test its nodes' kernel for features.
type Kernel interface {
	// Lacks returns the first feature that the plugin needs and the kernel lacks,
	// or "" if the kernel has them all.
	Lacks(p *plugins.Plugin) string
	// Slower returns the factor by which time limits are longer than on the
	// machine's own kernel.
	Slower() int
}

// UnsupportedError says why a plugin cannot run on this testbed. It is not a
// failure of the plugin.
type UnsupportedError struct {
	Cause words.Text
	Lacks string // the feature that the kernel lacks, if that is the cause
}

func (e *UnsupportedError) Error() string { return e.Cause.String() }

// Words returns the cause.
func (e *UnsupportedError) Words() words.Text { return e.Cause }

// NotWithin returns the cause of a wait that exceeded its limit.
func NotWithin(limit time.Duration) error {
	return words.Error(words.Of(words.NotWithin.With(limit), words.Quote(context.DeadlineExceeded.Error())), context.DeadlineExceeded)
}
