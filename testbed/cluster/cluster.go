// Package cluster is the testbed for production: the nodes and pods of a
// Kubernetes cluster, reached through its API. It makes a few pods in a namespace
// of its own, starts workers in them by exec, and removes everything again.
// Control goes through the API server; what is measured goes from pod to pod.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/trickle"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster/install"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/testbed/outside"
	"github.com/cnibench/cnibench/words"
)

// readyWithin bounds the time until all pods run. With the image on the node they
// start within seconds; pulling it may take minutes.
const readyWithin = 2 * time.Minute

// Config says which cluster is measured, and what may be done in it.
type Config struct {
	Kubeconfig string // file; "" for KUBECONFIG, ~/.kube/config or the pod's own credentials
	Context    string // of that file, "" for its current one
	Image      string // that holds this program
	Arch       string // that the image was made for, as Go and Kubernetes name it (amd64); "" if unknown
	PullSecret string // name of a secret for the image, which no record contains; "" for none
	// Unprivileged does without pods in the nodes' network: there is no baseline,
	// and nothing is captured on the nodes' NICs.
	Unprivileged bool
	// Namespace is one of the user's to make the pods in; "" makes one for the run,
	// which needs more permissions.
	Namespace    string
	NodeSelector map[string]string // labels of the nodes that may be measured
	// Nodes names the two that are measured, the client's first, in a run that is
	// resumed; if it is empty the testbed chooses.
	Nodes       []string
	Tolerations []core.Toleration // of the pods
	Requests    core.ResourceList // of a pod, over the program's own
	// Outside is a host outside the cluster that takes part, nil for none.
	Outside *outside.Ticket
	// Services says that the run makes Services.
	Services bool
	// Install puts plugins on the cluster, which must be disposable; nil measures
	// the plugin that is there.
	Install *install.Options
	Life    time.Duration // after which the pods end even if the program never comes back
	// Event receives what a reader of the record should know.
	Event func(results.Event)
}

// Cluster is the testbed.
type Cluster struct {
	config   Config
	client   *kube.Client
	space    *kube.Space
	pods     *podSet
	chosen   *chosen                    // nodes that are measured, nil until they were chosen
	noNodes  error                      // why none can be
	outside  *worker.Worker             // on the host outside; nil until it is needed
	services map[string]*probes.Service // that were made, by name

	installed string           // plugin that the run has put on the nodes; "" for none
	failed    map[string]error // plugins that could not be installed
}

var _ testbed.Testbed = (*Cluster)(nil)

// New connects to a cluster and checks that the user may do what a run does.
func New(ctx context.Context, c Config) (*Cluster, error) {
	client, err := kube.Connect(c.Kubeconfig, c.Context)
	if err != nil {
		return nil, err
	}
	if err := client.CheckAccess(ctx, kube.Use{Namespace: c.Namespace, Services: c.Services, Install: c.Install != nil}); err != nil {
		return nil, err
	}
	return newCluster(client, c), nil
}

func newCluster(client *kube.Client, config Config) *Cluster {
	c := &Cluster{config: config, client: client, space: &kube.Space{Client: client, Shared: config.Namespace},
		services: map[string]*probes.Service{}, failed: map[string]error{}}
	c.pods = &podSet{config: &c.config, space: c.space, made: map[string]*pod{}, noImage: map[string]error{}}
	return c
}

// Record says which run the cluster serves, and where its workers' logs go.
func (c *Cluster) Record(runID, logs string) {
	c.space.Begin(runID)
	c.pods.logs = logs
}

// Up makes pods in the network of the plugin that the cluster has, or installs the
// plugin first; see [testbed.Testbed]. The baseline is the nodes' own network, with
// pods in it. On the topology [results.SameNode] both pods are on the client's
// node.
func (c *Cluster) Up(ctx context.Context, p *plugins.Plugin, instance, topology string) (testbed.Network, error) {
	if p.HostNetwork() && c.config.Unprivileged {
		return nil, &testbed.UnsupportedError{Cause: words.BaselineNeedsPodsInNodes}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin, fmt.Errorf("not ready within %s: %w", readyWithin, context.DeadlineExceeded))
	defer cancel()
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
		n.facts.Versions = map[string]string{"flannel": c.config.Install.FlannelImage}
	}
	if err := n.staff(ctx, p.HostNetwork()); err != nil {
		return nil, err
	}
	switch err := n.awaitPath(ctx, start); {
	case errors.As(err, new(*trickle.NoPacketError)):
		n.facts.Status, n.facts.Cause = results.StatusFailed, words.OfError(err)
		return n, err
	case err != nil:
		return nil, err
	}
	return n, nil
}

// prepare chooses the nodes, unless [Cluster.Describe] has, and makes the
// namespace, each once.
func (c *Cluster) prepare(ctx context.Context) error {
	if c.space.Made() {
		return nil
	}
	if _, err := c.chooseNodes(ctx); err != nil {
		return err
	}
	level := "privileged"
	if c.config.Unprivileged {
		level = "restricted"
	}
	var annotations map[string]string
	if c.config.Install != nil {
		annotations = c.flannel().Annotations()
	}
	return c.space.Make(ctx, level, annotations, c.config.Life, c.pods.spec("owner", "", false).Spec)
}

// Close ends the workers and removes the namespace with everything in it.
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
		return fmt.Errorf("the plugin is left, and the namespace %s with what removes it (cnibench clean does): %w", c.space.Name, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), kube.RemoveWithin)
	defer cancel()
	if err := c.space.Remove(ctx); err != nil {
		return fmt.Errorf("what the run made in the namespace %s is left (%s removes it; its pods end by themselves within %s): %w",
			c.space.Name, c.config.removeCommand(), c.config.Life, err)
	}
	return nil
}

// network is the cluster's network as one plugin's, or its nodes' own.
type network struct {
	cluster *Cluster
	ends    [2]end
	facts   results.Network
	setup   results.Setup
}

// errEnded is why a network cannot be used: a worker's stream has ended.
var errEnded = errors.New("a worker in the cluster has ended")

func (n *network) Err() error {
	pods := n.pods()
	if i := slices.IndexFunc(pods, (*pod).ended); i >= 0 {
		return fmt.Errorf("%w: %s", errEnded, pods[i].why())
	}
	return nil
}
