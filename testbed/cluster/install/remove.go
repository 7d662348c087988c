package install

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// Hidden commands of the program for nodes, and the directories in the container
// that they work on. CopyCommand copies the program to where a container of another
// image can start it. NodeCleanCommand removes what flannel leaves on a node.
const (
	CopyCommand      = "copy"
	NodeCleanCommand = "node-clean"
	NodeRun          = "/host/run"
	NodeConf         = "/host/net.d"
	NodeData         = "/host/cni"
	sharedProgram    = "/shared/cnibench"
)

// NetworkLabel is on each pod of a run and says which network the pod is in: that
// of the plugin (PluginPod) or that of the node.
const (
	NetworkLabel = "cnibench.io/network"
	PluginPod    = "pod"
	HostPod      = "host"
	cleanPod     = "clean"
)

// removeWithin bounds the removal of a plugin from all nodes.
const removeWithin = 90 * time.Second

// Remove removes flannel: first the pods, while flannel can still take their
// networks down, then its agents and other objects, then what they left on the
// nodes.
func (f *Flannel) Remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, removeWithin, fmt.Errorf("not done within %s: %w", removeWithin, context.DeadlineExceeded))
	defer cancel()
	if err := f.Client.RemovePods(ctx, f.Namespace, NetworkLabel+"="+PluginPod); err != nil {
		return err
	}
	untouched, err := f.neverRan(ctx)
	if err != nil {
		return err
	}
	objects, err := f.objects("")
	if err != nil {
		return err
	}
	slices.Reverse(objects) // the DaemonSet first
	var errs []error
	for _, o := range objects {
		how := metav1.DeletePropagationBackground
		if o.GetKind() == "DaemonSet" {
			how = metav1.DeletePropagationForeground
		}
		if err := o.resource.Delete(ctx, o.GetName(), metav1.DeleteOptions{PropagationPolicy: &how}); err != nil && !apierrors.IsNotFound(err) {
			errs = append(errs, fmt.Errorf("deleting the %s %s: %w", o.GetKind(), o.GetName(), err))
		}
	}
	if err := f.Client.AwaitNoPods(ctx, f.Namespace, agents); err != nil {
		return errors.Join(append(errs, err)...)
	}
	nodes, err := f.Client.Nodes(ctx)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	touched := slices.DeleteFunc(slices.Clone(nodes), func(n core.Node) bool { return untouched[n.Name] })
	errs = append(errs, f.cleanNodes(ctx, touched))
	for _, n := range nodes {
		errs = append(errs, f.forget(ctx, n))
	}
	return errors.Join(errs...)
}

// neverRan returns the nodes whose agent has not started because its image is
// missing. Flannel has left nothing there, and nothing could be removed with that
// image.
func (f *Flannel) neverRan(ctx context.Context) (map[string]bool, error) {
	pods, err := f.Client.ListPods(ctx, f.Namespace, agents)
	if err != nil {
		return nil, err
	}
	nodes := map[string]bool{}
	for _, p := range pods {
		if !slices.ContainsFunc(p.Status.ContainerStatuses, func(s core.ContainerStatus) bool { return s.Name == agentName && s.ContainerID != "" }) {
			nodes[p.Spec.NodeName] = true
		}
	}
	return nodes, nil
}

// cleanNodes runs a pod on each node that removes what flannel left there.
func (f *Flannel) cleanNodes(ctx context.Context, nodes []core.Node) error {
	var errs []error
	var started []string
	for k, n := range nodes {
		p := f.cleaner(fmt.Sprintf("clean-%d", k+1), n.Name)
		if _, err := f.Client.CoreV1().Pods(f.Namespace).Create(ctx, p, metav1.CreateOptions{}); err != nil {
			errs = append(errs, fmt.Errorf("creating the pod that cleans %s: %w", n.Name, err))
			continue
		}
		started = append(started, p.Name)
	}
	for _, name := range started {
		errs = append(errs, f.awaitCleaned(ctx, name))
	}
	return errors.Join(append(errs, f.Client.RemovePods(ctx, f.Namespace, NetworkLabel+"="+cleanPod))...)
}

// awaitCleaned waits until a cleaning pod has succeeded.
func (f *Flannel) awaitCleaned(ctx context.Context, name string) error {
	return kube.Await(ctx, words.Quote("the pod "+name+" to clean its node"), func(ctx context.Context) error {
		p, err := f.Client.CoreV1().Pods(f.Namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		why, final := kube.WaitingFor(p)
		switch {
		case p.Status.Phase == core.PodSucceeded:
			return nil
		case p.Status.Phase == core.PodFailed:
			return kube.Final(fmt.Errorf("cleaning %s: %s", p.Spec.NodeName, ending(p)))
		case final && !succeeded(p):
			return kube.Final(fmt.Errorf("cleaning %s: %s", p.Spec.NodeName, why))
		}
		return words.Error(why)
	})
}

// succeeded reports whether a pod's container has succeeded. The pod's phase
// follows a moment later.
func succeeded(p *core.Pod) bool {
	return slices.ContainsFunc(p.Status.ContainerStatuses, func(s core.ContainerStatus) bool {
		return s.State.Terminated != nil && s.State.Terminated.ExitCode == 0
	})
}

// ending returns the last message of a failed pod.
func ending(p *core.Pod) string {
	for _, s := range append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...) {
		if t := s.State.Terminated; t != nil && t.ExitCode != 0 {
			return strings.TrimSpace(t.Message)
		}
	}
	return p.Status.Reason + " " + p.Status.Message
}

// cleaner returns the pod that removes what flannel left in the node's network. No
// other pod of a run changes a node. It runs this program inside flannel's image,
// because that image's iptables created the chains.
func (f *Flannel) cleaner(name, node string) *core.Pod {
	root, life, grace := int64(0), int64(removeWithin.Seconds()), int64(0)
	folder := func(name, path string, kind core.HostPathType) core.Volume {
		return core.Volume{Name: name, VolumeSource: core.VolumeSource{HostPath: &core.HostPathVolumeSource{Path: path, Type: &kind}}}
	}
	shared := core.VolumeMount{Name: "shared", MountPath: "/shared"}
	p := &core.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: f.Namespace, Labels: map[string]string{kube.OwnerLabel: kube.OwnerName, NetworkLabel: cleanPod}}}
	p.Spec = core.PodSpec{HostNetwork: true, RestartPolicy: core.RestartPolicyNever, ActiveDeadlineSeconds: &life, TerminationGracePeriodSeconds: &grace,
		Affinity: kube.OnNode(node), Tolerations: []core.Toleration{{Operator: core.TolerationOpExists}},
		InitContainers: []core.Container{{Name: "copy", Image: f.Image, ImagePullPolicy: core.PullIfNotPresent, Args: []string{CopyCommand, sharedProgram},
			SecurityContext: &core.SecurityContext{RunAsUser: &root}, VolumeMounts: []core.VolumeMount{shared},
			TerminationMessagePolicy: core.TerminationMessageFallbackToLogsOnError}},
		Containers: []core.Container{{Name: "clean", Image: f.FlannelImage, ImagePullPolicy: core.PullIfNotPresent, Command: []string{sharedProgram, NodeCleanCommand},
			Env:                      []core.EnvVar{{Name: "XTABLES_LOCKFILE", Value: NodeRun + "/xtables.lock"}},
			SecurityContext:          &core.SecurityContext{RunAsUser: &root, Capabilities: &core.Capabilities{Add: []core.Capability{"NET_ADMIN", "NET_RAW"}}},
			VolumeMounts:             []core.VolumeMount{shared, {Name: "run", MountPath: NodeRun}, {Name: "conf", MountPath: NodeConf}, {Name: "data", MountPath: NodeData}},
			TerminationMessagePolicy: core.TerminationMessageFallbackToLogsOnError}},
		Volumes: []core.Volume{{Name: "shared", VolumeSource: core.VolumeSource{EmptyDir: &core.EmptyDirVolumeSource{}}},
			folder("run", "/run", core.HostPathDirectory), folder("conf", "/etc/cni/net.d", core.HostPathDirectoryOrCreate),
			folder("data", "/var/lib/cni", core.HostPathDirectoryOrCreate)}}
	return p
}

// flannelUp is the reason of the condition that flannel sets on its node
// (pkg/subnet/kube/kube.go of v0.28.10).
const flannelUp = "FlannelIsUp"

// forget removes what flannel wrote on a Node object.
func (f *Flannel) forget(ctx context.Context, n core.Node) error {
	annotations := map[string]any{}
	for key := range n.Annotations {
		if strings.HasPrefix(key, "flannel.alpha.coreos.com/") {
			annotations[key] = nil
		}
	}
	patch := map[string]any{"metadata": map[string]any{"annotations": annotations}}
	reported := false
	for _, condition := range n.Status.Conditions {
		reported = reported || condition.Type == core.NodeNetworkUnavailable && condition.Reason == flannelUp
	}
	if reported {
		patch["status"] = map[string]any{"conditions": []any{map[string]any{"type": core.NodeNetworkUnavailable, "$patch": "delete"}}}
	}
	if len(annotations) == 0 && !reported {
		return nil
	}
	text, err := json.Marshal(patch)
	if err == nil {
		_, err = f.Client.CoreV1().Nodes().Patch(ctx, n.Name, types.StrategicMergePatchType, text, metav1.PatchOptions{}, "status")
	}
	if err != nil {
		return fmt.Errorf("removing flannel's annotations from %s: %w", n.Name, err)
	}
	return nil
}
