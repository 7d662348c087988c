package kube

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/cnibench/cnibench/words"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// stuckAfter is how long the deletion of a namespace may be held up for a reason
// that the namespace reports.
const stuckAfter = 15 * time.Second

// RemoveNamespace deletes a namespace and waits until it is gone. If the API server
// does not answer, it asks again. If the namespace stays, the error says what holds
// up its deletion.
func (c *Client) RemoveNamespace(ctx context.Context, name string) error {
	now := int64(0)
	var since time.Time // when the deletion was first seen held up, by this machine's clock: the cluster's may differ
	return Await(ctx, words.Quote("the deletion of the namespace "+name), func(ctx context.Context) error {
		err := c.CoreV1().Pods(name).DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{})
		if err == nil || apierrors.IsNotFound(err) || apierrors.IsForbidden(err) {
			err = c.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{})
		}
		switch {
		case apierrors.IsNotFound(err):
			return nil
		case err != nil && !apierrors.IsConflict(err):
			if !lostServer(err) {
				err = Final(fmt.Errorf("deleting the namespace %s: %w", name, err))
			}
			return err
		}
		held := c.heldBy(ctx, name)
		switch {
		case held == "":
			since = time.Time{}
			return errors.New("it is being deleted")
		case since.IsZero():
			since = time.Now()
		case time.Since(since) > stuckAfter:
			return Final(fmt.Errorf("the deletion of the namespace %s is held up: %s", name, held))
		}
		return errors.New(held)
	})
}

// lostServer reports whether the server did not answer, as opposed to refusing the
// request.
func lostServer(err error) bool {
	var status apierrors.APIStatus
	return !errors.As(err, &status) || apierrors.IsServerTimeout(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsTooManyRequests(err)
}

// heldBy returns what holds up the deletion of a namespace, according to the
// cluster, or "" if nothing does.
func (c *Client) heldBy(ctx context.Context, name string) string {
	n, err := c.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
	if err != nil || n.DeletionTimestamp == nil {
		return ""
	}
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

// Left lists the namespaces that runs have created.
func (c *Client) Left(ctx context.Context) ([]core.Namespace, error) {
	list, err := c.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: OursSelector})
	if err != nil {
		return nil, fmt.Errorf("looking for namespaces of earlier runs: %w", err)
	}
	return list.Items, nil
}
