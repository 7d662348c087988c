package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Hidden commands of the program for nodes: CopyCommand puts the program where
// another image's container can start it, NodeCleanCommand removes what flannel
// leaves on a node. They work on these folders of the container.
const (
	CopyCommand      = "copy"
	NodeCleanCommand = "node-clean"
	NodeRun          = "/host/run"
	NodeConf         = "/host/net.d"
	NodeData         = "/host/cni"
	sharedProgram    = "/shared/cnibench"
)

// uninstallWithin bounds the removal of a plugin from all nodes.
const uninstallWithin = 90 * time.Second

// installation is what has to be removed: where its objects are, and the images
// to do it with.
type installation struct{ namespace, image, flannelImage string }

// uninstall removes the plugin that is on the cluster.
func (c *Cluster) uninstall() error {
	if c.installed == "" {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), uninstallWithin, fmt.Errorf("not done within %s: %w", uninstallWithin, context.DeadlineExceeded))
	defer cancel()
	c.stopPods()
	err := errors.Join(c.removeServices(ctx), c.remove(ctx, installation{c.namespace, c.config.Image, c.config.Install.FlannelImage}))
	if err != nil {
		return fmt.Errorf("removing %s: %w", c.installed, err)
	}
	c.installed = ""
	return nil
}

// removeLeft removes what a killed run had installed.
func (c *Cluster) removeLeft(ctx context.Context, i installation) error {
	ctx, cancel := context.WithTimeoutCause(ctx, uninstallWithin, fmt.Errorf("not done within %s: %w", uninstallWithin, context.DeadlineExceeded))
	defer cancel()
	if err := c.remove(ctx, i); err != nil {
		return fmt.Errorf("removing the plugin that an earlier run installed: %w", err)
	}
	return nil
}

// remove takes an installation away: first the pods, while the plugin can still
// take their networks down, then its agents, then what they left on the nodes.
func (c *Cluster) remove(ctx context.Context, i installation) error {
	if err := c.removePods(ctx, i.namespace, networkLabel+"=pod"); err != nil {
		return err
	}
	untouched, err := c.neverRan(ctx, i.namespace)
	if err != nil {
		return err
	}
	foreground := metav1.DeletePropagationForeground
	options := metav1.DeleteOptions{PropagationPolicy: &foreground}
	if err := gone(c.client.AppsV1().DaemonSets(i.namespace).Delete(ctx, flannelName, options)); err != nil {
		return fmt.Errorf("deleting the DaemonSet: %w", err)
	}
	if err := c.awaitNone(ctx, i.namespace, "app="+flannelName); err != nil {
		return err
	}
	nodes, err := c.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Errorf("listing the cluster's nodes: %w", err)
	}
	touched := slices.DeleteFunc(slices.Clone(nodes.Items), func(n core.Node) bool { return untouched[n.Name] })
	err = c.cleanNodes(ctx, i, touched)
	for _, n := range nodes.Items {
		err = errors.Join(err, c.forgetFlannel(ctx, n))
	}
	return errors.Join(err, c.removeObjects(ctx, i.namespace))
}

// neverRan are the nodes whose agent has not started, for want of its image: they
// hold nothing of it, and nothing could be removed with that image.
func (c *Cluster) neverRan(ctx context.Context, namespace string) (map[string]bool, error) {
	list, err := c.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + flannelName})
	if err != nil {
		return nil, fmt.Errorf("listing flannel's pods: %w", err)
	}
	nodes := map[string]bool{}
	for _, p := range list.Items {
		if !slices.ContainsFunc(p.Status.ContainerStatuses, func(s core.ContainerStatus) bool { return s.Name == agentName && s.ContainerID != "" }) {
			nodes[p.Spec.NodeName] = true
		}
	}
	return nodes, nil
}

// removePods deletes pods and waits until their nodes have taken them down.
func (c *Cluster) removePods(ctx context.Context, namespace, selector string) error {
	second := int64(1) // 0 would take the object away and leave the pod to its node
	err := c.client.CoreV1().Pods(namespace).DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &second}, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return fmt.Errorf("deleting the pods in %s: %w", namespace, err)
	}
	return c.awaitNone(ctx, namespace, selector)
}

func (c *Cluster) awaitNone(ctx context.Context, namespace, selector string) error {
	for {
		list, err := c.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
		if err == nil && len(list.Items) == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("pods in %s are still being deleted: %w", namespace, context.Cause(ctx)), err)
		case <-time.After(pollEvery):
		}
	}
}

// cleanNodes runs a pod on each node that removes what flannel left there.
func (c *Cluster) cleanNodes(ctx context.Context, i installation, nodes []core.Node) error {
	var errs []error
	var started []string
	for k, n := range nodes {
		p := cleaner(fmt.Sprintf("clean-%d", k+1), n.Name, i)
		if _, err := c.client.CoreV1().Pods(i.namespace).Create(ctx, p, metav1.CreateOptions{}); err != nil {
			errs = append(errs, fmt.Errorf("making the pod that cleans %s: %w", n.Name, err))
			continue
		}
		started = append(started, p.Name)
	}
	for _, name := range started {
		errs = append(errs, c.cleaned(ctx, i.namespace, name))
	}
	return errors.Join(append(errs, c.removePods(ctx, i.namespace, networkLabel+"=clean"))...)
}

// cleaned waits until a cleaning pod has done its work.
func (c *Cluster) cleaned(ctx context.Context, namespace, name string) error {
	for {
		p, err := c.client.CoreV1().Pods(namespace).Get(ctx, name, metav1.GetOptions{})
		why := ""
		if err == nil {
			if p.Status.Phase == core.PodSucceeded {
				return nil
			}
			var final bool
			if why, final = waitingFor(p); p.Status.Phase == core.PodFailed {
				return fmt.Errorf("cleaning %s: %s", p.Spec.NodeName, ending(p))
			}
			if final && !done(p) {
				return fmt.Errorf("cleaning %s: %s", p.Spec.NodeName, why)
			}
		}
		select {
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("the pod %s has not cleaned its node (%s): %w", name, why, context.Cause(ctx)), err)
		case <-time.After(pollEvery):
		}
	}
}

// done reports whether a pod's container has ended well; its phase tells a
// moment later.
func done(p *core.Pod) bool {
	return slices.ContainsFunc(p.Status.ContainerStatuses, func(s core.ContainerStatus) bool {
		return s.State.Terminated != nil && s.State.Terminated.ExitCode == 0
	})
}

// ending is what the containers of a pod that failed said last.
func ending(p *core.Pod) string {
	for _, s := range append(p.Status.InitContainerStatuses, p.Status.ContainerStatuses...) {
		if t := s.State.Terminated; t != nil && t.ExitCode != 0 {
			return strings.TrimSpace(t.Message)
		}
	}
	return p.Status.Reason + " " + p.Status.Message
}

// cleaner is a pod in the node's network that changes it: the only one of ours
// that does. It runs this program inside flannel's image, whose iptables made
// the chains.
func cleaner(name, node string, i installation) *core.Pod {
	root, life, grace := int64(0), int64(uninstallWithin.Seconds()), int64(0)
	folder := func(name, path string, kind core.HostPathType) core.Volume {
		return core.Volume{Name: name, VolumeSource: core.VolumeSource{HostPath: &core.HostPathVolumeSource{Path: path, Type: &kind}}}
	}
	shared := core.VolumeMount{Name: "shared", MountPath: "/shared"}
	p := &core.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: i.namespace, Labels: map[string]string{label: owner, networkLabel: "clean"}}}
	p.Spec = core.PodSpec{HostNetwork: true, RestartPolicy: core.RestartPolicyNever, ActiveDeadlineSeconds: &life, TerminationGracePeriodSeconds: &grace,
		Affinity: onNode(node), Tolerations: []core.Toleration{{Operator: core.TolerationOpExists}},
		InitContainers: []core.Container{{Name: "copy", Image: i.image, ImagePullPolicy: core.PullIfNotPresent, Args: []string{CopyCommand, sharedProgram},
			SecurityContext: &core.SecurityContext{RunAsUser: &root}, VolumeMounts: []core.VolumeMount{shared},
			TerminationMessagePolicy: core.TerminationMessageFallbackToLogsOnError}},
		Containers: []core.Container{{Name: "clean", Image: i.flannelImage, ImagePullPolicy: core.PullIfNotPresent, Command: []string{sharedProgram, NodeCleanCommand},
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

// forgetFlannel removes what flannel wrote on a node's object.
func (c *Cluster) forgetFlannel(ctx context.Context, n core.Node) error {
	annotations := map[string]any{}
	for key := range n.Annotations {
		if strings.HasPrefix(key, flannelPrefix) {
			annotations[key] = nil
		}
	}
	patch := map[string]any{"metadata": map[string]any{"annotations": annotations}}
	told := false
	for _, condition := range n.Status.Conditions {
		told = told || condition.Type == core.NodeNetworkUnavailable && condition.Reason == flannelUp
	}
	if told {
		patch["status"] = map[string]any{"conditions": []any{map[string]any{"type": core.NodeNetworkUnavailable, "$patch": "delete"}}}
	}
	if len(annotations) == 0 && !told {
		return nil
	}
	text, err := json.Marshal(patch)
	if err == nil {
		_, err = c.client.CoreV1().Nodes().Patch(ctx, n.Name, types.StrategicMergePatchType, text, metav1.PatchOptions{}, "status")
	}
	if err != nil {
		return fmt.Errorf("removing flannel's annotations from %s: %w", n.Name, err)
	}
	return nil
}

// removeObjects deletes what else the manifests made.
func (c *Cluster) removeObjects(ctx context.Context, namespace string) error {
	now := metav1.DeleteOptions{}
	err := errors.Join(
		gone(c.client.RbacV1().ClusterRoleBindings().Delete(ctx, flannelRole, now)),
		gone(c.client.RbacV1().ClusterRoles().Delete(ctx, flannelRole, now)),
		gone(c.client.CoreV1().ServiceAccounts(namespace).Delete(ctx, flannelName, now)),
		gone(c.client.CoreV1().ConfigMaps(namespace).Delete(ctx, flannelName, now)))
	if err != nil {
		return fmt.Errorf("removing flannel's objects: %w", err)
	}
	return nil
}
