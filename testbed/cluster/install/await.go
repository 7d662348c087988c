package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// condition is one that an object's status reports.
type condition struct{ kind, status, reason, message string }

func (c condition) is(kind, status string) bool { return c.kind == kind && c.status == status }

func (c condition) String() string {
	text := c.kind + " is " + c.status
	if c.reason != "" || c.message != "" {
		text += ": " + strings.TrimPrefix(strings.TrimSuffix(c.reason+": "+c.message, ": "), ": ")
	}
	return results.Printable(text)
}

func conditionsOf(o *unstructured.Unstructured) []condition {
	list, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	var all []condition
	for _, element := range list {
		c, _ := element.(map[string]any)
		field := func(name string) string { s, _ := c[name].(string); return s }
		all = append(all, condition{field("type"), field("status"), field("reason"), field("message")})
	}
	return all
}

// awaitWorkloads waits until the workloads among the objects are rolled out.
func (i *Installer) awaitWorkloads(ctx context.Context, objects []object, somewhere bool) error {
	for _, o := range objects {
		if o.Group != "apps" || !slices.Contains([]string{"DaemonSet", "Deployment", "StatefulSet"}, o.Kind) {
			continue
		}
		err := kube.Await(ctx, words.RolledOut.With(o.ref), func(ctx context.Context) error {
			found, err := i.at(o.ref).Get(ctx, o.GetName(), metav1.GetOptions{})
			if err != nil {
				return err
			}
			missing := unready(found, somewhere)
			if missing == nil {
				return nil
			}
			return i.trouble(ctx, found, missing)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// unready says what a workload's status lacks until it is rolled out. If somewhere
// is true, a DaemonSet has to run on a node at least.
func unready(o *unstructured.Unstructured, somewhere bool) error {
	status := func(field string) int64 {
		n, _, _ := unstructured.NestedInt64(o.Object, "status", field)
		return n
	}
	if status("observedGeneration") < o.GetGeneration() {
		return errors.New("its controller has not seen it yet")
	}
	want, ready, updated := status("desiredNumberScheduled"), status("numberReady"), status("updatedNumberScheduled")
	if o.GetKind() != "DaemonSet" {
		replicas, found, _ := unstructured.NestedInt64(o.Object, "spec", "replicas")
		if want = replicas; !found {
			want = 1 // the API's default
		}
		ready, updated = status("readyReplicas"), status("updatedReplicas")
	}
	if ready < want || updated < want || somewhere && want == 0 {
		return fmt.Errorf("%d of %d pods are ready", ready, want)
	}
	return nil
}

// trouble says which of a workload's pods is in trouble, and why, if one is. The
// error is final if the pod waits in vain for its image.
func (i *Installer) trouble(ctx context.Context, workload *unstructured.Unstructured, missing error) error {
	text, _, _ := unstructured.NestedMap(workload.Object, "spec", "selector")
	selector, err := labelSelector(text)
	if err != nil {
		return missing
	}
	pods, err := i.Client.ListPods(ctx, workload.GetNamespace(), selector)
	if err != nil {
		return err
	}
	worst := slices.IndexFunc(pods, failing)
	if worst < 0 {
		worst = slices.IndexFunc(pods, func(p core.Pod) bool { return !podReady(p) })
	}
	if worst < 0 {
		return missing
	}
	p := &pods[worst]
	why := words.Error(words.PodInTrouble.With(p.Name, p.Spec.NodeName, i.whatOf(ctx, p)))
	if kube.LacksImage(p) {
		return kube.Final(why)
	}
	return why
}

// whatOf says what a pod is waiting for, its last event of trouble, and the last
// line of its log.
func (i *Installer) whatOf(ctx context.Context, p *core.Pod) words.Text {
	said, _ := waiting(p)
	all := []words.Text{said}
	if event := i.lastEvent(ctx, p); event != "" {
		all = append(all, words.LastEvent.With(event))
	}
	if line := i.lastLine(ctx, p); line != "" {
		all = append(all, words.LastLogLine.With(line))
	}
	return words.Clauses(all...)
}

// waiting says what a pod is waiting for, its init containers first.
func waiting(p *core.Pod) (words.Text, bool) {
	for _, s := range p.Status.InitContainerStatuses {
		if w := s.State.Waiting; w != nil && w.Reason != "PodInitializing" && w.Reason != "ContainerCreating" {
			return words.Quote(results.Printable(s.Name + " " + w.Reason + ": " + w.Message)), true
		}
		if t := s.LastTerminationState.Terminated; t != nil {
			return words.Quote(results.Printable(fmt.Sprintf("%s ended with %d", s.Name, t.ExitCode))), true
		}
	}
	text, final := kube.WaitingFor(p)
	for _, s := range p.Status.ContainerStatuses {
		if t := s.LastTerminationState.Terminated; t != nil {
			text = words.Clauses(text, words.Quote(results.Printable(fmt.Sprintf("%s ended with %d", s.Name, t.ExitCode))))
		}
	}
	return text, final
}

// failing reports whether one of a pod's containers has ended or cannot start.
func failing(p core.Pod) bool {
	_, final := waiting(&p)
	return final || slices.ContainsFunc(p.Status.ContainerStatuses, func(s core.ContainerStatus) bool { return s.RestartCount > 0 && !s.Ready })
}

func podReady(p core.Pod) bool {
	return slices.ContainsFunc(p.Status.Conditions, func(c core.PodCondition) bool { return c.Type == core.PodReady && c.Status == core.ConditionTrue })
}

// lastEvent returns the last event of trouble about a pod, or "".
func (i *Installer) lastEvent(ctx context.Context, p *core.Pod) string {
	events, err := i.Client.CoreV1().Events(p.Namespace).List(ctx, metav1.ListOptions{
		FieldSelector: "type=Warning,involvedObject.kind=Pod,involvedObject.name=" + p.Name, Limit: 100})
	if err != nil || len(events.Items) == 0 {
		return ""
	}
	last := slices.MaxFunc(events.Items, func(a, b core.Event) int { return a.LastTimestamp.Compare(b.LastTimestamp.Time) })
	return results.Printable(last.Reason + ": " + last.Message)
}

// lastLine returns the last line of the log of the container that is not ready, or
// "" if it has none.
func (i *Installer) lastLine(ctx context.Context, p *core.Pod) string {
	for _, s := range append(slices.Clone(p.Status.InitContainerStatuses), p.Status.ContainerStatuses...) {
		if s.Ready || s.State.Terminated != nil && s.State.Terminated.ExitCode == 0 {
			continue
		}
		lines, most := int64(1), int64(4096)
		text, err := i.Client.CoreV1().Pods(p.Namespace).GetLogs(p.Name, &core.PodLogOptions{Container: s.Name, TailLines: &lines, LimitBytes: &most,
			Previous: s.RestartCount > 0 && s.State.Running == nil && s.State.Terminated == nil}).DoRaw(ctx)
		if line := strings.TrimSpace(string(text)); err == nil && line != "" {
			return results.Printable(line)
		}
	}
	return ""
}

// awaitNodes waits until the nodes that were ready or waited for a network are ready
// for pods.
func (i *Installer) awaitNodes(ctx context.Context, before []core.Node) error {
	return kube.Await(ctx, words.Quote("the nodes to be ready"), func(ctx context.Context) error {
		nodes, err := i.Client.Nodes(ctx)
		if err != nil {
			return err
		}
		for _, n := range nodes {
			counted := slices.ContainsFunc(before, func(b core.Node) bool { return b.Name == n.Name && (kube.Ready(b) || kube.AwaitsNetwork(b)) })
			if !counted || kube.Ready(n) {
				continue
			}
			for _, c := range n.Status.Conditions {
				if c.Type == core.NodeReady {
					return fmt.Errorf("the node %s is not: %s", n.Name, results.Printable(c.Message))
				}
			}
		}
		return nil
	})
}

// Condition is one that the user names of an object: the type of a condition in the
// object's status, which has to be True.
type Condition struct{ Kind, Namespace, Name, Type string }

// String returns the condition in the form that ParseCondition reads.
func (c Condition) String() string {
	name := c.Kind + "/" + c.Name
	if c.Namespace != "" {
		name = c.Kind + "/" + c.Namespace + "/" + c.Name
	}
	return name + "=" + c.Type
}

// ParseCondition reads KIND/NAMESPACE/NAME=CONDITION, or KIND/NAME=CONDITION for an
// object of the cluster. The kind is named as for kubectl: deployment,
// deployments.apps.
func ParseCondition(text string) (Condition, error) {
	of, kind, ok := strings.Cut(text, "=")
	parts := strings.Split(of, "/")
	if !ok || kind == "" || len(parts) < 2 || len(parts) > 3 || slices.Contains(parts, "") {
		return Condition{}, fmt.Errorf("%q is no condition: write KIND/NAMESPACE/NAME=CONDITION, such as deployment/kube-system/coredns=Available, or KIND/NAME=CONDITION for an object of the cluster", results.Printable(text))
	}
	c := Condition{Kind: parts[0], Name: parts[len(parts)-1], Type: kind}
	if len(parts) == 3 {
		c.Namespace = parts[1]
	}
	return c, nil
}

// awaitConditions waits until the conditions of the user hold.
func (i *Installer) awaitConditions(ctx context.Context) error {
	if len(i.WaitFor) == 0 {
		return nil
	}
	mapper, err := i.mapper()
	if err != nil {
		return err
	}
	for _, c := range i.WaitFor {
		resource := schema.ParseGroupResource(strings.ToLower(c.Kind))
		at, err := mapper.ResourceFor(resource.WithVersion(""))
		if meta.IsNoMatchError(err) {
			return fmt.Errorf("waiting for %s: the cluster serves no %s", c, c.Kind)
		}
		if err != nil {
			return fmt.Errorf("waiting for %s: %w", c, err)
		}
		of := ref{Kind: c.Kind, Group: at.Group, Version: at.Version, Resource: at.Resource, Namespace: c.Namespace, Name: c.Name}
		err = kube.Await(ctx, words.Quote(c.String()), func(ctx context.Context) error { return i.holds(ctx, of, c.Type) })
		if err != nil {
			return err
		}
	}
	return nil
}

func (i *Installer) holds(ctx context.Context, of ref, kind string) error {
	found, err := i.at(of).Get(ctx, of.Name, metav1.GetOptions{})
	if apierrors.IsForbidden(err) {
		return kube.Final(err)
	}
	if err != nil {
		return err
	}
	for _, c := range conditionsOf(found) {
		if c.kind == kind {
			if c.status == "True" {
				return nil
			}
			return errors.New(c.String())
		}
	}
	return fmt.Errorf("the %s reports no condition %s", of, kind)
}

// labelSelector turns a workload's selector into the form of a request.
func labelSelector(selector map[string]any) (string, error) {
	var s metav1.LabelSelector
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(selector, &s); err != nil {
		return "", err
	}
	parsed, err := metav1.LabelSelectorAsSelector(&s)
	if err != nil {
		return "", err
	}
	return parsed.String(), nil
}
