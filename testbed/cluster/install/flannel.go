// Package install installs flannel on a disposable cluster, and removes it again
// with everything that it leaves on the nodes.
package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"github.com/cnibench/cnibench/manifests"
	"github.com/cnibench/cnibench/plugins/flannel"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// DefaultFlannelImage is flannel's own image. manifests/flannel follows the
// manifest of the same version (flannel v0.28.10 Documentation/kube-flannel.yml).
const DefaultFlannelImage = "ghcr.io/flannel-io/flannel:v0.28.10"

// Options says how to install plugins on a disposable cluster.
type Options struct {
	FlannelImage string // contains flanneld in /opt/bin, and iptables
	BesideOthers bool   // install although other users' pods would lose their network
}

const (
	daemonSet = "flannel"  // name of flannel's DaemonSet, and its label app
	agentName = "flanneld" // its container
	agents    = "app=" + daemonSet
)

// Flannel is flannel on a cluster, with its objects in the namespace of a run.
type Flannel struct {
	Client       *kube.Client
	Namespace    string
	Image        string // of this program
	FlannelImage string
	PullSecret   string // for the images; "" for none
}

// Annotations on the namespace of a run that installs plugins. They name its
// images, so that another run can remove what it leaves behind.
const (
	imageAnnotation   = "cnibench.io/image"
	flannelAnnotation = "cnibench.io/flannel-image"
)

// Annotations returns the annotations for the run's namespace, from which [Left]
// determines what to remove.
func (f *Flannel) Annotations() map[string]string {
	return map[string]string{imageAnnotation: f.Image, flannelAnnotation: f.FlannelImage}
}

// Left returns the flannel that an earlier run has installed. It returns nil if the
// run has not installed anything, or if nothing can be created in its namespace any
// more.
func Left(c *kube.Client, n core.Namespace) *Flannel {
	image := n.Annotations[imageAnnotation]
	if image == "" || n.Status.Phase == core.NamespaceTerminating {
		return nil
	}
	return &Flannel{Client: c, Namespace: n.Name, Image: image, FlannelImage: n.Annotations[flannelAnnotation]}
}

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

// Install creates flannel's objects for a mode and waits until its agents run on
// all nodes. It does not apply but creates, because an object that already exists
// belongs to somebody else.
func (f *Flannel) Install(ctx context.Context, mode string, network netip.Prefix) error {
	config, err := flannel.NetConf(mode, network)
	if err != nil {
		return err
	}
	objects, err := f.objects(string(config))
	if err != nil {
		return err
	}
	for _, o := range objects {
		if _, err := o.resource.Create(ctx, o.Unstructured, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("creating the %s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	return f.awaitAgents(ctx)
}

// object is one of flannel's objects, with the part of the API that serves it.
type object struct {
	*unstructured.Unstructured
	resource dynamic.ResourceInterface
}

// objects returns the objects in the manifests, filled in for this cluster, in the
// order of their creation.
func (f *Flannel) objects(netConf string) ([]object, error) {
	groups, err := restmapper.GetAPIGroupResources(f.Client.Discovery())
	if err != nil {
		return nil, fmt.Errorf("asking the cluster for its resources: %w", err)
	}
	resources := restmapper.NewDiscoveryRESTMapper(groups)
	manifest := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(manifests.Flannel), 4096)
	var all []object
	for {
		o := &unstructured.Unstructured{}
		err := manifest.Decode(o)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err == nil {
			err = f.fillIn(o, netConf)
		}
		var mapping *meta.RESTMapping
		if err == nil {
			mapping, err = resources.RESTMapping(o.GroupVersionKind().GroupKind(), o.GroupVersionKind().Version)
		}
		if err != nil {
			return nil, fmt.Errorf("preparing the manifests of flannel: %w", err)
		}
		made := object{o, f.Client.Dynamic.Resource(mapping.Resource)}
		if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
			o.SetNamespace(f.Namespace)
			made.resource = f.Client.Dynamic.Resource(mapping.Resource).Namespace(f.Namespace)
		}
		all = append(all, made)
	}
}

// fillIn sets the fields of a manifest's object that differ from run to run.
func (f *Flannel) fillIn(o *unstructured.Unstructured, netConf string) error {
	o.SetLabels(map[string]string{kube.OwnerLabel: kube.OwnerName})
	switch o.GetKind() {
	case "ClusterRoleBinding":
		return eachOf(o, func(subject map[string]any) { subject["namespace"] = f.Namespace }, "subjects")
	case "ConfigMap":
		return unstructured.SetNestedField(o.Object, netConf, "data", "net-conf.json")
	case "DaemonSet":
		if f.PullSecret != "" {
			secrets := []any{map[string]any{"name": f.PullSecret}}
			if err := unstructured.SetNestedSlice(o.Object, secrets, "spec", "template", "spec", "imagePullSecrets"); err != nil {
				return err
			}
		}
		images := map[any]string{agentName: f.FlannelImage, "conf": f.Image}
		return eachOf(o, func(container map[string]any) { container["image"] = images[container["name"]] }, "spec", "template", "spec", "containers")
	}
	return nil
}

// eachOf changes each element of a list in an object.
func eachOf(o *unstructured.Unstructured, change func(map[string]any), fields ...string) error {
	list, found, err := unstructured.NestedSlice(o.Object, fields...)
	if err == nil && !found {
		err = fmt.Errorf("the %s has no %s", o.GetKind(), strings.Join(fields, "."))
	}
	if err != nil {
		return err
	}
	for _, element := range list {
		change(element.(map[string]any))
	}
	return unstructured.SetNestedSlice(o.Object, list, fields...)
}

// awaitAgents waits until flannel has written the CNI configuration of each node.
func (f *Flannel) awaitAgents(ctx context.Context) error {
	return kube.Await(ctx, words.Quote("flannel on all nodes"), func(ctx context.Context) error {
		set, err := f.Client.AppsV1().DaemonSets(f.Namespace).Get(ctx, daemonSet, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if allReady(set) {
			return nil
		}
		pods, err := f.Client.ListPods(ctx, f.Namespace, agents)
		if err != nil {
			return err
		}
		return agentTrouble(pods)
	})
}

func allReady(set *apps.DaemonSet) bool {
	s := set.Status
	return s.ObservedGeneration >= set.Generation && s.DesiredNumberScheduled > 0 && s.NumberReady == s.DesiredNumberScheduled
}

// agentTrouble says what the agents' pods are waiting for. The error is final if
// one of them waits in vain.
func agentTrouble(pods []core.Pod) error {
	why := errors.New("its pods are starting")
	for _, p := range pods {
		state, final := kube.WaitingFor(&p)
		for _, s := range p.Status.ContainerStatuses {
			if t := s.LastTerminationState.Terminated; t != nil {
				state = words.Clauses(state, words.Quotef("%s ended with %d: %s", s.Name, t.ExitCode, lastLine(t.Message)))
			}
		}
		if state.String() != string(core.PodRunning) && !state.Empty() {
			why = fmt.Errorf("%s: %s", p.Spec.NodeName, state)
		}
		if final {
			return kube.Final(why)
		}
	}
	return why
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
