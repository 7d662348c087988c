package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// label is on everything that a run makes.
	label = "app.kubernetes.io/managed-by"
	owner = "cnibench"
	// pollEvery is how often a pod's state is asked for.
	pollEvery = 150 * time.Millisecond
	// podMemory is the limit of a pod: for a worker (probes.WorkerMemory), the
	// program that waits beside it, and what Go does not count of both.
	podMemory = "64Mi"
	// holdMemory is the soft limit (GOMEMLIMIT) of the program that waits, which
	// takes some 7 MB.
	holdMemory = "12MiB"
)

// HoldCommand is the hidden command with which a pod waits until it is removed.
const HoldCommand = "hold"

// pod is one of ours that runs.
type pod struct {
	name, node string
	plain      bool // connected by the plugin, not in the node's own network
	addr, host netip.Addr
	cluster    *Cluster
	worker     *worker
}

// spec describes a pod. A plain one passes the restricted Pod Security
// Standard; one in the node's network has the right to look at the wire and
// nothing else.
func (c *Cluster) spec(name, node string, hostNetwork bool) *core.Pod {
	yes, no, user := true, false, int64(65532)
	security := &core.SecurityContext{AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes, RunAsNonRoot: &yes, RunAsUser: &user,
		Capabilities:   &core.Capabilities{Drop: []core.Capability{"ALL"}},
		SeccompProfile: &core.SeccompProfile{Type: core.SeccompProfileTypeRuntimeDefault}}
	if hostNetwork {
		root := int64(0) // Kubernetes gives capabilities to root alone
		security.RunAsNonRoot, security.RunAsUser = &no, &root
		security.Capabilities.Add = []core.Capability{"NET_RAW"}
	}
	life, grace := int64(c.config.Life.Seconds()), int64(0)
	p := &core.Pod{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: c.namespace, OwnerReferences: c.owner, Labels: map[string]string{label: owner, runLabel: c.runLabel(), podLabel: name, networkLabel: "pod"}}}
	if hostNetwork {
		p.Labels[networkLabel] = "host"
	}
	p.Spec = core.PodSpec{HostNetwork: hostNetwork, RestartPolicy: core.RestartPolicyNever, ActiveDeadlineSeconds: &life, TerminationGracePeriodSeconds: &grace,
		DNSPolicy: core.DNSDefault, EnableServiceLinks: &no, AutomountServiceAccountToken: &no,
		NodeSelector: c.config.NodeSelector, Tolerations: c.config.Tolerations,
		Affinity: onNode(node),
		Containers: []core.Container{{Name: "cnibench", Image: c.config.Image, ImagePullPolicy: core.PullIfNotPresent, Args: []string{HoldCommand},
			Env:             []core.EnvVar{{Name: "GOMEMLIMIT", Value: holdMemory}},
			SecurityContext: security, Resources: core.ResourceRequirements{
				Requests: c.requests(),
				Limits:   core.ResourceList{core.ResourceMemory: resource.MustParse(podMemory)}}}}}
	if c.config.PullSecret != "" {
		p.Spec.ImagePullSecrets = []core.LocalObjectReference{{Name: c.config.PullSecret}}
	}
	if c.config.Install != nil {
		p.Spec.Tolerations = slices.Concat(p.Spec.Tolerations, tolerations())
	}
	return p
}

// requests are what a pod asks its node to keep for it.
func (c *Cluster) requests() core.ResourceList {
	all := core.ResourceList{core.ResourceMemory: resource.MustParse(podMemory), core.ResourceCPU: resource.MustParse("50m")}
	maps.Copy(all, c.config.Requests)
	return all
}

// onNode leaves the decision to the scheduler, which minds resources, and
// allows it one node only.
func onNode(name string) *core.Affinity {
	return &core.Affinity{NodeAffinity: &core.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &core.NodeSelector{
		NodeSelectorTerms: []core.NodeSelectorTerm{{MatchFields: []core.NodeSelectorRequirement{
			{Key: "metadata.name", Operator: core.NodeSelectorOpIn, Values: []string{name}}}}}}}}
}

// makePod makes a pod and waits until it runs where it should. One that does
// not is deleted, so that the next network can try again.
func (c *Cluster) makePod(ctx context.Context, name, node string, hostNetwork bool) (*pod, error) {
	p, err := c.tryPod(ctx, name, node, hostNetwork)
	if err != nil && !apierrors.IsAlreadyExists(err) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeWithin)
		defer cancel()
		grace := int64(0)
		if c.installed != "" {
			grace = 1 // its node takes it down while it has the plugin, see removePods
		}
		if gone := c.client.CoreV1().Pods(c.namespace).Delete(ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &grace}); gone != nil && !apierrors.IsNotFound(gone) {
			err = errors.Join(err, fmt.Errorf("deleting the pod %s: %w", name, gone))
		}
	}
	return p, err
}

func (c *Cluster) tryPod(ctx context.Context, name, node string, hostNetwork bool) (*pod, error) {
	pods := c.client.CoreV1().Pods(c.namespace)
	if _, err := pods.Create(ctx, c.spec(name, node, hostNetwork), metav1.CreateOptions{}); err != nil {
		return nil, fmt.Errorf("making the pod %s: %w", name, err)
	}
	why := ""
	for {
		p, err := pods.Get(ctx, name, metav1.GetOptions{})
		if err == nil && p.Status.Phase == core.PodRunning && p.Status.PodIP != "" {
			return c.placed(p, node, hostNetwork)
		}
		if err == nil {
			var final bool
			if why, final = waitingFor(p); final {
				err := fmt.Errorf("the pod %s on %s cannot run: %s", name, node, why)
				c.noteImage(node, p, err)
				return nil, err
			}
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("the pod %s on %s does not run (%s): %w", name, node, why, context.Cause(ctx)), err)
		case <-time.After(pollEvery):
		}
	}
}

// imageTrouble are states in which no other pod of ours will run on that node
// either.
var imageTrouble = map[string]bool{"ErrImageNeverPull": true, "InvalidImageName": true, "ImagePullBackOff": true}

// noteImage remembers that a node cannot get the image, so that each further pod
// need not find out by itself.
func (c *Cluster) noteImage(node string, p *core.Pod, cause error) {
	if !slices.ContainsFunc(p.Status.ContainerStatuses, func(s core.ContainerStatus) bool {
		return s.State.Waiting != nil && imageTrouble[s.State.Waiting.Reason]
	}) {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.noImage[node] = cause
}

// placed holds where a pod runs against where it should.
func (c *Cluster) placed(p *core.Pod, node string, hostNetwork bool) (*pod, error) {
	addr, err := netip.ParseAddr(p.Status.PodIP)
	if err != nil {
		return nil, fmt.Errorf("reading the address of the pod %s: %w", p.Name, err)
	}
	host, err := netip.ParseAddr(p.Status.HostIP)
	if err != nil {
		return nil, fmt.Errorf("reading the address of the node %s: %w", node, err)
	}
	switch {
	case p.Spec.NodeName != node:
		return nil, fmt.Errorf("the pod %s runs on %s and not on %s", p.Name, p.Spec.NodeName, node)
	case hostNetwork != (addr == host):
		return nil, fmt.Errorf("the pod %s has the address %s on a node with %s: its network is not the one that was asked for", p.Name, addr, host)
	}
	return &pod{name: p.Name, node: node, plain: !hostNetwork, addr: addr, host: host, cluster: c}, nil
}

// hopeless are states of a container that waiting does not mend.
var hopeless = map[string]bool{"ErrImageNeverPull": true, "InvalidImageName": true, "ImagePullBackOff": true,
	"CreateContainerConfigError": true, "CreateContainerError": true, "RunContainerError": true, "CrashLoopBackOff": true}

// waitingFor says what a pod waits for, and whether that is in vain.
func waitingFor(p *core.Pod) (why string, final bool) {
	for _, s := range p.Status.ContainerStatuses {
		if w := s.State.Waiting; w != nil && w.Reason != "ContainerCreating" {
			return strings.TrimSuffix(w.Reason+": "+w.Message, ": "), hopeless[w.Reason]
		}
		if t := s.State.Terminated; t != nil {
			return fmt.Sprintf("its program ended with %d (%s)", t.ExitCode, t.Reason), true
		}
	}
	for _, c := range p.Status.Conditions {
		if c.Type == core.PodScheduled && c.Status == core.ConditionFalse {
			return "not scheduled: " + c.Message, false
		}
	}
	if p.Status.Phase == core.PodFailed {
		return p.Status.Reason + " " + p.Status.Message, true
	}
	return string(p.Status.Phase), false
}
