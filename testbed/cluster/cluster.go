// Package cluster is the testbed for production: the nodes and pods of a
// Kubernetes cluster, reached through its API. It creates a few pods in a
// namespace of its own, starts workers in them by exec, and removes everything
// again. Control traffic passes through the API server; measured traffic goes
// directly from pod to pod.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/trickle"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster/detect"
	"github.com/cnibench/cnibench/testbed/cluster/install"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/testbed/outside"
	"github.com/cnibench/cnibench/words"
)

// readyWithin bounds the time until all pods run. They start within seconds if the
// image is on the node; pulling it may take minutes.
const readyWithin = 2 * time.Minute

// Config says which cluster to measure, and what a run may do in it.
type Config struct {
	Kubeconfig string // file; "" for KUBECONFIG, ~/.kube/config or the pod's own credentials
	Context    string // in that file; "" for its current one
	Image      string // image that contains this program
	Arch       string // architecture of the image, as Go and Kubernetes name it (amd64); "" if unknown
	PullSecret string // name of a pull secret for the image, which is not recorded; "" for none
	// Unprivileged avoids pods in the nodes' network: there is no baseline, and
	// nothing is captured on the nodes' NICs.
	Unprivileged bool
	// Namespace is a namespace of the user's in which to create the pods. If it is
	// "", the run creates its own, which takes more permissions.
	Namespace    string
	NodeSelector map[string]string // labels of the nodes that may be measured
	// Nodes names the two nodes to measure, the client's first, when a run is
	// resumed. If it is empty, the testbed chooses.
	Nodes       []string
	Tolerations []core.Toleration // of the pods
	Requests    core.ResourceList // of a pod; they override the program's own
	Limits      core.ResourceList // of a pod, besides the program's own of memory
	// Outside is a host outside the cluster that takes part, or nil.
	Outside *outside.Ticket
	// Features are what the run must be allowed to do beyond measuring pods.
	Features []kube.Feature
	// Install installs plugins on the cluster, which must be disposable. If it is
	// nil, the run measures the plugin that is there.
	Install *install.Options
	Life    time.Duration // after which the pods end even if the program never comes back
	survey  int           // how many nodes a survey covers at most, see [Cluster.Survey]
	seed    uint64        // decides which
	// Event receives events that a reader of the record should know about.
	Event func(results.Event)
}

// Cluster is the testbed.
type Cluster struct {
	config   Config
	client   *kube.Client
	space    *kube.Space
	pods     *podSet
	chosen   *chosen                       // nodes that are measured; nil until they are chosen
	noNodes  error                         // why no nodes can be measured
	outside  *worker.Worker                // on the host outside; nil until it is needed
	services map[serviceOf]*probes.Service // that there are
	made     int                           // Services created so far

	found  *detect.Found // what the cluster says about its plugin; nil until it is asked
	named  string        // the run's name of that plugin; "" if the user named another
	looked *detect.Found // found, after a look at pods and nodes

	installed string           // plugin that the run has installed; "" for none
	failed    map[string]error // plugins that could not be installed
	stocked   bool             // what the nodes had before the first plugin is recorded
	inTheWay  error            // what a removed plugin left that forbids to install another
}

var _ testbed.Testbed = (*Cluster)(nil)

// New connects to a cluster and checks that the user has the permissions that a
// run needs.
func New(ctx context.Context, c Config) (*Cluster, error) {
	client, err := kube.Connect(c.Kubeconfig, c.Context)
	if err != nil {
		return nil, err
	}
	use := kube.Use{Namespace: c.Namespace, Features: c.Features}
	if c.Install != nil {
		use.Features = append(slices.Clone(use.Features), kube.Install)
	}
	if err := client.CheckAccess(ctx, use); err != nil {
		return nil, err
	}
	return newCluster(client, c), nil
}

func newCluster(client *kube.Client, config Config) *Cluster {
	c := &Cluster{config: config, client: client, space: &kube.Space{Client: client, Shared: config.Namespace},
		services: map[serviceOf]*probes.Service{}, failed: map[string]error{}}
	c.pods = &podSet{config: &c.config, space: c.space, made: map[string]*pod{}, noImage: map[string]error{}, subnets: map[string]netip.Prefix{}}
	return c
}

// Allows checks that the user has the permissions that a feature needs. The error is a
// [*kube.DeniedError] if any of them is missing.
func (c *Cluster) Allows(ctx context.Context, f kube.Feature) error {
	return c.client.CheckFeature(ctx, c.config.Namespace, f)
}

// Record sets the run that the cluster serves, and the directory for its workers'
// logs.
func (c *Cluster) Record(runID, logs string) {
	c.space.Begin(runID)
	c.pods.logs = logs
}

// Up creates pods in the network of the cluster's plugin, or installs the plugin
// first; see [testbed.Testbed]. The pods of the baseline are in the nodes' own
// network. On the topology [results.SameNode] both pods are on the client's node.
func (c *Cluster) Up(ctx context.Context, p *plugins.Plugin, instance, topology string) (testbed.Network, error) {
	if p.HostNetwork() && c.config.Unprivileged {
		return nil, &testbed.UnsupportedError{Cause: words.BaselineUnprivileged}
	}
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	start := time.Now()
	n := &network{cluster: c, facts: results.Network{Plugin: instance, Topology: results.On(topology), Status: results.StatusOK,
		Fidelity: string(plugins.Cluster), Kernel: c.chosen.client.Status.NodeInfo.KernelVersion},
		setup: results.Setup{Plugin: instance, Topology: results.On(topology)}}
	if c.config.Install != nil && !p.HostNetwork() {
		if err := c.install(ctx, p.Name); err != nil {
			return nil, err
		}
		n.facts.Versions = c.installer().Images(p.Name)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin, testbed.NotWithin(readyWithin))
	defer cancel()
	if err := n.staff(ctx, p.HostNetwork()); err != nil {
		return nil, err
	}
	n.sayAltered()
	err := n.awaitPath(ctx, start)
	if !p.HostNetwork() && c.config.Install == nil {
		n.look(ctx, p.Name)
	}
	switch {
	case errors.As(err, new(*trickle.NoPacketError)):
		n.facts.Status, n.facts.Cause = results.StatusFailed, words.OfError(err)
		return n, err
	case err != nil:
		return nil, err
	}
	return n, nil
}

// prepare chooses the nodes, unless [Cluster.Describe] has, and creates the
// namespace. It does each only once.
func (c *Cluster) prepare(ctx context.Context) error {
	if c.space.Made() {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin, testbed.NotWithin(readyWithin))
	defer cancel()
	if _, err := c.chooseNodes(ctx); err != nil {
		return err
	}
	level := "privileged"
	if c.config.Unprivileged {
		level = "restricted"
	}
	c.pods.assignsUsers = c.client.AssignsUsers()
	var annotations map[string]string
	if c.config.Install != nil {
		annotations = c.installer().Annotations()
	}
	return c.space.Make(ctx, level, annotations, c.config.Life, c.pods.spec("owner", "", false).Spec)
}

// Close stops the workers and removes the namespace with everything in it.
func (c *Cluster) Close() error {
	c.pods.stopAll()
	if c.outside != nil {
		c.outside.Close()
		c.outside = nil
	}
	if c.space.Name == "" {
		return nil
	}
	if err := c.uninstall(); err != nil {
		return fmt.Errorf("uninstalling the plugin failed, so the namespace %s stays too, because removing the plugin needs it (run cnibench clean to remove both): %w", c.space.Name, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), kube.RemoveWithin)
	defer cancel()
	if err := c.space.Remove(ctx); err != nil {
		return fmt.Errorf("removing the run's objects from the namespace %s failed (run %s to remove them; the pods end by themselves within %s): %w",
			c.space.Name, c.config.removeCommand(), c.config.Life, err)
	}
	return nil
}

// network is the network of a plugin in the cluster, or of the nodes themselves.
type network struct {
	cluster *Cluster
	ends    [2]end
	facts   results.Network
	setup   results.Setup
	found   []probes.Finding
}

// errEnded says that a network cannot be used because a worker's stream has ended.
var errEnded = errors.New("a worker in the cluster has ended")

func (n *network) Err() error {
	pods := n.pods()
	if i := slices.IndexFunc(pods, (*pod).ended); i >= 0 {
		return fmt.Errorf("%w: %s", errEnded, pods[i].why())
	}
	return nil
}
