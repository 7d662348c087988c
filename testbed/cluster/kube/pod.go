package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/words"
	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// imageTrouble lists container states that mean that no other pod with the same
// image can run on the node either.
var imageTrouble = map[string]bool{"ErrImageNeverPull": true, "InvalidImageName": true, "ImagePullBackOff": true}

// hopeless lists further container states that do not improve with time.
var hopeless = map[string]bool{"CreateContainerConfigError": true, "CreateContainerError": true, "RunContainerError": true, "CrashLoopBackOff": true}

// LacksImage reports whether a pod waits for an image that its node cannot get.
func LacksImage(p *core.Pod) bool {
	return slices.ContainsFunc(p.Status.ContainerStatuses, func(s core.ContainerStatus) bool {
		return s.State.Waiting != nil && imageTrouble[s.State.Waiting.Reason]
	})
}

// starting lists container states in which nothing is wrong yet. What keeps a pod in
// them is an event; see [Client.LastWarning].
var starting = map[string]bool{"ContainerCreating": true, "PodInitializing": true}

// WaitingFor says what a pod is waiting for. final means that it waits in vain.
func WaitingFor(p *core.Pod) (why words.Text, final bool) {
	for _, s := range p.Status.InitContainerStatuses { // only others add them
		if why, final := waitingFor(s, false); !why.Empty() {
			return why, final
		}
	}
	for _, s := range p.Status.ContainerStatuses {
		if why, final := waitingFor(s, true); !why.Empty() {
			return why, final
		}
	}
	for _, c := range p.Status.Conditions {
		if c.Type == core.PodScheduled && c.Status == core.ConditionFalse {
			return words.NotScheduled.With(quoted(c.Message)), false
		}
	}
	if p.Status.Phase == core.PodFailed {
		return words.Quote(quoted(p.Status.Reason + " " + p.Status.Message)), true
	}
	return words.Quote(string(p.Status.Phase)), false
}

// waitingFor says what a container is waiting for; it is empty if it runs or starts.
// stays says that it should not end by itself.
func waitingFor(s core.ContainerStatus, stays bool) (why words.Text, final bool) {
	if w := s.State.Waiting; w != nil && !starting[w.Reason] {
		return words.Quote(quoted(strings.TrimSuffix(w.Reason+": "+w.Message, ": "))), imageTrouble[w.Reason] || hopeless[w.Reason]
	}
	if t := s.State.Terminated; t != nil && (stays || t.ExitCode != 0) {
		return words.ProgramEnded.With(t.ExitCode, quoted(t.Reason)), stays
	}
	return words.Text{}, false
}

// ListPods lists the pods of a namespace that match a label selector.
func (c *Client) ListPods(ctx context.Context, namespace, selector string) ([]core.Pod, error) {
	list, err := c.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("listing the pods of %s: %w", namespace, err)
	}
	return list.Items, nil
}

// RemovePods deletes the pods that match a label selector and waits until their
// nodes have taken them down, so that a network plugin has released their
// addresses.
func (c *Client) RemovePods(ctx context.Context, namespace, selector string) error {
	second := int64(1) // 0 would delete the object before the node has taken the pod down
	err := c.CoreV1().Pods(namespace).DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &second}, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return fmt.Errorf("deleting the pods in %s: %w", namespace, err)
	}
	return c.AwaitNoPods(ctx, namespace, selector)
}

// AwaitNoPods waits until no pod matches a label selector.
func (c *Client) AwaitNoPods(ctx context.Context, namespace, selector string) error {
	return Await(ctx, words.Quote("the deletion of the pods in "+namespace), func(ctx context.Context) error {
		pods, err := c.ListPods(ctx, namespace, selector)
		if err == nil && len(pods) > 0 {
			err = stillThere(pods)
		}
		return err
	})
}

func stillThere(pods []core.Pod) error {
	var names []string
	for _, p := range pods {
		names = append(names, p.Name)
	}
	return errors.New(strings.Join(names, ", "))
}

// clearPods deletes the pods that match a label selector without a grace period,
// waits until they are gone, and returns their names.
func (c *Client) clearPods(ctx context.Context, namespace, selector string) (removed []string, err error) {
	now := int64(0)
	err = Await(ctx, words.Quote("the deletion of the pods in "+namespace), func(ctx context.Context) error {
		pods, err := c.ListPods(ctx, namespace, selector)
		if err == nil && len(pods) > 0 {
			for _, p := range pods {
				if name := "pod " + namespace + "/" + p.Name; !slices.Contains(removed, name) {
					removed = append(removed, name)
				}
			}
			err = c.CoreV1().Pods(namespace).DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{LabelSelector: selector})
			if err == nil {
				return stillThere(pods)
			}
		}
		if err != nil && !lostServer(err) {
			return Final(fmt.Errorf("deleting the pods %s in %s: %w", selector, namespace, err))
		}
		return err
	})
	return removed, err
}
