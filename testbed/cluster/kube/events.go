package kube

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/cnibench/cnibench/words"
)

// maxEvents bounds how many events are read of one pod. The API server joins equal
// ones, so a pod has few.
const maxEvents = 200

// backOff is the reason of an event that says that a node waits before it tries
// again, and not what failed.
const backOff = "BackOff"

// Warning is an event of a pod that says, in the cluster's own words, what is wrong
// with it.
type Warning struct {
	Reason, Message string
	Times           int // how often it was seen
}

// Words returns the sentence that quotes the event.
func (w Warning) Words() words.Text {
	return words.Plural(w.Times, words.EventOnce, words.EventTimes).With(w.Reason, w.Times, w.Message)
}

// LastWarning returns the last warning among the events of a pod. Its message is
// empty if there is none.
func (c *Client) LastWarning(ctx context.Context, namespace, pod string) (Warning, error) {
	of := fields.Set{"involvedObject.kind": "Pod", "involvedObject.name": pod}
	list, err := c.CoreV1().Events(namespace).List(ctx, metav1.ListOptions{FieldSelector: of.String(), Limit: maxEvents})
	if err != nil {
		return Warning{}, fmt.Errorf("reading the events of the pod %s: %w", pod, err)
	}
	warnings := slices.DeleteFunc(list.Items, func(e core.Event) bool {
		return e.Type != core.EventTypeWarning || e.InvolvedObject.Name != pod
	})
	if len(warnings) == 0 {
		return Warning{}, nil
	}
	last := slices.MaxFunc(warnings, func(a, b core.Event) int {
		if isBackOff := a.Reason == backOff; isBackOff != (b.Reason == backOff) {
			return map[bool]int{true: -1, false: 1}[isBackOff]
		}
		return lastSeen(a).Compare(lastSeen(b))
	})
	times := max(last.Count, 1)
	if last.Series != nil {
		times = max(times, last.Series.Count)
	}
	return Warning{quoted(last.Reason), quoted(last.Message), int(times)}, nil
}

// lastSeen returns when an event was last observed. Which field holds that depends on
// the version of the client that reported it.
func lastSeen(e core.Event) time.Time {
	at := cmp.Or(e.LastTimestamp.Time, e.EventTime.Time, e.CreationTimestamp.Time)
	if e.Series != nil && e.Series.LastObservedTime.After(at) {
		at = e.Series.LastObservedTime.Time
	}
	return at
}
