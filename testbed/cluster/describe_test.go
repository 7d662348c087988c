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
	"k8s.io/client-go/kubernetes/fake"

	"github.com/cnibench/cnibench/results"
)

// TestDescribe holds what the record says of a cluster against its objects, and
// the nodes that are named against those that are measured then.
func TestDescribe(t *testing.T) {
	system := &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kube-system", UID: "u"}}
	machine := func(n *core.Node) {
		n.Labels[core.LabelInstanceTypeStable] = "m5.large"
		n.Status.NodeInfo = core.NodeSystemInfo{KernelVersion: "6.1.0", Architecture: "amd64", OSImage: "Debian", ContainerRuntimeVersion: "containerd://2", KubeletVersion: "v1"}
		n.Status.Capacity = core.ResourceList{core.ResourceCPU: resource.MustParse("2"), core.ResourceMemory: resource.MustParse("1Gi")}
	}
	a, b, c := node("a", machine, zone("x")), node("b", machine), node("c", machine)
	cordoned := node("b", func(n *core.Node) { n.Spec.Unschedulable = true })
	proxy := func(mode string) runtime.Object {
		return configMap("kube-system", "kube-proxy", "config.conf", "kind: KubeProxyConfiguration\nmode: "+mode+"\n")
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
			bed := &Cluster{client: fake.NewClientset(tt.objects...), config: Config{Nodes: tt.wanted}}
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
				if got := HostOf(d.Seen); got != want {
					t.Errorf("the machine: %+v", got)
				}
			}
		})
	}
}

func TestSame(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b results.Cluster
		same bool
		err  error
	}{
		{"the same UID, a new certificate", results.Cluster{UID: "1", CA: "x"}, results.Cluster{UID: "1", CA: "y"}, true, nil},
		{"another UID", results.Cluster{UID: "1", CA: "x"}, results.Cluster{UID: "2", CA: "x"}, false, nil},
		{"the certificate where the UID may not be read", results.Cluster{UID: "1", CA: "x"}, results.Cluster{CA: "x"}, true, nil},
		{"another certificate", results.Cluster{CA: "x"}, results.Cluster{CA: "y"}, false, nil},
		{"nothing in common", results.Cluster{UID: "1"}, results.Cluster{CA: "x"}, false, ErrUnidentified},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if same, err := Same(tt.a, tt.b); same != tt.same || !errors.Is(err, tt.err) {
				t.Errorf("%v, %v", same, err)
			}
		})
	}
}
