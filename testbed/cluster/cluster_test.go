package cluster

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	authorization "k8s.io/api/authorization/v1"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"github.com/cnibench/cnibench/probes"
)

func node(name string, change ...func(*core.Node)) core.Node {
	n := core.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}, Annotations: map[string]string{}}}
	n.Status.Conditions = []core.NodeCondition{{Type: core.NodeReady, Status: core.ConditionTrue}}
	for _, c := range change {
		c(&n)
	}
	return n
}

func zone(z string) func(*core.Node) {
	return func(n *core.Node) { n.Labels[core.LabelTopologyZone] = z }
}

func says(key, value string) func(*core.Node) {
	return func(n *core.Node) { n.Annotations[key] = value }
}

func TestChoose(t *testing.T) {
	cordoned := func(n *core.Node) { n.Spec.Unschedulable = true }
	tainted := func(n *core.Node) { n.Spec.Taints = []core.Taint{{Key: "x", Effect: core.TaintEffectNoSchedule}} }
	down := func(n *core.Node) { n.Status.Conditions[0].Status = core.ConditionUnknown }
	pool := func(p string) func(*core.Node) { return func(n *core.Node) { n.Labels["pool"] = p } }
	maintained := func(n *core.Node) {
		n.Spec.Taints = []core.Taint{{Key: "maintained", Value: "yes", Effect: core.TaintEffectNoSchedule}}
	}
	windows := func(n *core.Node) { n.Labels[core.LabelOSStable] = "windows" }
	for _, tt := range []struct {
		name           string
		nodes          []core.Node
		client, server string // "" for none
	}{
		{"by name", []core.Node{node("c"), node("a"), node("b")}, "a", "b"},
		{"in different zones", []core.Node{node("a", zone("x")), node("b", zone("x")), node("c", zone("y"))}, "a", "c"},
		{"that take pods", []core.Node{node("a", cordoned), node("b"), node("c", tainted), node("d", down), node("e", windows), node("f")}, "b", "f"},
		{"that are selected, a taint tolerated", []core.Node{node("a"), node("b", pool("x")), node("c", pool("x"), maintained), node("d", pool("y"))}, "b", "c"},
		{"one node", []core.Node{node("a")}, "", ""},
		{"none that is ready", []core.Node{node("a", down), node("b", down)}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var objects []runtime.Object
			for i := range tt.nodes {
				objects = append(objects, &tt.nodes[i])
			}
			c := &Cluster{client: fake.NewClientset(objects...)}
			if strings.Contains(tt.name, "selected") {
				c.config.NodeSelector = map[string]string{"pool": "x"}
				c.config.Tolerations = []core.Toleration{{Key: "maintained", Operator: core.TolerationOpEqual, Value: "yes"}}
			}
			nodes, others, err := c.nodes(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got, err := choose(nodes, others)
			switch {
			case tt.client == "" && !errors.Is(err, errOneNode):
				t.Errorf("chose %v, %v", got, err)
			case tt.client != "" && (err != nil || got.client.Name != tt.client || got.server.Name != tt.server):
				t.Errorf("chose %v, %v", got, err)
			}
		})
	}
}

func arch(a string) func(*core.Node) {
	return func(n *core.Node) { n.Status.NodeInfo.Architecture = a }
}

// TestArchitecture holds nodes against the image's architecture before anything
// is made.
func TestArchitecture(t *testing.T) {
	for _, tt := range []struct {
		name, image string
		nodes       []core.Node
		client      string // "" for none
		says        string
	}{
		{"all like the image", "amd64", []core.Node{node("a", arch("amd64")), node("b", arch("amd64"))}, "a", ""},
		{"one of another kind is left out", "amd64", []core.Node{node("a", arch("arm64")), node("b", arch("amd64")), node("c", arch("amd64"))}, "b", ""},
		{"none like the image", "amd64", []core.Node{node("a", arch("arm64")), node("b", arch("arm64"))}, "",
			"a: its architecture is arm64 and the image's amd64 (make the image on a machine with arm64"},
		{"an image of which that is not known", "", []core.Node{node("a", arch("arm64")), node("b", arch("amd64"))}, "a", ""},
		{"nodes that do not say", "amd64", []core.Node{node("a"), node("b")}, "a", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var objects []runtime.Object
			for i := range tt.nodes {
				objects = append(objects, &tt.nodes[i])
			}
			client := fake.NewClientset(objects...)
			c := &Cluster{client: client, config: Config{Arch: tt.image, Life: 1}, runID: "R"}
			err := c.prepare(t.Context())
			if (err != nil) != (tt.client == "") || err != nil && (!errors.Is(err, errOneNode) || !strings.Contains(err.Error(), tt.says)) {
				t.Fatal(err)
			}
			if err == nil && c.chosen.client.Name != tt.client {
				t.Errorf("chose %s", c.chosen.client.Name)
			}
			for _, a := range client.Actions() {
				if err != nil && a.GetVerb() != "list" {
					t.Errorf("although no node is fit: %s %s", a.GetVerb(), a.GetResource().Resource)
				}
			}
		})
	}
}

// TestPlainPodIsRestricted holds a plain pod against the restricted Pod
// Security Standard (Kubernetes documentation, concepts/security), and one in
// the node's network against what it may have beyond that.
func TestPlainPodIsRestricted(t *testing.T) {
	c := &Cluster{namespace: "x", config: Config{Image: "i", Life: 1}}
	plain := c.spec("p", "n", false)
	s := plain.Spec.Containers[0].SecurityContext
	if plain.Spec.HostNetwork || *s.AllowPrivilegeEscalation || !*s.RunAsNonRoot || *s.RunAsUser == 0 || !*s.ReadOnlyRootFilesystem ||
		!slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}) || len(s.Capabilities.Add) > 0 ||
		s.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault || *plain.Spec.AutomountServiceAccountToken {
		t.Errorf("a plain pod: %+v", s)
	}
	host := c.spec("p", "n", true)
	s = host.Spec.Containers[0].SecurityContext
	if !host.Spec.HostNetwork || s.Privileged != nil || *s.AllowPrivilegeEscalation || !slices.Equal(s.Capabilities.Add, []core.Capability{"NET_RAW"}) ||
		!slices.Equal(s.Capabilities.Drop, []core.Capability{"ALL"}) || len(host.Spec.Volumes) > 0 || host.Spec.HostPID {
		t.Errorf("a pod in the node's network: %+v", s)
	}
	for _, p := range []*core.Pod{plain, host} {
		if p.Spec.Containers[0].Resources.Limits.Memory().String() != podMemory || p.Spec.ActiveDeadlineSeconds == nil || p.Labels[label] != owner {
			t.Errorf("%s has no bounds or no label: %+v", p.Name, p.Spec)
		}
	}
}

// TestPodHasRoomForItsPrograms adds up what may be in a pod at once: the kernel
// kills the pod's programs where Go's limits let them reach the pod's.
func TestPodHasRoomForItsPrograms(t *testing.T) {
	container := (&Cluster{config: Config{Image: "i", Life: 1}}).spec("p", "n", false).Spec.Containers[0]
	limit := container.Resources.Limits.Memory().Value()
	i := slices.IndexFunc(container.Env, func(e core.EnvVar) bool { return e.Name == "GOMEMLIMIT" })
	if i < 0 {
		t.Fatal("the program that waits has no limit of its own")
	}
	hold, err := resource.ParseQuantity(strings.TrimSuffix(container.Env[i].Value, "B"))
	if err != nil {
		t.Fatal(err)
	}
	const uncounted = 8 << 20 // stacks of threads in the kernel, buffers of sockets
	if sum := probes.WorkerMemory + hold.Value() + uncounted; sum > limit {
		t.Errorf("worker %d + the waiting program %d + %d of the kernel's are more than the pod's %d", probes.WorkerMemory, hold.Value(), uncounted, limit)
	}
}

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
		{"an image that must be there", waiting("ErrImageNeverPull", "not present"), "not present", true},
		{"no room", core.PodStatus{Conditions: []core.PodCondition{{Type: core.PodScheduled, Status: core.ConditionFalse, Message: "insufficient memory"}}}, "insufficient memory", false},
		{"ended", core.PodStatus{ContainerStatuses: []core.ContainerStatus{{State: core.ContainerState{Terminated: &core.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"}}}}}, "OOMKilled", true},
		{"evicted", core.PodStatus{Phase: core.PodFailed, Reason: "Evicted", Message: "disk pressure"}, "Evicted disk pressure", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			why, final := waitingFor(&core.Pod{Status: tt.status})
			if !strings.Contains(why, tt.says) || final != tt.final {
				t.Errorf("%q, final: %v", why, final)
			}
		})
	}
}

// TestDeniedInOneList has the cluster deny two things.
func TestDeniedInOneList(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("create", "selfsubjectaccessreviews", func(a kubetesting.Action) (bool, runtime.Object, error) {
		review := a.(kubetesting.CreateAction).GetObject().(*authorization.SelfSubjectAccessReview)
		of := review.Spec.ResourceAttributes
		review.Status.Allowed = of.Subresource != "exec"
		return true, review, nil
	})
	err := (&Cluster{client: client}).checkAccess(t.Context())
	var denied *DeniedError
	if !errors.As(err, &denied) || !slices.Equal(denied.Missing, []string{"get pods/exec", "create pods/exec"}) {
		t.Errorf("denied: %v", err)
	}
}

// TestRolesAreWhatIsChecked holds the roles that are documented against what a
// run asks for.
func TestRolesAreWhatIsChecked(t *testing.T) {
	for _, tt := range []struct {
		file  string
		asked []permission
	}{
		{"role.yaml", needed},
		{"install-role.yaml", neededToInstall},
		{"role-service.yaml", ofServices},
		{"role-in-namespace.yaml", (&Cluster{config: Config{Namespace: "theirs"}}).permissions()},
	} {
		t.Run(tt.file, func(t *testing.T) {
			text, err := os.ReadFile("../../manifests/cluster/" + tt.file)
			if err != nil {
				t.Fatal(err)
			}
			var role rbac.ClusterRole
			if err := yaml.UnmarshalStrict(text, &role); err != nil {
				t.Fatal(err)
			}
			var granted, asked []string
			for _, r := range role.Rules {
				for _, of := range r.Resources {
					if r.APIGroups[0] != "" {
						of += "." + r.APIGroups[0]
					}
					for _, verb := range r.Verbs {
						granted = append(granted, verb+" "+of)
					}
				}
			}
			for _, p := range tt.asked {
				asked = append(asked, p.String())
			}
			slices.Sort(granted)
			slices.Sort(asked)
			if !slices.Equal(granted, asked) {
				t.Errorf("the role grants %v, a run asks for %v", granted, asked)
			}
		})
	}
}
