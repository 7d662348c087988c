package kube

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	kubetesting "k8s.io/client-go/testing"
)

// terminating returns a namespace of a run that was deleted an age ago, by the
// server's clock.
func terminating(age time.Duration, finalizers []string, conditions ...core.NamespaceCondition) *core.Namespace {
	since := metav1.NewTime(time.Now().Add(-age))
	return &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "x", Labels: map[string]string{OwnerLabel: OwnerName}, DeletionTimestamp: &since, Finalizers: finalizers},
		Status: core.NamespaceStatus{Phase: core.NamespaceTerminating, Conditions: conditions}}
}

// TestStuckNamespaceIsNamed holds up the deletion of a namespace for two reasons,
// and with a server clock that differs from this machine's. The wait takes equally
// long each time.
func TestStuckNamespaceIsNamed(t *testing.T) {
	for _, tt := range []struct {
		name  string
		held  *core.Namespace
		words string
	}{
		{"finalizers of its own", terminating(time.Second, []string{"example.com/a"}), "finalizers of the namespace: example.com/a"},
		{"by a clock that is an hour ahead", terminating(-time.Hour, []string{"example.com/a"}), "finalizers of the namespace: example.com/a"},
		{"by a clock that is an hour behind", terminating(time.Hour, []string{"example.com/a"}), "finalizers of the namespace: example.com/a"},
		{"content that stays", terminating(time.Second, nil, core.NamespaceCondition{Type: core.NamespaceFinalizersRemaining, Status: core.ConditionTrue, Message: "example.com/held in 1 resource instances"},
			core.NamespaceCondition{Type: core.NamespaceDeletionDiscoveryFailure, Status: core.ConditionFalse, Message: "all is well"}), "example.com/held in 1 resource instances"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := fake.NewClientset(tt.held)
			client.PrependReactor("delete", "namespaces", func(kubetesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewConflict(schema.GroupResource{Resource: "namespaces"}, "x", errors.New("being deleted"))
			})
			var err error
			var waited time.Duration
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				err = (&Client{API: client}).RemoveNamespace(t.Context(), "x")
				waited = time.Since(begin)
			})
			if waited <= stuckAfter || waited > RemoveWithin {
				t.Errorf("waited for %s", waited)
			}
			if err == nil || !strings.Contains(err.Error(), "the deletion of the namespace x is held up: "+tt.words) || strings.Contains(err.Error(), "all is well") {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestWhatStaysIsNamed gives up on objects that stay for no reported reason.
func TestWhatStaysIsNamed(t *testing.T) {
	pod := &core.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "theirs", Name: "stays", Labels: map[string]string{OwnerLabel: OwnerName}}}
	client := fake.NewClientset(terminating(time.Second, nil), pod)
	kept := func(kubetesting.Action) (bool, runtime.Object, error) { return true, nil, nil }
	client.PrependReactor("delete", "namespaces", kept)
	client.PrependReactor("delete-collection", "pods", kept)
	c := &Client{API: client}
	for _, tt := range []struct {
		name   string
		remove func(context.Context) error
		want   string
	}{
		{"a namespace", func(ctx context.Context) error { return c.RemoveNamespace(ctx, "x") }, "waiting for the deletion of the namespace x: enough; last seen: it is being deleted"},
		{"pods in a namespace", func(ctx context.Context) error { return c.RemovePods(ctx, "theirs", OursSelector) }, "waiting for the deletion of the pods in theirs: enough; last seen: stays"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeoutCause(t.Context(), RemoveWithin, errors.New("enough"))
				defer cancel()
				if err := tt.remove(ctx); err == nil || err.Error() != tt.want {
					t.Errorf("%v", err)
				}
			})
		})
	}
}

// TestRemovalAsksAgain makes the server unreachable for two requests.
func TestRemovalAsksAgain(t *testing.T) {
	client, left := fake.NewClientset(&core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "x"}}), 2
	client.PrependReactor("delete-collection", "pods", func(kubetesting.Action) (bool, runtime.Object, error) {
		left--
		return left >= 0, nil, errors.New("connection refused")
	})
	if err := (&Client{API: client}).RemoveNamespace(t.Context(), "x"); err != nil || left >= 0 {
		t.Errorf("%v, %d left", err, left)
	}
}

// TestCleanInNamespace removes the objects with our label and no others. As the cluster's
// garbage collector does, deleting the Job that owns them deletes what is left of them;
// each is nevertheless named.
func TestCleanInNamespace(t *testing.T) {
	pod := func(name string, labels map[string]string) *core.Pod {
		return &core.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "theirs", Name: name, Labels: labels}}
	}
	ours := map[string]string{OwnerLabel: OwnerName}
	service := &core.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "theirs", Name: "s", Labels: ours}}
	job := &batch.Job{ObjectMeta: metav1.ObjectMeta{Namespace: "theirs", Name: "owner", Labels: ours}}
	client := fake.NewClientset(pod("a", ours), pod("b", map[string]string{"app": "shop"}), service, job)
	client.PrependReactor("delete-collection", "pods", func(a kubetesting.Action) (bool, runtime.Object, error) {
		if of := a.(kubetesting.DeleteCollectionAction).GetListRestrictions().Labels.String(); of != OursSelector {
			t.Errorf("deleted %q", of)
		}
		return true, nil, client.Tracker().Delete(core.SchemeGroupVersion.WithResource("pods"), "theirs", "a")
	})
	policy := func(name string, labels map[string]string) *networking.NetworkPolicy {
		return &networking.NetworkPolicy{ObjectMeta: metav1.ObjectMeta{Namespace: "theirs", Name: name, Labels: labels}}
	}
	dynamic := dynamicfake.NewSimpleDynamicClient(scheme.Scheme, policy("d", ours), policy("e", map[string]string{"app": "shop"}))
	c := &Client{API: client, Dynamic: dynamic}
	client.PrependReactor("delete", "jobs", func(kubetesting.Action) (bool, runtime.Object, error) {
		_ = client.Tracker().Delete(core.SchemeGroupVersion.WithResource("pods"), "theirs", "a")
		_ = client.Tracker().Delete(core.SchemeGroupVersion.WithResource("services"), "theirs", "s")
		_ = dynamic.Tracker().Delete(networking.SchemeGroupVersion.WithResource("networkpolicies"), "theirs", "d")
		return false, nil, nil
	})
	removed, err := c.RemoveObjects(t.Context(), "theirs", OursSelector)
	if err != nil || !slices.Equal(removed, []string{"pod theirs/a", "job theirs/owner", "service theirs/s", "networkpolicy theirs/d"}) {
		t.Errorf("removed %v, %v", removed, err)
	}
	standing, err := c.policies("theirs").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(standing.Items) != 1 || standing.Items[0].GetName() != "e" {
		t.Errorf("NetworkPolicies left: %v, %v", standing, err)
	}
	left, err := client.CoreV1().Pods("theirs").List(context.Background(), metav1.ListOptions{})
	if err != nil || len(left.Items) != 1 || left.Items[0].Name != "b" {
		t.Errorf("left %v, %v", left, err)
	}
}
