package cluster

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/cnibench/cnibench/manifests"
	"github.com/cnibench/cnibench/plugins/flannel"
)

// DefaultFlannelImage is flannel's own image of the version whose manifest
// manifests/flannel follows (flannel v0.28.10 Documentation/kube-flannel.yml).
const DefaultFlannelImage = "ghcr.io/flannel-io/flannel:v0.28.10"

// Install says how plugins are put on a disposable cluster.
type Install struct {
	FlannelImage string // holds flanneld at /opt/bin, and iptables
	// BesideOthers installs although others' pods would lose their network.
	BesideOthers bool
}

const (
	flannelName  = "flannel"                   // of its objects in the run's namespace
	agentName    = "flanneld"                  // its container
	flannelRole  = "cnibench-flannel"          // its role, which belongs to no namespace
	networkLabel = "cnibench.io/network"       // on pods: "pod" for those that a plugin connects
	ofImage      = "cnibench.io/image"         // on the namespace of a run that installs: its
	ofFlannel    = "cnibench.io/flannel-image" // images, so that another run can clean up
)

// Installable reports whether a plugin can be installed, with the reason if not.
func Installable(plugin string) error {
	if _, err := flannel.NetConf(plugin, netip.Prefix{}); err != nil {
		return fmt.Errorf("%s cannot be installed: only modes of flannel can", plugin)
	}
	return nil
}

// install puts a plugin on the cluster, unless it is there, and waits until its
// agents run on all nodes. One that does not come up is removed again, and its
// failure holds for the rest of the run.
func (c *Cluster) install(ctx context.Context, plugin string) error {
	if c.installed == plugin {
		return nil
	}
	if err := c.failed[plugin]; err != nil {
		return err
	}
	if c.pods["host-1"] == nil {
		return errors.New("nothing is installed, because the baseline's pods do not run: what removes the plugin again would not either")
	}
	if err := c.uninstall(); err != nil { // the one before, if that failed then
		return err
	}
	nodes, err := c.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing the cluster's nodes: %w", err)
	}
	network, err := podNetwork(nodes.Items)
	if err != nil {
		return err
	}
	c.installed = plugin
	if err = c.apply(ctx, plugin, network); err == nil {
		err = c.rolledOut(ctx)
	}
	if err != nil {
		err = errors.Join(fmt.Errorf("installing %s: %w", plugin, err), c.uninstall())
		c.failed[plugin] = err
	}
	return err
}

// podNetwork is the smallest network that holds the pod CIDRs of all nodes.
func podNetwork(nodes []core.Node) (netip.Prefix, error) {
	var all netip.Prefix
	for _, n := range nodes {
		cidr, err := netip.ParsePrefix(n.Spec.PodCIDR)
		if err != nil || !cidr.Addr().Is4() {
			return netip.Prefix{}, fmt.Errorf("the node %s has no IPv4 network for pods (%q): the controller manager gives it one with --allocate-node-cidrs and --cluster-cidr",
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

// apply fills in the manifests and makes what they describe.
func (c *Cluster) apply(ctx context.Context, plugin string, network netip.Prefix) error {
	config, err := flannel.NetConf(plugin, network)
	if err != nil {
		return err
	}
	objects, err := decode(manifests.Flannel)
	if err != nil {
		return err
	}
	for _, o := range objects {
		if err := c.make(ctx, o, string(config)); err != nil {
			return err
		}
	}
	return nil
}

// decode reads the Kubernetes objects of a file.
func decode(text []byte) ([]runtime.Object, error) {
	var objects []runtime.Object
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		var o runtime.Object
		if err == nil {
			o, _, err = scheme.Codecs.UniversalDeserializer().Decode(document, nil, nil)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the manifests: %w", err)
		}
		objects = append(objects, o)
	}
}

// make fills in one object of flannel's and makes it.
func (c *Cluster) make(ctx context.Context, object runtime.Object, config string) error {
	create := metav1.CreateOptions{}
	var err error
	switch o := object.(type) {
	case *rbac.ClusterRole:
		o.Labels = map[string]string{label: owner}
		_, err = c.client.RbacV1().ClusterRoles().Create(ctx, o, create)
	case *rbac.ClusterRoleBinding:
		o.Labels = map[string]string{label: owner}
		o.Subjects[0].Namespace = c.namespace
		_, err = c.client.RbacV1().ClusterRoleBindings().Create(ctx, o, create)
	case *core.ServiceAccount:
		_, err = c.client.CoreV1().ServiceAccounts(c.namespace).Create(ctx, o, create)
	case *core.ConfigMap:
		o.Data["net-conf.json"] = config
		_, err = c.client.CoreV1().ConfigMaps(c.namespace).Create(ctx, o, create)
	case *apps.DaemonSet:
		images := map[string]string{agentName: c.config.Install.FlannelImage, "conf": c.config.Image}
		for i := range o.Spec.Template.Spec.Containers {
			container := &o.Spec.Template.Spec.Containers[i]
			container.Image = images[container.Name]
		}
		if c.config.PullSecret != "" {
			o.Spec.Template.Spec.ImagePullSecrets = []core.LocalObjectReference{{Name: c.config.PullSecret}}
		}
		_, err = c.client.AppsV1().DaemonSets(c.namespace).Create(ctx, o, create)
	default:
		return fmt.Errorf("the manifests hold a %T, which nothing fills in", o)
	}
	if err != nil {
		return fmt.Errorf("making the %s: %w", object.GetObjectKind().GroupVersionKind().Kind, err)
	}
	return nil
}

// rolledOut waits until flannel has written the CNI configuration of each node.
func (c *Cluster) rolledOut(ctx context.Context) error {
	for {
		set, err := c.client.AppsV1().DaemonSets(c.namespace).Get(ctx, flannelName, metav1.GetOptions{})
		if err == nil && set.Status.ObservedGeneration >= set.Generation && set.Status.DesiredNumberScheduled > 0 &&
			set.Status.NumberReady == set.Status.DesiredNumberScheduled {
			return nil
		}
		why, final := c.agentTrouble(ctx)
		if final {
			return errors.New(why)
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("flannel is not ready on all nodes (%s): %w", why, context.Cause(ctx)), err)
		case <-time.After(pollEvery):
		}
	}
}

// agentTrouble says what an agent's pod waits for, and whether that is in vain.
func (c *Cluster) agentTrouble(ctx context.Context) (why string, final bool) {
	list, err := c.client.CoreV1().Pods(c.namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + flannelName})
	if err != nil {
		return err.Error(), false
	}
	for _, p := range list.Items {
		said, final := waitingFor(&p)
		for _, s := range p.Status.ContainerStatuses {
			if t := s.LastTerminationState.Terminated; t != nil {
				said += fmt.Sprintf("; %s ended with %d: %s", s.Name, t.ExitCode, lastLine(t.Message))
			}
		}
		if said != string(core.PodRunning) && said != "" {
			why = p.Spec.NodeName + ": " + said
		}
		if final {
			return why, true
		}
	}
	return why, false
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

// OthersError says that a cluster is not disposable: it holds pods of others.
type OthersError struct{ Pods []string }

func (e *OthersError) Error() string {
	named := e.Pods
	more := ""
	if len(named) > 5 {
		named, more = named[:5], fmt.Sprintf(" and %d more", len(e.Pods)-5)
	}
	return fmt.Sprintf("--install is for a disposable cluster, and this one holds pods of others, which would lose their network: %s%s (--%s installs all the same)",
		strings.Join(named, ", "), more, BesideOthersFlag)
}

// BesideOthersFlag is the flag with which a person takes responsibility for
// others' pods.
const BesideOthersFlag = "others-pods-may-lose-their-network"

// CheckDisposable makes sure that a plugin may be installed: no pods of others
// outside kube-system, no plugin on the nodes, and on each of them the image can
// run that removes what a plugin leaves.
func (c *Cluster) CheckDisposable(ctx context.Context) error {
	ours, err := c.Left(ctx)
	if err != nil {
		return err
	}
	pods, err := c.client.CoreV1().Pods("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("looking for pods of others: %w", err)
	}
	var others []string
	for _, p := range pods.Items {
		if p.Namespace != metav1.NamespaceSystem && !slices.Contains(ours, p.Namespace) {
			others = append(others, p.Namespace+"/"+p.Name)
		}
	}
	if len(others) > 0 && !c.config.Install.BesideOthers {
		return &OthersError{others}
	}
	nodes, err := c.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing the cluster's nodes: %w", err)
	}
	for _, n := range nodes.Items {
		if why := c.foreign(n); why != "" {
			return fmt.Errorf("--install puts plugins on all nodes, and could not remove them from %s: %s", n.Name, why)
		}
	}
	return c.awaitBare(ctx)
}

// bareWithin is how long nodes may still say that they have a network after a
// plugin was removed: the kubelet looks every 5 s and tells every 10 s (its
// nodeStatusUpdateFrequency).
const bareWithin = 20 * time.Second

// awaitBare waits until no node has a network for pods.
func (c *Cluster) awaitBare(ctx context.Context) error {
	for begin := time.Now(); ; {
		nodes, err := c.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
		if err != nil {
			return fmt.Errorf("listing the cluster's nodes: %w", err)
		}
		i := slices.IndexFunc(nodes.Items, ready)
		switch {
		case i < 0:
			return nil
		case time.Since(begin) > bareWithin:
			return fmt.Errorf("the node %s has a network already: remove its plugin first, or measure it as it is, without --install", nodes.Items[i].Name)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pollEvery):
		}
	}
}

// awaitsNetwork reports whether all that a node lacks is a plugin, as the
// kubelet says it (pkg/kubelet/runtime.go and container/runtime.go of v1.34).
func awaitsNetwork(n core.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c core.NodeCondition) bool {
		return c.Type == core.NodeReady && c.Status == core.ConditionFalse && strings.Contains(c.Message, "NetworkPluginNotReady")
	})
}

// untilNetwork are the taints of a node that waits for its plugin.
var untilNetwork = []string{core.TaintNodeNotReady, core.TaintNodeNetworkUnavailable}

// tolerations let a pod onto a node that waits for its plugin.
func tolerations() []core.Toleration {
	var all []core.Toleration
	for _, key := range untilNetwork {
		all = append(all, core.Toleration{Key: key, Operator: core.TolerationOpExists})
	}
	return all
}

func gone(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
