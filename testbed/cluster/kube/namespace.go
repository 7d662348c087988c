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

// stuckAfter is how long the deletion of a namespace may be held up by something
// that it names.
const stuckAfter = 15 * time.Second

// RemoveNamespace deletes a namespace and waits until it is gone. An API server
// that does not answer is asked again. The error names what holds a namespace
// that stays.
func (c *Client) RemoveNamespace(ctx context.Context, name string) error {
	now := int64(0)
	var since time.Time // when something was first seen to hold it, by this machine's clock: the cluster's may differ
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
			return Final(fmt.Errorf("the namespace %s is being deleted and is held: %s", name, held))
		}
		return errors.New(held)
	})
}

// lostServer tells a server that did not answer from one that refused.
func lostServer(err error) bool {
	var status apierrors.APIStatus
	return !errors.As(err, &status) || apierrors.IsServerTimeout(err) || apierrors.IsServiceUnavailable(err) || apierrors.IsTooManyRequests(err)
}

// heldBy is what the cluster says holds up the deletion of a namespace, "" for
// nothing.
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

// Left lists the namespaces that runs have made.
func (c *Client) Left(ctx context.Context) ([]core.Namespace, error) {
	list, err := c.CoreV1().Namespaces().List(ctx, metav1.ListOptions{LabelSelector: OursSelector})
	if err != nil {
		return nil, fmt.Errorf("looking for namespaces of earlier runs: %w", err)
	}
	return list.Items, nil
}
