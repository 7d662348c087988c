package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/calico"
	"github.com/cnibench/cnibench/plugins/flannel"
	"github.com/cnibench/cnibench/testbed/cluster/install/leftovers"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// Hidden commands of the program for nodes. CopyCommand copies the program to where
// a container of another image can start it, and HoldCommand waits until the pod is
// removed. NodeStateCommand prints what is on a node, and NodeCleanCommand removes
// what a plugin left there and prints what is still there, both as JSON.
const (
	CopyCommand      = "copy"
	HoldCommand      = "hold"
	NodeStateCommand = "node-state"
	NodeCleanCommand = "node-clean"
)

// Paths in the pods that look at nodes and clean them.
const (
	NodeRoot      = "/host" // holds the node's folders under their own paths
	BeforeFile    = "/before/" + keptFile
	sharedProgram = "/shared/cnibench"
	ownProgram    = "/cnibench"
)

const nodePod = "node" // value of NetworkLabel

// before is what a node has before the first plugin is installed.
type before struct {
	Node  leftovers.State `json:"node"`
	Marks marks           `json:"marks"`
}

// ReadBefore reads what was on a node from what the run's namespace keeps of it.
func ReadBefore(text []byte) (*leftovers.State, error) {
	var b before
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, err
	}
	return &b.Node, nil
}

// beforeName is the name of the ConfigMap that holds what a node had before.
func beforeName(node string) string { return "before-" + node }

// TakeStock records what is on all nodes and in the cluster, before anything is
// installed.
func (i *Installer) TakeStock(ctx context.Context) error {
	nodes, err := i.Client.Nodes(ctx)
	if err != nil {
		return err
	}
	states, err := i.onNodes(ctx, nodes, func(core.Node) nodeTask {
		return nodeTask{image: i.Image, command: append([]string{ownProgram, NodeStateCommand}, i.folders()...), readOnly: true}
	})
	if err != nil {
		return fmt.Errorf("taking stock of the nodes: %w", err)
	}
	for _, n := range nodes {
		if err := i.keep(ctx, beforeName(n.Name), before{states[n.Name], marksOf(n)}); err != nil {
			return fmt.Errorf("recording what is on %s: %w", n.Name, err)
		}
	}
	kinds, err := i.clusterWide(ctx)
	if err != nil {
		return err
	}
	return i.keep(ctx, clusterBefore, kinds)
}

// folders lists the folders of all plugins that the run installs, in which they may
// leave something.
func (i *Installer) folders() []string {
	all := map[string]bool{}
	for _, l := range families {
		for _, f := range l.Folders {
			all[f] = true
		}
	}
	for _, m := range i.Own {
		for _, f := range m.folders() {
			all[leftovers.Folder(f)] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// nodeTask is what a pod does on a node.
type nodeTask struct {
	image    string
	command  []string // prints a leftovers.State
	readOnly bool
}

// onNodes runs a task on each node, and returns what is on the nodes then. The error
// names the nodes on which a task failed.
func (i *Installer) onNodes(ctx context.Context, nodes []core.Node, task func(core.Node) nodeTask) (map[string]leftovers.State, error) {
	states := map[string]leftovers.State{}
	errs := make([]error, len(nodes))
	var mu sync.Mutex
	var tasks sync.WaitGroup
	atOnce := make(chan bool, 8)
	for k, n := range nodes {
		tasks.Go(func() {
			atOnce <- true
			defer func() { <-atOnce }()
			state, err := i.onNode(ctx, fmt.Sprintf("node-%d", k+1), n.Name, task(n))
			if err != nil {
				errs[k] = fmt.Errorf("on %s: %w", n.Name, err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			states[n.Name] = state
		})
	}
	tasks.Wait()
	return states, errors.Join(append(errs, i.Client.RemovePods(ctx, i.Namespace, NetworkLabel+"="+nodePod))...)
}

func (i *Installer) onNode(ctx context.Context, name, node string, t nodeTask) (s leftovers.State, err error) {
	pods := i.Client.CoreV1().Pods(i.Namespace)
	if _, err := pods.Create(ctx, i.nodePod(name, node, t), metav1.CreateOptions{}); err != nil {
		return s, fmt.Errorf("creating the pod %s: %w", name, err)
	}
	err = kube.Await(ctx, words.PodToRun.With(name, node), func(ctx context.Context) error {
		p, err := pods.Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if p.Status.Phase == core.PodRunning {
			return nil
		}
		why, final := waiting(p)
		if err := words.Error(why); final {
			return kube.Final(err)
		}
		return words.Error(why)
	})
	if err != nil {
		return s, err
	}
	text, err := i.Client.Output(ctx, i.Namespace, name, t.command...)
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, fmt.Errorf("reading what the pod %s says of its node: %w", name, err)
	}
	return s, nil
}

// nodePod returns the pod that looks at a node, or removes what a plugin left there.
// No other pod of a run changes a node. It can change the node's network, and if it
// is to clean the node, the folders in which plugins leave files; nothing else.
//
// To clean the chains of a known plugin, it runs this program inside that plugin's
// image, because that image's iptables created the chains.
func (i *Installer) nodePod(name, node string, t nodeTask) *core.Pod {
	root, life, grace, no, yes := int64(0), int64(removeWithin.Seconds()), int64(0), false, true
	p := &core.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: i.Namespace,
		Labels: map[string]string{kube.OwnerLabel: kube.OwnerName, kube.RunLabel: i.run(), NetworkLabel: nodePod}}}
	program := ownProgram
	shared := core.VolumeMount{Name: "shared", MountPath: "/shared"}
	container := core.Container{Name: kube.Container, Image: t.image, ImagePullPolicy: core.PullIfNotPresent,
		Env: []core.EnvVar{{Name: "XTABLES_LOCKFILE", Value: NodeRoot + "/run/xtables.lock"}},
		// NET_ADMIN is also what it takes to list nftables.
		SecurityContext: &core.SecurityContext{RunAsUser: &root, Capabilities: &core.Capabilities{Add: []core.Capability{"NET_ADMIN", "NET_RAW"}}}}
	p.Spec = core.PodSpec{HostNetwork: true, RestartPolicy: core.RestartPolicyNever, ActiveDeadlineSeconds: &life, TerminationGracePeriodSeconds: &grace,
		AutomountServiceAccountToken: &no, EnableServiceLinks: &no, Affinity: kube.OnNode(node), Tolerations: []core.Toleration{{Operator: core.TolerationOpExists}}}
	if i.PullSecret != "" {
		p.Spec.ImagePullSecrets = []core.LocalObjectReference{{Name: i.PullSecret}}
	}
	if t.image != i.Image {
		program = sharedProgram
		p.Spec.InitContainers = []core.Container{{Name: "copy", Image: i.Image, ImagePullPolicy: core.PullIfNotPresent, Args: []string{CopyCommand, sharedProgram},
			SecurityContext: &core.SecurityContext{RunAsUser: &root}, VolumeMounts: []core.VolumeMount{shared},
			TerminationMessagePolicy: core.TerminationMessageFallbackToLogsOnError}}
		p.Spec.Volumes = []core.Volume{{Name: "shared", VolumeSource: core.VolumeSource{EmptyDir: &core.EmptyDirVolumeSource{}}}}
		container.VolumeMounts = []core.VolumeMount{shared}
	}
	container.Command = []string{program, HoldCommand}
	if t.readOnly {
		container.SecurityContext.ReadOnlyRootFilesystem = &yes
		container.SecurityContext.Capabilities = &core.Capabilities{Drop: []core.Capability{"ALL"}, Add: []core.Capability{"NET_ADMIN"}}
		container.SecurityContext.AllowPrivilegeEscalation = &no
	} else {
		p.Spec.Volumes = append(p.Spec.Volumes, core.Volume{Name: "before", VolumeSource: core.VolumeSource{ConfigMap: &core.ConfigMapVolumeSource{
			LocalObjectReference: core.LocalObjectReference{Name: beforeName(node)}, Optional: &yes}}})
		container.VolumeMounts = append(container.VolumeMounts, core.VolumeMount{Name: "before", MountPath: "/before", ReadOnly: true})
	}
	for k, folder := range leftovers.Mounts {
		kind, volume := core.HostPathDirectoryOrCreate, fmt.Sprintf("folder-%d", k+1)
		p.Spec.Volumes = append(p.Spec.Volumes, core.Volume{Name: volume, VolumeSource: core.VolumeSource{HostPath: &core.HostPathVolumeSource{Path: folder, Type: &kind}}})
		container.VolumeMounts = append(container.VolumeMounts, core.VolumeMount{Name: volume, MountPath: NodeRoot + folder, ReadOnly: t.readOnly})
	}
	p.Spec.Containers = []core.Container{container}
	return p
}

// cleanNodes removes what a plugin left on the nodes, and compares them with what
// they were.
func (i *Installer) cleanNodes(ctx context.Context, made record, ran map[string]bool) ([]Left, error) {
	nodes, err := i.Client.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	states, err := i.onNodes(ctx, nodes, func(n core.Node) nodeTask { return i.cleaning(made, ran[n.Name]) })
	if err != nil {
		return nil, fmt.Errorf("cleaning the nodes: %w", err)
	}
	if nodes, err = i.Client.Nodes(ctx); err != nil { // as their agents left them
		return nil, err
	}
	var left []Left
	var errs []error
	for _, n := range nodes {
		state, looked := states[n.Name]
		var was before
		found, err := i.kept(ctx, beforeName(n.Name), &was)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		marksLeft, err := i.forget(ctx, n, made, was.Marks, found)
		errs = append(errs, err)
		if !looked || !found {
			continue
		}
		items, unseen := leftovers.Compare(was.Node, state)
		on := Left{Plugin: made.Plugin, Node: n.Name, Unseen: unseen, Items: marksLeft}
		for _, item := range items {
			on.Items = append(on.Items, item.String())
			if item.Kind == leftovers.File && strings.HasPrefix(item.Name, leftovers.ConfFolder+"/") {
				on.Conf = append(on.Conf, item.Name)
			}
		}
		if len(on.Items) > 0 || len(on.Unseen) > 0 {
			left = append(left, on)
		}
	}
	inCluster, err := i.leftInCluster(ctx, made.Plugin)
	return append(left, inCluster...), errors.Join(append(errs, err)...)
}

// cleaning is the task of cleaning a node.
func (i *Installer) cleaning(made record, agentRan bool) nodeTask {
	t := nodeTask{image: i.Image, command: []string{ownProgram, NodeCleanCommand}}
	if agentRan {
		t = nodeTask{image: made.Image, command: []string{sharedProgram, NodeCleanCommand, "--chains"}}
	}
	if made.Known {
		t.command = append(t.command, "--plugin", made.Plugin, "--network", made.Network.String())
	}
	if i.RemoveLeftovers {
		t.command = append(t.command, "--all")
	}
	t.command = append(t.command, "--")
	t.command = append(t.command, i.folders()...)
	return t
}

// families holds what the installable plugins of the catalogue leave behind, by the
// beginning of their modes' names.
var families = map[string]plugins.Leftovers{"flannel": flannel.Leftovers, "calico": calico.Leftovers}

// Leaves returns what a mode of the catalogue leaves on nodes.
func Leaves(mode string) plugins.Leftovers {
	family, _, _ := strings.Cut(mode, "-")
	return families[family]
}

// CleanNode removes what a plugin left on the node that this process runs on, and
// was not there before. Nothing is removed whose origin is in doubt: without all,
// what is not known to be the plugin's, and if the state before is unknown, what
// others may have put there under the same name.
func CleanNode(n leftovers.Node, was *leftovers.State, of plugins.Leftovers, network netip.Prefix, all bool) error {
	wanted := func(item leftovers.Item) bool { return owned(item, of, network) }
	if was == nil {
		was = &leftovers.State{}
		named := wanted
		wanted = func(item leftovers.Item) bool {
			shared := strings.HasPrefix(item.Name, leftovers.BinFolder) || item.Kind == leftovers.Table || item.Kind == leftovers.Chain && item.Empty ||
				item.Kind == leftovers.File && strings.HasPrefix(item.Name, leftovers.DataFolder)
			return named(item) && !shared
		}
	} else if all {
		wanted = func(leftovers.Item) bool { return true }
	}
	return n.Remove(*was, wanted)
}

// iptablesTables lists the tables of iptables, and iptablesChains their own chains
// (iptables(8)).
var (
	iptablesTables = []string{"filter", "nat", "mangle", "raw", "security"}
	iptablesChains = []string{"INPUT", "OUTPUT", "FORWARD", "PREROUTING", "POSTROUTING"}
)

// owned reports whether an item is known to be a plugin's.
func owned(item leftovers.Item, of plugins.Leftovers, network netip.Prefix) bool {
	switch item.Kind {
	case leftovers.Device:
		return plugins.Matches(of.Devices, item.Name)
	case leftovers.Route:
		to, err := netip.ParsePrefix(item.To)
		return err == nil && network.IsValid() && network.Bits() <= to.Bits() && network.Contains(to.Addr())
	case leftovers.Set:
		return plugins.Matches(of.Sets, item.Name)
	case leftovers.File:
		return plugins.Matches(of.Files, item.Name)
	}
	if of.Chains == "" {
		return false
	}
	fields := strings.Fields(item.Name)
	switch item.Kind {
	case leftovers.Rule:
		return strings.HasPrefix(item.To, of.Chains) || of.Comment != "" && strings.HasPrefix(item.Comment, of.Comment)
	case leftovers.Chain: // what iptables makes for a program that needs it
		return len(fields) == 3 && (strings.HasPrefix(fields[2], of.Chains) || item.Empty && slices.Contains(iptablesChains, fields[2]))
	case leftovers.Table:
		return len(fields) == 2 && item.Empty && slices.Contains(iptablesTables, fields[1])
	}
	return false
}
