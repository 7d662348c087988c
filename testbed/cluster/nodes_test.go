package cluster

import (
	"errors"
	"slices"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster/detect"
	"github.com/cnibench/cnibench/testbed/cluster/install"
	"github.com/cnibench/cnibench/testbed/cluster/kube/kubetest"
)

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
		client, server string // "" for an error
	}{
		{"by name", []core.Node{kubetest.Node("c"), kubetest.Node("a"), kubetest.Node("b")}, "a", "b"},
		{"in different zones", []core.Node{kubetest.Node("a", kubetest.Zone("x")), kubetest.Node("b", kubetest.Zone("x")), kubetest.Node("c", kubetest.Zone("y"))}, "a", "c"},
		{"that take pods", []core.Node{kubetest.Node("a", cordoned), kubetest.Node("b"), kubetest.Node("c", tainted), kubetest.Node("d", down), kubetest.Node("e", windows), kubetest.Node("f")}, "b", "f"},
		{"that are selected, a taint tolerated", []core.Node{kubetest.Node("a"), kubetest.Node("b", pool("x")), kubetest.Node("c", pool("x"), maintained), kubetest.Node("d", pool("y"))}, "b", "c"},
		{"one node", []core.Node{kubetest.Node("a")}, "", ""},
		{"none that is ready", []core.Node{kubetest.Node("a", down), kubetest.Node("b", down)}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var config Config
			if strings.Contains(tt.name, "selected") {
				config.NodeSelector = map[string]string{"pool": "x"}
				config.Tolerations = []core.Toleration{{Key: "maintained", Operator: core.TolerationOpEqual, Value: "yes"}}
			}
			got, err := choose(config.fit(tt.nodes))
			switch {
			case tt.client == "" && !errors.Is(err, errOneNode):
				t.Errorf("chose %v, %v", got, err)
			case tt.client != "" && (err != nil || got.client.Name != tt.client || got.server.Name != tt.server):
				t.Errorf("chose %v, %v", got, err)
			}
		})
	}
}

// TestArchitecture checks that nodes are compared with the image's architecture
// before anything is created.
func TestArchitecture(t *testing.T) {
	for _, tt := range []struct {
		name, image string
		nodes       []core.Node
		client      string // "" for none
		says        string
	}{
		{"all like the image", "amd64", []core.Node{kubetest.Node("a", kubetest.Arch("amd64")), kubetest.Node("b", kubetest.Arch("amd64"))}, "a", ""},
		{"one of another kind is left out", "amd64", []core.Node{kubetest.Node("a", kubetest.Arch("arm64")), kubetest.Node("b", kubetest.Arch("amd64")), kubetest.Node("c", kubetest.Arch("amd64"))}, "b", ""},
		{"none like the image", "amd64", []core.Node{kubetest.Node("a", kubetest.Arch("arm64")), kubetest.Node("b", kubetest.Arch("arm64"))}, "",
			"a: its architecture is arm64 and the image's amd64 (make the image on a machine with arm64"},
		{"an image of unknown architecture", "", []core.Node{kubetest.Node("a", kubetest.Arch("arm64")), kubetest.Node("b", kubetest.Arch("amd64"))}, "a", ""},
		{"nodes that do not say", "amd64", []core.Node{kubetest.Node("a"), kubetest.Node("b")}, "a", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var objects []runtime.Object
			for i := range tt.nodes {
				objects = append(objects, &tt.nodes[i])
			}
			client, set := kubetest.Client(objects...)
			c := newCluster(client, Config{Arch: tt.image, Life: 1})
			c.Record("R", "")
			err := c.prepare(t.Context())
			if (err != nil) != (tt.client == "") || err != nil && (!errors.Is(err, errOneNode) || !strings.Contains(err.Error(), tt.says)) {
				t.Fatal(err)
			}
			if err == nil && c.chosen.client.Name != tt.client {
				t.Errorf("chose %s", c.chosen.client.Name)
			}
			for _, a := range set.Actions() {
				if err != nil && a.GetVerb() != "list" {
					t.Errorf("although no node is fit: %s %s", a.GetVerb(), a.GetResource().Resource)
				}
			}
		})
	}
}

func TestUnfitWhereWeInstall(t *testing.T) {
	for _, tt := range []struct {
		name    string
		node    core.Node
		install bool
		want    string
	}{
		{"waits for the plugin that we install", kubetest.Node("a", kubetest.Waiting), true, ""},
		{"waits for a plugin", kubetest.Node("a", kubetest.Waiting), false, "not ready"},
		{"is down", kubetest.Node("a", func(n *core.Node) { n.Status.Conditions[0].Status = core.ConditionUnknown }), true, "not ready"},
		{"waits, and is kept for others", kubetest.Node("a", kubetest.Waiting, func(n *core.Node) {
			n.Spec.Taints = append(n.Spec.Taints, core.Taint{Key: "x", Effect: core.TaintEffectNoSchedule})
		}), true, "taint x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var c Config
			if tt.install {
				c.Install = &install.Options{}
			}
			if got := c.unfit(tt.node); got.String() != tt.want {
				t.Errorf("%q", got)
			}
		})
	}
}

// TestDescribe compares what the record says about a cluster with its objects,
// and the nodes that the record names with those that are then measured.
func TestDescribe(t *testing.T) {
	system := &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kube-system", UID: "u"}}
	machine := func(n *core.Node) {
		n.Labels[core.LabelInstanceTypeStable] = "m5.large"
		n.Status.NodeInfo = core.NodeSystemInfo{KernelVersion: "6.1.0", Architecture: "amd64", OSImage: "Debian", ContainerRuntimeVersion: "containerd://2", KubeletVersion: "v1"}
		n.Status.Capacity = core.ResourceList{core.ResourceCPU: resource.MustParse("2"), core.ResourceMemory: resource.MustParse("1Gi")}
	}
	a, b, c := kubetest.Node("a", machine, kubetest.Zone("x")), kubetest.Node("b", machine), kubetest.Node("c", machine)
	cordoned := kubetest.Node("b", func(n *core.Node) { n.Spec.Unschedulable = true })
	proxy := func(mode string) runtime.Object {
		return &core.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "kube-proxy"},
			Data: map[string]string{"config.conf": "kind: KubeProxyConfiguration\nmode: " + mode + "\n"}}
	}
	for _, tt := range []struct {
		name    string
		objects []runtime.Object
		wanted  []string // nodes that a run goes on with
		nodes   []string
		proxy   string
		uid     string
		wrong   string // "" for no error
	}{
		{"all may be read", []runtime.Object{system, proxy("ipvs"), &a, &b, &c}, nil, []string{"a", "b"}, "ipvs", "u", ""},
		{"kube-proxy's default", []runtime.Object{system, proxy(`""`), &a, &b}, nil, []string{"a", "b"}, "iptables", "u", ""},
		{"nodes alone may be read", []runtime.Object{&a, &b}, nil, []string{"a", "b"}, "", "", ""},
		{"no two nodes, which the networks say", []runtime.Object{system, &a, &cordoned}, nil, nil, "", "u", ""},
		{"no nodes", []runtime.Object{system}, nil, nil, "", "u", "fewer than two nodes"},
		{"a run that goes on", []runtime.Object{system, &a, &b, &c}, []string{"c", "a"}, []string{"c", "a"}, "", "u", ""},
		{"a node that is cordoned now", []runtime.Object{system, &a, &cordoned, &c}, []string{"a", "b"}, nil, "", "u", "the node b cannot be measured: cordoned"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, _ := kubetest.Client(tt.objects...)
			bed := newCluster(client, Config{Nodes: tt.wanted})
			d, err := bed.Describe(t.Context())
			if (err != nil) != (tt.wrong != "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
				t.Fatalf("%v", err)
			}
			var names []string
			for _, n := range d.Cluster.Nodes {
				names = append(names, n.Name)
			}
			if !slices.Equal(names, tt.nodes) || d.Cluster.KubeProxy != tt.proxy || d.Cluster.UID != tt.uid || d.Cluster.Nodes == nil {
				t.Errorf("%+v", d.Cluster)
			}
			if len(tt.nodes) > 0 && (bed.chosen.client.Name != tt.nodes[0] || bed.chosen.server.Name != tt.nodes[1]) {
				t.Errorf("measured are %s and %s", bed.chosen.client.Name, bed.chosen.server.Name)
			}
			if err == nil {
				want := results.Host{Kernel: "6.1.0", CPU: "m5.large", CPUs: 2, MemoryBytes: 1 << 30, CongestionControl: "unknown", Virtualization: "unknown", Privilege: "cluster"}
				if got := detect.Host(d.Seen); got != want {
					t.Errorf("the machine: %+v", got)
				}
			}
		})
	}
}
