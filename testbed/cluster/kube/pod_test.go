package kube

import (
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
)

func TestWaitingFor(t *testing.T) {
	waiting := func(reason, message string) core.PodStatus {
		return core.PodStatus{ContainerStatuses: []core.ContainerStatus{{State: core.ContainerState{Waiting: &core.ContainerStateWaiting{Reason: reason, Message: message}}}}}
	}
	for _, tt := range []struct {
		name   string
		status core.PodStatus
		says   string
		final  bool
	}{
		{"being made", waiting("ContainerCreating", ""), "", false},
		{"first failed pull", waiting("ErrImagePull", "no such host"), "no such host", false},
		{"failed pulls", waiting("ImagePullBackOff", "back-off"), "ImagePullBackOff", true},
		{"an image that is not on the node", waiting("ErrImageNeverPull", "not present"), "not present", true},
		{"no room", core.PodStatus{Conditions: []core.PodCondition{{Type: core.PodScheduled, Status: core.ConditionFalse, Message: "insufficient memory"}}}, "insufficient memory", false},
		{"ended", core.PodStatus{ContainerStatuses: []core.ContainerStatus{{State: core.ContainerState{Terminated: &core.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}}}}}, "OOMKilled", true},
		{"evicted", core.PodStatus{Phase: core.PodFailed, Reason: "Evicted", Message: "disk pressure"}, "Evicted disk pressure", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			why, final := WaitingFor(&core.Pod{Status: tt.status})
			if !strings.Contains(why.String(), tt.says) || final != tt.final {
				t.Errorf("%q, final: %v", why, final)
			}
		})
	}
}
