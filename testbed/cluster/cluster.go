// Package cluster is the testbed that production runs: the nodes and pods of a
// Kubernetes cluster, reached through its API. It puts a few pods of its own
// into a namespace of its own, starts workers in them by exec, and takes
// everything away again. Control goes through the API server; what is measured
// goes from pod to pod.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/outside"
)

// readyWithin bounds the time until all pods run. An image that is there starts
// within seconds; one that has to be pulled may take minutes.
const readyWithin = 2 * time.Minute

// Config says which cluster, and what may be done in it.
type Config struct {
	Kubeconfig string // file; "" for KUBECONFIG, ~/.kube/config or the pod's own credentials
	Context    string // of that file, "" for its current one
	Image      string // that holds this program
	Arch       string // that the image was made for, in Go's and Kubernetes' words (amd64); "" if that is not known
	PullSecret string // name of a secret for it, copied into no record; "" for none
	// Unprivileged does without pods in the nodes' network: there is no baseline
	// and nobody looks at the wire.
	Unprivileged bool
	// Namespace is one of the person's to make the pods in; "" makes one for the
	// run, which needs more permissions.
	Namespace    string
	NodeSelector map[string]string // labels of the nodes that may be measured
	// Nodes names the two that are measured, the client's first, in a run that
	// goes on; none lets the testbed choose.
	Nodes       []string
	Tolerations []core.Toleration // of the pods
	Requests    core.ResourceList // of a pod, over the program's own
	// Outside is a host outside the cluster that takes part, nil for none.
	Outside *outside.Ticket
	// Services are asked for: the run makes one.
	Services bool
	// Install puts plugins on the cluster, which must be disposable; nil measures
	// the one that is there.
	Install *Install
	Life    time.Duration // after which the pods end even if nobody comes back
	// Event receives what a reader of the record should know.
	Event func(results.Event)
}

// Cluster is the testbed.
type Cluster struct {
	config Config
	rest   *rest.Config
	client api
	// dynamic reads what plugins have defined of their own.
	dynamic dynamic.Interface

	runID     string                  // makes the namespace's name unique
	logs      string                  // folder for the workers' logs
	namespace string                  // "" until it was made
	owner     []metav1.OwnerReference // of the pods
	chosen    *chosen                 // nodes that are measured, nil until they were chosen
	noNodes   error                   // why none can be
	mu        sync.Mutex              // guards pods and noImage
	pods      map[string]*pod
	noImage   map[string]error // nodes that cannot get the image
	workers   []*worker
	outside   *probes.Worker             // on the host outside; nil until it is needed
	services  map[string]*probes.Service // that were made, by name

	installed string           // plugin that we have put on the nodes; "" for none
	failed    map[string]error // plugins that could not be installed
}

var _ testbed.Testbed = (*Cluster)(nil)

// New connects to a cluster and checks that the person may do what a run does.
func New(ctx context.Context, c Config) (*Cluster, error) {
	connection, err := connect(c.Kubeconfig, c.Context)
	if err != nil {
		return nil, err
	}
	client, err := connectAPI(connection)
	if err != nil {
		return nil, err
	}
	own, err := dynamic.NewForConfig(connection)
	if err != nil {
		return nil, fmt.Errorf("making a client for the cluster: %w", err)
	}
	cluster := &Cluster{config: c, rest: connection, client: client, dynamic: own,
		pods: map[string]*pod{}, noImage: map[string]error{}, services: map[string]*probes.Service{}, failed: map[string]error{}}
	if err := cluster.checkAccess(ctx); err != nil {
		return nil, err
	}
	return cluster, nil
}

// Record says which run the cluster serves, and where workers' logs go.
func (c *Cluster) Record(runID, logs string) { c.runID, c.logs = runID, logs }

// Up measures the plugin that the cluster has, or installs it; see
// [testbed.Testbed]. The baseline is the nodes' own network, seen from pods in it.
// On the topology [results.SameNode] both pods are on the client's node.
func (c *Cluster) Up(ctx context.Context, p *plugins.Plugin, instance, topology string) (testbed.Network, error) {
	if p.HostNetwork() && c.config.Unprivileged {
		return nil, &testbed.UnsupportedError{Cause: "the baseline needs pods in the nodes' network, which --unprivileged rules out"}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin, fmt.Errorf("not ready within %s: %w", readyWithin, context.DeadlineExceeded))
	defer cancel()
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	start := time.Now()
	n := &network{cluster: c, facts: results.Network{Plugin: instance, Topology: topology, Status: results.StatusOK,
		Fidelity: string(plugins.Cluster), Kernel: c.chosen.client.Status.NodeInfo.KernelVersion},
		setup: results.Setup{Plugin: instance, Topology: topology}}
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
	case errors.As(err, new(*probes.NoPacketError)):
		n.facts.Status, n.facts.Cause = results.StatusFailed, err.Error()
		return n, err
	case err != nil:
		return nil, err
	}
	return n, nil
}

// prepare makes the namespace, the first time, and chooses the nodes unless
// [Cluster.Describe] has.
func (c *Cluster) prepare(ctx context.Context) error {
	if c.owner != nil {
		return nil
	}
	if _, err := c.chooseNodes(ctx); err != nil {
		return err
	}
	if c.namespace == "" {
		if err := c.makeNamespace(ctx); err != nil {
			return err
		}
	}
	return c.makeOwner(ctx)
}

// Close ends the workers and removes the namespace with everything in it.
func (c *Cluster) Close() error {
	var stopping sync.WaitGroup
	for _, w := range c.workers { // each waits a moment for its end
		stopping.Go(w.stop)
	}
	stopping.Wait()
	c.workers = nil
	if c.outside != nil {
		c.outside.Close()
		c.outside = nil
	}
	if c.namespace == "" {
		return nil
	}
	if err := c.uninstall(); err != nil {
		return fmt.Errorf("the plugin is left, and the namespace %s with what removes it (cnibench clean does): %w", c.namespace, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), removeWithin)
	defer cancel()
	if err := c.removeRun(ctx); err != nil {
		return fmt.Errorf("what the run made in the namespace %s is left (%s removes it; its pods end by themselves within %s): %w",
			c.namespace, c.removeCommand(), c.config.Life, err)
	}
	c.namespace = ""
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
