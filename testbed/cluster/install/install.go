// Package install installs network plugins on a disposable cluster, one at a time:
// those of the catalogue whose manifests this program has, and others by manifests
// of the user's. It removes them again, takes stock of the nodes before and after,
// and says what is left.
package install

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
)

// DefaultWithin is how long an installation may take: pulling images takes most of
// it.
const DefaultWithin = 2 * time.Minute

// Options says how to install plugins on a disposable cluster.
type Options struct {
	FlannelImage    string // contains flanneld in /opt/bin, and iptables
	CalicoNodeImage string // contains calico-node and what it starts, as Calico's own does
	CalicoCNIImage  string // contains /opt/cni/bin/install and what it installs
	BesideOthers    bool   // install although other users' pods would lose their network
	// Own holds the user's manifests, by the name of the plugin that they install.
	Own map[string]Manifests
	// WaitFor lists what else has to hold of the user's plugins before pods are made.
	WaitFor []Condition
	// Within bounds an installation, from the first object until the plugin is ready.
	Within time.Duration
	// RemoveLeftovers removes all that is left on the nodes and was not there before,
	// and not only what is known to be the plugin's.
	RemoveLeftovers bool
}

// Installer installs plugins on a cluster. Its own objects are in the namespace of a
// run, and so are the records by which another run can remove everything.
type Installer struct {
	Options
	Client     *kube.Client
	Namespace  string
	Image      string // of this program
	PullSecret string // for the images; "" for none
}

// imageAnnotation is on the namespace of a run that installs plugins, and names the
// image of this program, so that another run can clean the nodes with it.
const imageAnnotation = "cnibench.io/image"

// Annotations returns the annotations for the run's namespace, from which [OfRun]
// knows that there is something to remove.
func (i *Installer) Annotations() map[string]string {
	return map[string]string{imageAnnotation: i.Image}
}

// OfRun returns the installer of an earlier run, which can remove what that run has
// installed. It returns nil if the run has not installed anything, or if nothing can
// be created in its namespace any more.
func OfRun(c *kube.Client, n core.Namespace) *Installer {
	image := n.Annotations[imageAnnotation]
	if image == "" || n.Status.Phase == core.NamespaceTerminating {
		return nil
	}
	return &Installer{Client: c, Namespace: n.Name, Image: image}
}

// run returns the value of the label that is on every object of the run.
func (i *Installer) run() string { return strings.TrimPrefix(i.Namespace, "cnibench-") }

// PodNetwork returns the smallest network that contains the pod CIDRs of all nodes.
func PodNetwork(nodes []core.Node) (netip.Prefix, error) {
	var all netip.Prefix
	for _, n := range nodes {
		cidr, err := netip.ParsePrefix(n.Spec.PodCIDR)
		if err != nil || !cidr.Addr().Is4() {
			return netip.Prefix{}, fmt.Errorf("the node %s has no IPv4 network for pods (%q): start the controller manager with --allocate-node-cidrs and --cluster-cidr",
				n.Name, n.Spec.PodCIDR)
		}
		if !all.IsValid() {
			all = cidr.Masked()
		}
		for !all.Contains(cidr.Addr()) || all.Bits() > cidr.Bits() {
			all = netip.PrefixFrom(all.Addr(), all.Bits()-1).Masked()
		}
	}
	return all, nil
}

// Install installs a plugin and waits until it is ready on all nodes: the workloads
// of its manifests are rolled out, the nodes are ready for pods, and the conditions
// of the user hold. Everything that it creates is recorded before it is created. An
// object that exists belongs to somebody else and is never changed.
func (i *Installer) Install(ctx context.Context, plugin string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, i.Within, testbed.NotWithin(i.Within))
	defer cancel()
	nodes, err := i.Client.Nodes(ctx)
	if err != nil {
		return err
	}
	made := record{Plugin: plugin}
	manifest, own := i.Own[plugin]
	if !own {
		network, err := PodNetwork(nodes)
		if err != nil {
			return err
		}
		r, err := i.recipe(plugin)
		if err != nil {
			return err
		}
		if manifest, err = r.manifests(i, network); err != nil {
			return fmt.Errorf("preparing the manifests of %s: %w", plugin, err)
		}
		made.Known, made.Image, made.Network = true, r.agentImage, network
	}
	objects, err := i.resolve(manifest)
	if err != nil {
		return err
	}
	if err := i.create(ctx, made, objects); err != nil {
		return err
	}
	if err := i.awaitWorkloads(ctx, objects, !own); err != nil {
		return err
	}
	if !own {
		return nil // its agents' checks of readiness say it all
	}
	if err := i.awaitNodes(ctx, nodes); err != nil {
		return err
	}
	return i.awaitConditions(ctx)
}

// Images returns the images of a plugin's containers, by the name that the record of
// the run has for them.
func (i *Installer) Images(plugin string) map[string]string {
	if own, is := i.Own[plugin]; is {
		return map[string]string{plugin: strings.Join(own.images(), " ")}
	}
	r, err := i.recipe(plugin)
	if err != nil {
		return nil
	}
	return map[string]string{r.family: r.agentImage}
}

// object is one of a plugin's objects, with where the API serves it.
type object struct {
	*unstructured.Unstructured
	ref
}
