package cluster

import (
	"slices"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
)

// TestPlainPodIsRestricted checks a plain pod against the restricted Pod Security
// Standard (Kubernetes documentation, concepts/security), and a pod in the node's
// network against what it may have beyond that.
func TestPlainPodIsRestricted(t *testing.T) {
	c := newCluster(nil, Config{Image: "i", Life: 1})
	plain := c.pods.spec("p", "n", false)
	s := plain.Spec.Containers[0].SecurityContext
	if plain.Spec.HostNetwork || *s.AllowPrivilegeEscalation || !*s.RunAsNonRoot || *s.RunAsUser == 0 || !*s.ReadOnlyRootFilesystem ||
		!slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 ||
		s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault || *plain.Spec.AutomountServiceAccountToken {
		t.Errorf("a plain pod: %+v", s)
	}
	host := c.pods.spec("p", "n", true)
	s = host.Spec.Containers[0].SecurityContext
	if !host.Spec.HostNetwork || s.Privileged != nil || *s.AllowPrivilegeEscalation || !slices.Equal(s.Capabilities.Add, []core.Capability{"NET_RAW"}) ||
		!slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}) || len(host.Spec.Volumes) > 0 || host.Spec.HostPID {
		t.Errorf("a pod in the node's network: %+v", s)
	}
	for _, p := range []*core.Pod{plain, host} {
		if p.Spec.Containers[0].Resources.Limits.Memory().String() != podMemory || p.Spec.ActiveDeadlineSeconds == nil || p.Labels[kube.OwnerLabel] != kube.OwnerName {
			t.Errorf("%s has no bounds or no label: %+v", p.Name, p.Spec)
		}
	}
}

// TestPodHasRoomForItsPrograms adds up the memory of all that may be in a pod at
// once: if Go's limits let the programs reach the pod's limit, the kernel kills
// them.
func TestPodHasRoomForItsPrograms(t *testing.T) {
	container := newCluster(nil, Config{Image: "i", Life: 1}).pods.spec("p", "n", false).Spec.Containers[0]
	limit := container.Resources.Limits.Memory().Value()
	i := slices.IndexFunc(container.Env, func(e core.EnvVar) bool { return e.Name == "GOMEMLIMIT" })
	if i < 0 {
		t.Fatal("the waiting program has no memory limit of its own")
	}
	hold, err := resource.ParseQuantity(strings.TrimSuffix(container.Env[i].Value, "B"))
	if err != nil {
		t.Fatal(err)
	}
	const uncounted = 8 << 20 // kernel stacks of threads, socket buffers
	if sum := worker.Memory + hold.Value() + uncounted; sum > limit {
		t.Errorf("worker %d + waiting program %d + kernel %d exceed the pod's limit of %d", worker.Memory, hold.Value(), uncounted, limit)
	}
}

func TestRemoveCommand(t *testing.T) {
	for _, tt := range []struct {
		config Config
		want   string
	}{
		{Config{}, "cnibench clean"},
		{Config{Context: "staging", Namespace: "mine"}, "cnibench clean --context staging --namespace mine"},
		{Config{Kubeconfig: "k"}, "cnibench clean --kubeconfig k"},
	} {
		if got := tt.config.removeCommand(); got != tt.want {
			t.Errorf("%q", got)
		}
	}
}
