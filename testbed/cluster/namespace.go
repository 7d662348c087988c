package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// runLabel tells the pods of one run from another's in a namespace that is
	// not ours.
	runLabel = "cnibench.io/run"
	// removeWithin bounds a removal: pods go at once, and the namespace's
	// controllers need a few seconds.
	removeWithin = 30 * time.Second
	// stuckAfter is how long a namespace that is being deleted and says what
	// holds it is waited for.
	stuckAfter = 15 * time.Second
)

// makeNamespace makes the run's namespace, unless the person has named one. Its
// pods go with their owner's deadline even if nobody comes back; the empty
// namespace then waits for the next start or cnibench clean, which find it by its
// label.
func (c *Cluster) makeNamespace(ctx context.Context) error {
	if c.config.Namespace != "" {
		c.namespace = c.config.Namespace
		return nil
	}
	level := "privileged"
	if c.config.Unprivileged {
		level = "restricted"
	}
	name := "cnibench-" + c.runLabel()
	made := &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{label: owner, "pod-security.kubernetes.io/enforce": level}}}
	if i := c.config.Install; i != nil {
		made.Annotations = map[string]string{ofImage: c.config.Image, ofFlannel: i.FlannelImage}
	}
	_, err := c.client.CoreV1().Namespaces().Create(ctx, made, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("making the namespace %s: %w", name, err)
	}
	c.namespace = name
	return nil
}

// runLabel is the run's id as names and labels may have it.
func (c *Cluster) runLabel() string { return strings.ToLower(c.runID) }

// podName is a pod's name, which in a namespace that others use too holds the
// run's.
func (c *Cluster) podName(base string) string {
	if c.config.Namespace == "" {
		return base
	}
	return "cnibench-" + c.runLabel() + "-" + base
}

// removeRun takes away what the run has made: its namespace, or its pods in the
// person's.
func (c *Cluster) removeRun(ctx context.Context) error {
	if c.config.Namespace == "" {
		return c.removeNamespace(ctx, c.namespace)
	}
	_, err := c.clearPods(ctx, c.namespace, runLabel+"="+c.runLabel())
	_, owner := c.removeJobs(ctx, c.namespace, runLabel+"="+c.runLabel())
	return errors.Join(err, owner, c.removeServices(ctx))
}

// removeCommand is what removes what is left, for people.
func (c *Cluster) removeCommand() string {
	command := "cnibench clean"
	for _, f := range [][2]string{{"--kubeconfig", c.config.Kubeconfig}, {"--context", c.config.Context}, {"--namespace", c.config.Namespace}} {
		if f[1] != "" {
			command += " " + f[0] + " " + f[1]
		}
	}
	return command
}

// removeNamespace deletes a namespace and waits until it is gone. An API server
// that does not answer is asked again.
func (c *Cluster) removeNamespace(ctx context.Context, name string) error {
	now := int64(0)
	var since time.Time // when it was first seen to be held, by this machine's clock: the cluster's may differ
	for {
		err := c.client.CoreV1().Pods(name).DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{})
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
			err = c.client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})
		}
		held := ""
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err == nil || apierrors.IsConflict(err):
			held = c.heldBy(ctx, name)
			switch {
			case held == "":
				since = time.Time{}
			case since.IsZero():
				since = time.Now()
			case time.Since(since) > stuckAfter:
				return fmt.Errorf("the namespace %s is being deleted and is held: %s", name, held)
			}
			err = nil
		case !lostServer(err):
			return fmt.Errorf("deleting the namespace %s: %w", name, err)
		}
		select {
		case <-ctx.Done():
			if held != "" {
				held = " (" + held + ")"
			}
			return errors.Join(fmt.Errorf("the namespace %s is still being deleted%s: %w", name, held, context.Cause(ctx)), err)
		case <-time.After(pollEvery):
		}
	}
}

// lostServer tells a server that did not answer from one that refused.
func lostServer(err error) bool {
	var status apierrors.APIStatus
	return !errors.As(err, &status) || apierrors.IsServerTimeout(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsTooManyRequests(err)
}

// heldBy is what the cluster says keeps a namespace that is being deleted from
// going, "" for nothing.
func (c *Cluster) heldBy(ctx context.Context, name string) string {
	n, err := c.client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if err != nil || n.DeletionTimestamp == nil {
		return ""
	}
	return whatHolds(n)
}

// whatHolds reads what the namespace's controllers wait for.
func whatHolds(n *core.Namespace) string {
	var all []string
	if len(n.Finalizers) > 0 {
		all = append(all, "finalizers of the namespace: "+strings.Join(n.Finalizers, ", "))
	}
	for _, c := range n.Status.Conditions {
		if c.Status == core.ConditionTrue {
			all = append(all, c.Message)
		}
	}
	return strings.Join(all, "; ")
}

// clearPods deletes the pods with a label, from one moment to the next, and waits
// until they are gone.
func (c *Cluster) clearPods(ctx context.Context, namespace, selector string) (removed []string, err error) {
	pods, now := c.client.CoreV1().Pods(namespace), int64(0)
	for {
		list, err := pods.List(ctx, metav1.ListOptions{LabelSelector: selector})
		switch {
		case err == nil && len(list.Items) == 0:
			return removed, nil
		case err == nil:
			for _, p := range list.Items {
				name := "pod " + namespace + "/" + p.Name
				if !slices.Contains(removed, name) {
					removed = append(removed, name)
				}
			}
			err = pods.DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{LabelSelector: selector})
		}
		if err != nil && !lostServer(err) {
			return removed, fmt.Errorf("deleting the pods %s in %s: %w", selector, namespace, err)
		}
		select {
		case <-ctx.Done():
			return removed, errors.Join(fmt.Errorf("pods in %s are still being deleted: %w", namespace, context.Cause(ctx)), err)
		case <-time.After(pollEvery):
		}
	}
}

// Left lists the namespaces that earlier runs left behind.
func (c *Cluster) Left(ctx context.Context) ([]string, error) {
	left, err := c.left(ctx)
	var names []string
	for _, n := range left {
		names = append(names, n.Name)
	}
	return names, err
}

func (c *Cluster) left(ctx context.Context) ([]core.Namespace, error) {
	list, err := c.client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: label + "=" + owner})
	if err != nil {
		return nil, fmt.Errorf("looking for what earlier runs left: %w", err)
	}
	return slices.DeleteFunc(list.Items, func(n core.Namespace) bool { return n.Name == c.namespace }), nil
}

// Clean removes what earlier runs left behind and names it, each thing with its
// kind. The error says what could not be removed, and why. A plugin that a run
// had installed goes too.
func (c *Cluster) Clean(ctx context.Context) (removed []string, err error) {
	if c.config.Namespace != "" {
		ctx, cancel := context.WithTimeout(ctx, removeWithin)
		defer cancel()
		removed, err = c.clearPods(ctx, c.config.Namespace, label+"="+owner)
		jobs, noJobs := c.removeJobs(ctx, c.config.Namespace, label+"="+owner)
		services, noServices := c.cleanServices(ctx)
		return slices.Concat(removed, jobs, services), errors.Join(err, noJobs, noServices)
	}
	left, err := c.left(ctx)
	for _, n := range left {
		failed := c.cleanRun(ctx, n)
		if failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		removed = append(removed, "namespace "+n.Name)
	}
	return removed, err
}

// cleanRun removes what a run left: the plugin that it had installed, and its
// namespace.
func (c *Cluster) cleanRun(ctx context.Context, n core.Namespace) error {
	var err error
	if image := n.Annotations[ofImage]; image != "" && n.Status.Phase != core.NamespaceTerminating {
		err = c.removeLeft(ctx, installation{n.Name, image, n.Annotations[ofFlannel]})
	}
	limited, cancel := context.WithTimeout(ctx, removeWithin)
	defer cancel()
	return errors.Join(err, c.removeNamespace(limited, n.Name))
}
