package cluster

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
)

// waiting makes a node wait for its plugin, as its kubelet says it.
func waiting(n *core.Node) {
	n.Status.Conditions = []core.NodeCondition{{Type: core.NodeReady, Status: core.ConditionFalse, Reason: "KubeletNotReady",
		Message: "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized"}}
	n.Spec.Taints = []core.Taint{{Key: core.TaintNodeNotReady, Effect: core.TaintEffectNoSchedule}}
}

func TestUnfitWhereWeInstall(t *testing.T) {
	for _, tt := range []struct {
		name    string
		node    core.Node
		install bool
		want    string
	}{
		{"waits for the plugin that we install", node("a", waiting), true, ""},
		{"waits for a plugin", node("a", waiting), false, "not ready"},
		{"is down", node("a", func(n *core.Node) { n.Status.Conditions[0].Status = core.ConditionUnknown }), true, "not ready"},
		{"waits, and is kept for others", node("a", waiting, func(n *core.Node) {
			n.Spec.Taints = append(n.Spec.Taints, core.Taint{Key: "x", Effect: core.TaintEffectNoSchedule})
		}), true, "taint x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &Cluster{}
			if tt.install {
				c.config.Install = &Install{}
			}
			if got := c.unfit(tt.node); got != tt.want {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestPodNetwork(t *testing.T) {
	cidr := func(s string) func(*core.Node) { return func(n *core.Node) { n.Spec.PodCIDR = s } }
	for _, tt := range []struct {
		name  string
		cidrs []string
		want  string // "" for an error
	}{
		{"one node", []string{"10.244.3.0/24"}, "10.244.3.0/24"},
		{"neighbours", []string{"10.244.0.0/24", "10.244.1.0/24"}, "10.244.0.0/23"},
		{"far apart", []string{"10.244.1.0/24", "10.244.200.0/24"}, "10.244.0.0/16"},
		{"of different sizes", []string{"10.244.1.0/24", "10.244.0.0/22"}, "10.244.0.0/22"},
		{"none", []string{"10.244.1.0/24", ""}, ""},
		{"IPv6", []string{"fd00::/64"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var nodes []core.Node
			for _, c := range tt.cidrs {
				nodes = append(nodes, node("n", cidr(c)))
			}
			got, err := podNetwork(nodes)
			if (err != nil) != (tt.want == "") || err == nil && got != netip.MustParsePrefix(tt.want) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func TestCheckDisposable(t *testing.T) {
	pod := func(namespace string) runtime.Object {
		return &core.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "p"}}
	}
	bare, networked, foreign := node("a", waiting), node("a"), node("b", waiting, arch("arm64"))
	left := &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "cnibench-x", Labels: map[string]string{label: owner}}}
	for _, tt := range []struct {
		name    string
		objects []runtime.Object
		beside  bool
		says    string // "" for disposable
	}{
		{"system pods alone", []runtime.Object{&bare, pod("kube-system")}, false, ""},
		{"ours", []runtime.Object{&bare, left, pod("cnibench-x")}, false, ""},
		{"a pod of others", []runtime.Object{&bare, pod("shop")}, false, "shop/p"},
		{"a pod of others, and the person knows", []runtime.Object{&bare, pod("shop")}, true, ""},
		{"a node for which there is no image", []runtime.Object{&bare, &foreign}, false, "could not remove them from b: its architecture is arm64"},
		{"a plugin is there", []runtime.Object{&networked}, true, "has a network already"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &Cluster{client: fake.NewClientset(tt.objects...), config: Config{Arch: "amd64", Install: &Install{BesideOthers: tt.beside}}}
			var err error
			synctest.Test(t, func(t *testing.T) { err = c.CheckDisposable(t.Context()) }) // nodes have some seconds to say that they are bare
			if (err != nil) != (tt.says != "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v", err)
			}
			var others *OthersError
			if errors.As(err, &others) && !strings.Contains(err.Error(), BesideOthersFlag) {
				t.Errorf("it does not name the flag: %v", err)
			}
		})
	}
}

// TestApply fills in the manifests and holds what is made against what was asked
// for.
func TestApply(t *testing.T) {
	client := fake.NewClientset()
	c := &Cluster{client: client, namespace: "cnibench-x", config: Config{Image: "us:1", Install: &Install{FlannelImage: "flannel:2"}}}
	if err := c.apply(t.Context(), "flannel-host-gw", netip.MustParsePrefix("10.1.0.0/16")); err != nil {
		t.Fatal(err)
	}
	get := metav1.GetOptions{}
	config, err := client.CoreV1().ConfigMaps("cnibench-x").Get(t.Context(), flannelName, get)
	if err != nil || config.Data["net-conf.json"] != `{"Backend":{"Type":"host-gw"},"Network":"10.1.0.0/16"}` {
		t.Errorf("%v, %v", config.Data, err)
	}
	set, err := client.AppsV1().DaemonSets("cnibench-x").Get(t.Context(), flannelName, get)
	if err != nil {
		t.Fatal(err)
	}
	holdAgents(t, set)
	binding, err := client.RbacV1().ClusterRoleBindings().Get(t.Context(), flannelRole, get)
	if err != nil || binding.Subjects[0].Namespace != "cnibench-x" || binding.Labels[label] != owner {
		t.Errorf("%+v, %v", binding, err)
	}
	role, err := client.RbacV1().ClusterRoles().Get(t.Context(), flannelRole, get)
	if err != nil {
		t.Fatal(err)
	}
	holdGranted(t, role)
}

// holdAgents looks at what the agents' pods may do and run.
func holdAgents(t *testing.T, set *apps.DaemonSet) {
	t.Helper()
	for _, container := range set.Spec.Template.Spec.Containers {
		image, added := "flannel:2", []core.Capability{"NET_ADMIN", "NET_RAW"}
		if container.Name == "conf" {
			image, added = "us:1", nil
		}
		s := container.SecurityContext
		if container.Image != image || s.Privileged != nil && *s.Privileged || !slices.Equal(s.Capabilities.Add, added) {
			t.Errorf("%s runs %s with %+v", container.Name, container.Image, s)
		}
	}
}

// holdGranted makes sure that whoever installs flannel holds the rights that it
// is given: Kubernetes refuses the role otherwise.
func holdGranted(t *testing.T, role *rbac.ClusterRole) {
	t.Helper()
	mine := slices.Concat(needed, neededToInstall)
	for _, r := range role.Rules {
		for _, of := range r.Resources {
			resource, subresource, _ := strings.Cut(of, "/")
			for _, verb := range r.Verbs {
				if !slices.Contains(mine, permission{verb, "", resource, subresource}) {
					t.Errorf("flannel is given %s %s, which nobody checked", verb, of)
				}
			}
		}
	}
}

// TestCleanerChangesTheNetworkAlone holds the pod that changes a node against
// what it may touch.
func TestCleanerChangesTheNetworkAlone(t *testing.T) {
	p := cleaner("clean-1", "a", installation{"cnibench-x", "us:1", "flannel:2"})
	s := p.Spec.Containers[0].SecurityContext
	if s.Privileged != nil || !slices.Equal(s.Capabilities.Add, []core.Capability{"NET_ADMIN", "NET_RAW"}) || p.Spec.HostPID {
		t.Errorf("%+v", s)
	}
	var paths []string
	for _, v := range p.Spec.Volumes {
		if v.HostPath != nil {
			paths = append(paths, v.HostPath.Path)
		}
	}
	if !slices.Equal(paths, []string{"/run", "/etc/cni/net.d", "/var/lib/cni"}) || p.Labels[label] != owner {
		t.Errorf("%v, %v", paths, p.Labels)
	}
}
