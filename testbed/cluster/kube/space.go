package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// OwnerLabel is on every object that a run creates, with the value OwnerName.
	OwnerLabel   = "app.kubernetes.io/managed-by"
	OwnerName    = "cnibench"
	OursSelector = OwnerLabel + "=" + OwnerName
	// RunLabel distinguishes the objects of different runs in a user's namespace.
	RunLabel = "cnibench.io/run"
	// RemoveWithin bounds a removal. Pods go at once; the namespace's controllers
	// need a few seconds.
	RemoveWithin = 30 * time.Second
)

// Space is where a run creates its objects: a namespace of its own, or one of the
// user's, in which the run's objects have names and a label of their own.
type Space struct {
	*Client
	Name   string // of the namespace; "" before Make
	Shared string // the user's namespace; "" if the run has its own
	Run    string // the run's label, fit for names
	owner  []metav1.OwnerReference
}

// Begin sets the run whose objects go into the space.
func (s *Space) Begin(runID string) { s.Run = strings.ToLower(runID) }

// Made reports whether Make has created the namespace and the owner of the pods.
func (s *Space) Made() bool { return s.owner != nil }

// Make creates the namespace, unless it is the user's, and the Job that owns the
// run's pods. When the run's life is over, even if the program never comes back,
// the Job's deadline has passed: its controller deletes it, and the garbage
// collector deletes the pods. The empty namespace then stays until the next start
// or cnibench clean, which find it by its label. The template is that of the Job,
// whose pod is never created; the level is the Pod Security level.
func (s *Space) Make(ctx context.Context, level string, annotations map[string]string, life time.Duration, template core.PodSpec) error {
	if s.Name == "" {
		if err := s.makeNamespace(ctx, level, annotations); err != nil {
			return err
		}
	}
	seconds, none, now := int64(life.Seconds()), int32(0), int32(0)
	template.Affinity = nil
	job := &batch.Job{ObjectMeta: s.Meta(s.PodName("owner")), Spec: batch.JobSpec{Parallelism: &none, ActiveDeadlineSeconds: &seconds,
		TTLSecondsAfterFinished: &now, Template: core.PodTemplateSpec{Spec: template}}}
	made, err := s.BatchV1().Jobs(s.Name).Create(ctx, job, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("creating the Job %s, which owns the run's pods: %w", job.Name, Refused("job", err))
	}
	s.owner = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: made.Name, UID: made.UID}}
	return nil
}

func (s *Space) makeNamespace(ctx context.Context, level string, annotations map[string]string) error {
	if s.Shared != "" {
		s.Name = s.Shared
		return nil
	}
	name := "cnibench-" + s.Run
	_, err := s.CoreV1().Namespaces().Create(ctx, &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: annotations,
		Labels: map[string]string{OwnerLabel: OwnerName, "pod-security.kubernetes.io/enforce": level}}}, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("creating the namespace %s: %w", name, err)
	}
	s.Name = name
	return nil
}

// PodName returns the name of a pod. In a shared namespace it contains the name of
// the run.
func (s *Space) PodName(base string) string {
	if s.Shared == "" {
		return base
	}
	return "cnibench-" + s.Run + "-" + base
}

// Meta returns the metadata of an object of the run.
func (s *Space) Meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: s.Name, OwnerReferences: s.owner, Labels: map[string]string{OwnerLabel: OwnerName, RunLabel: s.Run}}
}

// Selector returns the label selector of the run's objects.
func (s *Space) Selector() string { return RunLabel + "=" + s.Run }

// Remove removes what the run has created: its own namespace, or its objects in
// the user's.
func (s *Space) Remove(ctx context.Context) error {
	err := error(nil)
	if s.Shared == "" {
		err = s.RemoveNamespace(ctx, s.Name)
	} else {
		_, err = s.RemoveObjects(ctx, s.Name, s.Selector())
	}
	if err == nil {
		s.Name, s.owner = "", nil
	}
	return err
}

// RemoveObjects deletes the objects that runs have created in a namespace that
// stays. It returns their names, each with its kind. The Jobs go last: they own the
// other objects, which the cluster's garbage collector would delete unnamed.
func (c *Client) RemoveObjects(ctx context.Context, namespace, selector string) (removed []string, err error) {
	policies, noPolicies := c.RemovePolicies(ctx, namespace, selector)
	services, noServices := c.RemoveServices(ctx, namespace, selector)
	pods, noPods := c.clearPods(ctx, namespace, selector)
	jobs, noJobs := c.removeJobs(ctx, namespace, selector)
	return slices.Concat(pods, jobs, services, policies), errors.Join(noPods, noJobs, noServices, noPolicies)
}

func (c *Client) removeJobs(ctx context.Context, namespace, selector string) (removed []string, err error) {
	jobs, how := c.BatchV1().Jobs(namespace), metav1.DeletePropagationBackground
	list, err := jobs.List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("looking for the Jobs of runs: %w", err)
	}
	for _, j := range list.Items {
		if err := jobs.Delete(ctx, j.Name, metav1.DeleteOptions{PropagationPolicy: &how}); err != nil && !apierrors.IsNotFound(err) {
			return removed, fmt.Errorf("deleting the Job %s: %w", j.Name, err)
		}
		removed = append(removed, "job "+namespace+"/"+j.Name)
	}
	return removed, nil
}

// RemoveServices deletes the Services that match a label selector. A user who may
// not list Services has not created any.
func (c *Client) RemoveServices(ctx context.Context, namespace, selector string) (removed []string, err error) {
	services := c.CoreV1().Services(namespace)
	list, err := services.List(ctx, metav1.ListOptions{LabelSelector: selector})
	if apierrors.IsForbidden(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("looking for Services of runs: %w", err)
	}
	for _, s := range list.Items {
		if err := services.Delete(ctx, s.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return removed, fmt.Errorf("deleting the Service %s: %w", s.Name, err)
		}
		removed = append(removed, "service "+namespace+"/"+s.Name)
	}
	return removed, nil
}
