package kube

import (
	"errors"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
)

// TestLastWarning reads the events of a pod as different versions of Kubernetes
// report them.
func TestLastWarning(t *testing.T) {
	at := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	event := func(name, reason, message string, change ...func(*core.Event)) *core.Event {
		e := &core.Event{ObjectMeta: metav1.ObjectMeta{Namespace: "x", Name: name}, Type: core.EventTypeWarning, Reason: reason, Message: message,
			InvolvedObject: core.ObjectReference{Kind: "Pod", Name: "pod-2"}, LastTimestamp: metav1.NewTime(at), Count: 1}
		for _, c := range change {
			c(e)
		}
		return e
	}
	later := func(e *core.Event) { e.LastTimestamp = metav1.NewTime(at.Add(time.Minute)) }
	const sandbox = `Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "…": plugin type="flannel" failed (add): failed to allocate for range 0: no IP addresses available in range set: 10.42.1.1-10.42.1.254`
	for _, tt := range []struct {
		name   string
		events []runtime.Object
		says   string // "" if there is no warning
	}{
		{"none", nil, ""},
		{"no address left", []runtime.Object{event("a", "Scheduled", "assigned", func(e *core.Event) { e.Type = core.EventTypeNormal }, later),
			event("b", "FailedCreatePodSandBox", sandbox, func(e *core.Event) { e.Count = 12 })}, "event FailedCreatePodSandBox, 12 times: " + sandbox},
		{"another pod's", []runtime.Object{event("a", "FailedMount", "no such volume", func(e *core.Event) { e.InvolvedObject.Name = "pod-1" })}, ""},
		{"the last of two", []runtime.Object{event("a", "FailedMount", "late", later), event("b", "FailedScheduling", "early")}, "event FailedMount, 1 time: late"},
		{"what failed, not the wait after it", []runtime.Object{event("a", "Failed", "Failed to pull image: not found"), event("b", "BackOff", "Back-off pulling image", later)}, "Failed to pull image: not found"},
		{"only the wait", []runtime.Object{event("b", "BackOff", "Back-off pulling image")}, "event BackOff, 1 time"},
		{"a series", []runtime.Object{event("a", "FailedCreatePodSandBox", "old"), event("b", "FailedCreatePodSandBox", "new", func(e *core.Event) {
			e.LastTimestamp, e.Count = metav1.Time{}, 0
			e.EventTime = metav1.NewMicroTime(at.Add(-time.Minute))
			e.Series = &core.EventSeries{Count: 7, LastObservedTime: metav1.NewMicroTime(at.Add(time.Second))}
		})}, "7 times: new"},
		{"long and not printable", []runtime.Object{event("a", "Failed", "\x1b[31m"+strings.Repeat("x\n", 4000))}, " [31m"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := (&Client{API: fake.NewClientset(tt.events...)}).LastWarning(t.Context(), "x", "pod-2")
			if err != nil || (got.Message == "") != (tt.says == "") {
				t.Fatalf("%+v, %v", got, err)
			}
			if said := got.Words().String(); tt.says != "" && !strings.Contains(said, strings.TrimSpace(tt.says)) || len([]rune(said)) > maxQuoted+100 || strings.Contains(said, "\x1b") {
				t.Errorf("%q", said)
			}
		})
	}
}

// TestEventsAreAskedForOnePod checks that only a bounded number of one pod's events is
// requested, and that a refusal can be told from other errors.
func TestEventsAreAskedForOnePod(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("list", "events", func(a kubetesting.Action) (bool, runtime.Object, error) {
		of := a.(kubetesting.ListActionImpl)
		if got := of.GetListRestrictions().Fields.String(); got != "involvedObject.kind=Pod,involvedObject.name=pod-2" || of.ListOptions.Limit != maxEvents {
			t.Errorf("asked for %q, %d", got, of.ListOptions.Limit)
		}
		return true, nil, apierrors.NewForbidden(core.Resource("events"), "", errors.New("no"))
	})
	if _, err := (&Client{API: client}).LastWarning(t.Context(), "x", "pod-2"); !apierrors.IsForbidden(err) {
		t.Errorf("%v", err)
	}
}
