package cluster

import (
	"context"
	"fmt"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// makeOwner makes what owns the run's pods: a Job without pods of its own. When
// the run's life is over its deadline has passed, its controller removes it, and
// the garbage collector the pods, even if nobody comes back.
func (c *Cluster) makeOwner(ctx context.Context) error {
	life, none, now, name := int64(c.config.Life.Seconds()), int32(0), int32(0), c.podName("owner")
	template := c.spec(name, "", false) // of no pod that is ever made
	template.Spec.Affinity = nil
	job := &batch.Job{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: c.namespace, Labels: map[string]string{label: owner, runLabel: c.runLabel()}},
		Spec: batch.JobSpec{Parallelism: &none, ActiveDeadlineSeconds: &life, TTLSecondsAfterFinished: &now, Template: core.PodTemplateSpec{Spec: template.Spec}}}
	made, err := c.client.BatchV1().Jobs(c.namespace).Create(ctx, job, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("making the owner of the run's pods, the Job %s: %w", name, err)
	}
	c.owner = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: made.Name, UID: made.UID}}
	return nil
}

// removeJobs deletes those with a label in a namespace that stays.
func (c *Cluster) removeJobs(ctx context.Context, namespace, selector string) (removed []string, err error) {
	jobs, how := c.client.BatchV1().Jobs(namespace), metav1.DeletePropagationBackground
	list, err := jobs.List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("looking for the owner of pods: %w", err)
	}
	for _, j := range list.Items {
		if err := jobs.Delete(ctx, j.Name, metav1.DeleteOptions{PropagationPolicy: &how}); err != nil && !apierrors.IsNotFound(err) {
			return removed, fmt.Errorf("deleting the Job %s: %w", j.Name, err)
		}
		removed = append(removed, "job "+namespace+"/"+j.Name)
	}
	return removed, nil
}
