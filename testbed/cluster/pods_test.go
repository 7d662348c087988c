package cluster

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubetesting "k8s.io/client-go/testing"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/testbed/cluster/kube/kubetest"
	"github.com/cnibench/cnibench/words"
)

// TestPodThatDoesNotRun checks that the cause of a pod that does not run is what the
// cluster reports of it.
func TestPodThatDoesNotRun(t *testing.T) {
	waiting := func(reason, message string) core.PodStatus {
		return core.PodStatus{Phase: core.PodPending, ContainerStatuses: []core.ContainerStatus{{Name: kube.Container,
			State: core.ContainerState{Waiting: &core.ContainerStateWaiting{Reason: reason, Message: message}}}}}
	}
	const noAddress = "failed to allocate for range 0: no IP addresses available in range set: 10.42.1.1-10.42.1.254"
	for _, tt := range []struct {
		name     string
		status   core.PodStatus
		reason   string // of the event, "" for none
		message  string
		listing  error // of the events
		refusing error // of the pod
		says     []string
		not      string
	}{
		{name: "no address left", status: waiting("ContainerCreating", ""), reason: "FailedCreatePodSandBox", message: noAddress,
			says: []string{"pod-2 on n2", "too late", "; the cluster reports: event FailedCreatePodSandBox, 3 times: " + noAddress}},
		{name: "no event", status: waiting("ContainerCreating", ""), says: []string{"too late; last seen: Pending"}, not: "the cluster reports"},
		{name: "events are not allowed", status: waiting("ContainerCreating", ""), listing: apierrors.NewForbidden(core.Resource("events"), "", errors.New("no")),
			says: []string{"too late", "you may not read the pod's events", "role-events.yaml"}},
		{name: "events are not to be had", status: waiting("ContainerCreating", ""), listing: errors.New("connection refused"),
			says: []string{"too late", "could not be read: reading the events of the pod pod-2: connection refused"}},
		{name: "an image that cannot be pulled", status: waiting("ImagePullBackOff", "Back-off"), reason: "Failed", message: "Failed to pull image: not found",
			says: []string{"the pod pod-2 on n2 cannot run: ImagePullBackOff: Back-off; the cluster reports: event Failed, 3 times: Failed to pull image: not found"}},
		{name: "an event that says the same", status: core.PodStatus{Phase: core.PodPending, Conditions: []core.PodCondition{{Type: core.PodScheduled, Status: core.ConditionFalse, Message: "0/2 nodes are available"}}},
			reason: "FailedScheduling", message: "0/2 nodes are available", says: []string{"not scheduled: 0/2 nodes are available"}, not: "the cluster reports"},
		{name: "an added container that fails", status: core.PodStatus{Phase: core.PodPending, InitContainerStatuses: []core.ContainerStatus{{Name: "istio-init",
			State: core.ContainerState{Waiting: &core.ContainerStateWaiting{Reason: "CrashLoopBackOff", Message: "iptables"}}}}}, says: []string{"CrashLoopBackOff: iptables"}},
		{name: "refused", refusing: apierrors.NewForbidden(core.Resource("pods"), "pod-2", errors.New("failed quota: q: must specify limits.cpu for: cnibench")),
			says: []string{"creating the pod pod-2: the cluster refuses the pod: failed quota: q: must specify limits.cpu for: cnibench (set it with --limits cpu=AMOUNT)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, set := kubetest.Client()
			set.PrependReactor("create", "pods", func(a kubetesting.Action) (bool, runtime.Object, error) {
				made := a.(kubetesting.CreateAction).GetObject().(*core.Pod)
				made.Status = tt.status
				return tt.refusing != nil, nil, tt.refusing
			})
			set.PrependReactor("list", "events", func(kubetesting.Action) (bool, runtime.Object, error) {
				list := &core.EventList{}
				if tt.reason != "" {
					list.Items = []core.Event{{Type: core.EventTypeWarning, Reason: tt.reason, Message: tt.message, Count: 3,
						InvolvedObject: core.ObjectReference{Kind: "Pod", Name: "pod-2"}}}
				}
				return true, list, tt.listing
			})
			c := newCluster(client, Config{Image: "i", Life: time.Hour})
			c.Record("R", "")
			c.space.Name = "x"
			ctx, cancel := context.WithTimeoutCause(t.Context(), 300*time.Millisecond, errors.New("too late"))
			defer cancel()
			_, err := c.pods.get(ctx, "pod-2", "n2", false)
			if err == nil {
				t.Fatal("the pod runs")
			}
			for _, part := range tt.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q lacks %q", err, part)
				}
			}
			if tt.not != "" && strings.Contains(err.Error(), tt.not) {
				t.Errorf("%q contains %q", err, tt.not)
			}
			if left, err := client.CoreV1().Pods("x").List(t.Context(), metav1.ListOptions{}); err != nil || len(left.Items) > 0 {
				t.Errorf("left %v, %v", left.Items, err)
			}
		})
	}
}

// TestInterruptedPodIsNotExplained checks that an interruption is not looked into.
func TestInterruptedPodIsNotExplained(t *testing.T) {
	client, set := kubetest.Client()
	set.PrependReactor("list", "events", func(kubetesting.Action) (bool, runtime.Object, error) {
		t.Error("the events were read")
		return true, &core.EventList{}, nil
	})
	c := newCluster(client, Config{Image: "i", Life: time.Hour})
	c.Record("R", "")
	c.space.Name = "x"
	ctx, cancel := context.WithCancel(t.Context())
	set.PrependReactor("get", "pods", func(kubetesting.Action) (bool, runtime.Object, error) {
		cancel()
		return false, nil, nil
	})
	if _, err := c.pods.get(ctx, "pod-2", "n2", false); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// TestUserOnOpenShift checks that a pod names no user where the cluster assigns one,
// and still does not run as root.
func TestUserOnOpenShift(t *testing.T) {
	for _, tt := range []struct {
		name     string
		group    string
		assigned bool
	}{
		{"Kubernetes", "apps/v1", false},
		{"OpenShift", "security.openshift.io/v1", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, set := kubetest.Client(&core.NodeList{Items: []core.Node{kubetest.Node("a"), kubetest.Node("b")}})
			set.Resources = []*metav1.APIResourceList{{GroupVersion: tt.group}}
			c := newCluster(client, Config{Image: "i", Life: time.Hour})
			c.Record("R", "")
			if err := c.prepare(t.Context()); err != nil {
				t.Fatal(err)
			}
			s := c.pods.spec("p", "a", false).Spec.Containers[0].SecurityContext
			if (s.RunAsUser == nil) != tt.assigned || !*s.RunAsNonRoot {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestForbiddenHostPods checks which refusals of a pod in the node's network mean that
// there is no baseline.
func TestForbiddenHostPods(t *testing.T) {
	for _, tt := range []struct {
		name, why   string
		unsupported bool
	}{
		{"Pod Security", `violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)`, true},
		{"OpenShift", "unable to validate against any security context constraint: [provider restricted-v2: .spec.securityContext.hostNetwork: Invalid value: true]", true},
		{"Kyverno", `admission webhook "validate.kyverno.svc-fail" denied the request: no host namespaces`, true},
		{"a quota", "exceeded quota: few, requested: pods=1", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, set := kubetest.Client()
			set.PrependReactor("create", "pods", func(a kubetesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewForbidden(core.Resource("pods"), "host-1", errors.New(tt.why))
			})
			c := newCluster(client, Config{Image: "i", Life: time.Hour})
			c.Record("R", "")
			c.space.Name = "x"
			n := &network{cluster: c}
			err := n.staffEnd(t.Context(), 0, place{1, kubetest.Node("a")}, true)
			var unsupported *testbed.UnsupportedError
			if err == nil || errors.As(err, &unsupported) != tt.unsupported || !strings.Contains(err.Error(), tt.why[strings.LastIndex(tt.why, ": ")+2:]) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestAlteredPods checks what is said of pods that others have changed.
func TestAlteredPods(t *testing.T) {
	always := core.ContainerRestartPolicyAlways
	cpu := func(amount string) core.ResourceRequirements {
		return core.ResourceRequirements{Limits: core.ResourceList{core.ResourceCPU: resource.MustParse(amount)}}
	}
	ours := core.Container{Name: kube.Container}
	for _, tt := range []struct {
		name   string
		pod    core.Pod
		limits core.ResourceList
		says   []string
	}{
		{"as it was made", core.Pod{Spec: core.PodSpec{Containers: []core.Container{ours}}}, nil, nil},
		{"a sidecar", core.Pod{Spec: core.PodSpec{Containers: []core.Container{{Name: "istio-proxy"}, ours}},
			Status: core.PodStatus{ContainerStatuses: []core.ContainerStatus{{Name: "istio-proxy"}, {Name: kube.Container}}}}, nil, []string{"the containers istio-proxy to the pod"}},
		{"a native sidecar", core.Pod{Spec: core.PodSpec{Containers: []core.Container{ours},
			InitContainers: []core.Container{{Name: "istio-validation"}, {Name: "istio-proxy", RestartPolicy: &always}}}}, nil, []string{"the containers istio-proxy to the pod"}},
		{"a sidecar that only the status has", core.Pod{Spec: core.PodSpec{Containers: []core.Container{ours}},
			Status: core.PodStatus{ContainerStatuses: []core.ContainerStatus{{Name: kube.Container}, {Name: "linkerd-proxy\x1b"}}}}, nil, []string{"the containers linkerd-proxy  to the pod"}},
		{"a limited CPU", core.Pod{Spec: core.PodSpec{Containers: []core.Container{{Name: kube.Container, Resources: cpu("500m")}}}}, nil, []string{"to 500m (a LimitRange"}},
		{"a CPU that the user limits", core.Pod{Spec: core.PodSpec{Containers: []core.Container{{Name: kube.Container, Resources: cpu("1")}}}}, core.ResourceList{core.ResourceCPU: resource.MustParse("1")}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := newCluster(nil, Config{Limits: tt.limits})
			var told []results.Event
			c.config.Event = func(e results.Event) { told = append(told, e) }
			altered := c.config.alterations(&tt.pod)
			n := &network{cluster: c, facts: results.Network{Plugin: "calico-bgp", Topology: results.On("cluster")}}
			n.ends[0].pod, n.ends[1].pod = &pod{altered: altered}, &pod{altered: altered}
			n.sayAltered()
			if len(altered) != len(tt.says) || len(told) != len(tt.says) {
				t.Fatalf("%v, told %v", altered, told)
			}
			for i, part := range tt.says {
				if !strings.Contains(altered[i].String(), part) || told[i].Name != results.EventAltered || told[i].Plugin != "calico-bgp" || told[i].Text != words.Clauses(altered...) {
					t.Errorf("%q, told %+v", altered[i], told[i])
				}
			}
		})
	}
}

// TestMeshesAreAskedToStayOut checks the labels and annotations of every pod.
func TestMeshesAreAskedToStayOut(t *testing.T) {
	for _, host := range []bool{false, true} {
		p := newCluster(nil, Config{Image: "i", Life: 1}).pods.spec("p", "n", host)
		for key, want := range map[string]string{"sidecar.istio.io/inject": "false", "istio.io/dataplane-mode": "none", "kuma.io/sidecar-injection": "disabled"} {
			if p.Labels[key] != want {
				t.Errorf("label %s is %q", key, p.Labels[key])
			}
		}
		for key, want := range map[string]string{"sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled", "kuma.io/sidecar-injection": "disabled", "consul.hashicorp.com/connect-inject": "false"} {
			if p.Annotations[key] != want {
				t.Errorf("annotation %s is %q", key, p.Annotations[key])
			}
		}
	}
}
