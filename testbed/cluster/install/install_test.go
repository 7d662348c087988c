package install

import (
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/cnibench/cnibench/testbed/cluster/install/leftovers"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/testbed/cluster/kube/kubetest"
)

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
				nodes = append(nodes, kubetest.Node("n", cidr(c)))
			}
			got, err := PodNetwork(nodes)
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
	bare, networked, foreign := kubetest.Node("a", kubetest.Waiting), kubetest.Node("a"), kubetest.Node("b", kubetest.Waiting, kubetest.Arch("arm64"))
	left := &core.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "cnibench-x", Labels: map[string]string{kube.OwnerLabel: kube.OwnerName}}}
	for _, tt := range []struct {
		name    string
		objects []runtime.Object
		beside  bool
		says    string // "" for disposable
	}{
		{"system pods alone", []runtime.Object{&bare, pod("kube-system")}, false, ""},
		{"ours", []runtime.Object{&bare, left, pod("cnibench-x")}, false, ""},
		{"a pod of others", []runtime.Object{&bare, pod("shop")}, false, "shop/p"},
		{"a pod of others, which the user accepts", []runtime.Object{&bare, pod("shop")}, true, ""},
		{"a node for which there is no image", []runtime.Object{&bare, &foreign}, false, "could not remove them from b: its architecture is arm64"},
		{"a plugin is there", []runtime.Object{&networked}, true, "already has a network"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client, _ := kubetest.Client(tt.objects...)
			var err error
			synctest.Test(t, func(t *testing.T) {
				err = CheckDisposable(t.Context(), client, Options{BesideOthers: tt.beside}, "amd64")
			}) // nodes have some seconds to report that they have no network
			if (err != nil) != (tt.says != "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v", err)
			}
			var others *OthersError
			if errors.As(err, &others) && !strings.Contains(err.Error(), BesideOthersFlag) {
				t.Errorf("the error does not name the flag: %v", err)
			}
		})
	}
}

// made reads an object that Install has created. No agent ever runs here.
func made(t *testing.T, c *kube.Client, resource schema.GroupVersionResource, namespace, name string, into any) {
	t.Helper()
	o, err := c.Dynamic.Resource(resource).Namespace(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err == nil {
		err = runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestInstall compares the created objects with the request, and checks that
// Install refuses to change an object that exists.
func TestInstall(t *testing.T) {
	node := kubetest.Node("a", kubetest.Waiting, func(n *core.Node) { n.Spec.PodCIDR = "10.1.0.0/16" })
	client, set := kubetest.Client(&node)
	kubetest.Serve(set)
	i := &Installer{Client: client, Namespace: "cnibench-x", Image: "us:1", PullSecret: "pull", Options: Options{FlannelImage: "flannel:2", Within: time.Nanosecond}}
	var err error
	synctest.Test(t, func(t *testing.T) { err = i.Install(t.Context(), "flannel-host-gw") })
	if err == nil || !strings.Contains(err.Error(), "waiting for the DaemonSet cnibench-x/flannel to be rolled out: not within 1ns") {
		t.Fatal(err)
	}
	var config core.ConfigMap
	made(t, client, core.SchemeGroupVersion.WithResource("configmaps"), "cnibench-x", "flannel", &config)
	if config.Data["net-conf.json"] != `{"Backend":{"Type":"host-gw"},"Network":"10.1.0.0/16"}` {
		t.Errorf("%v", config.Data)
	}
	var agents apps.DaemonSet
	made(t, client, apps.SchemeGroupVersion.WithResource("daemonsets"), "cnibench-x", "flannel", &agents)
	holdAgents(t, &agents)
	var binding rbac.ClusterRoleBinding
	made(t, client, rbac.SchemeGroupVersion.WithResource("clusterrolebindings"), "", "cnibench-flannel", &binding)
	if binding.Subjects[0].Namespace != "cnibench-x" || binding.Labels[kube.OwnerLabel] != kube.OwnerName || binding.Labels[kube.RunLabel] != "x" {
		t.Errorf("%+v", binding)
	}
	var kept record
	if found, err := i.kept(t.Context(), recordName, &kept); !found || err != nil || kept.Plugin != "flannel-host-gw" || !kept.Known || len(kept.Objects) != 5 {
		t.Errorf("recorded: %v, %+v, %v", found, kept, err)
	}
	synctest.Test(t, func(t *testing.T) { err = i.Install(t.Context(), "flannel-host-gw") })
	if err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("over objects that exist: %v", err)
	}
}

// holdAgents checks the agents' images and privileges.
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

// TestCalicosModes looks at what a mode sets in Calico's manifests.
func TestCalicosModes(t *testing.T) {
	i := &Installer{Namespace: "cnibench-x", Options: Options{CalicoNodeImage: "node:1", CalicoCNIImage: "cni:2"}}
	for _, tt := range []struct {
		mode, ipip, vxlan, backend string
		probes                     int // for BIRD
	}{
		{"calico-bgp", "Never", "Never", "bird", 2},
		{"calico-vxlan", "Never", "Always", "vxlan", 0},
		{"calico-vxlan-crosssubnet", "Never", "CrossSubnet", "vxlan", 0},
		{"calico-ipip", "Always", "Never", "bird", 2},
		{"calico-ipip-crosssubnet", "CrossSubnet", "Never", "bird", 2},
	} {
		t.Run(tt.mode, func(t *testing.T) {
			r, err := i.recipe(tt.mode)
			if err != nil {
				t.Fatal(err)
			}
			all, err := r.manifests(i, netip.MustParsePrefix("10.1.0.0/25"))
			if err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(all)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{`"blockSize":28,"cidr":"10.1.0.0/25","ipipMode":"` + tt.ipip + `"`, `"vxlanMode":"` + tt.vxlan + `"`, `"backend":"` + tt.backend + `"`,
				`"image":"node:1"`, `"image":"cni:2"`} {
				if !strings.Contains(string(text), want) {
					t.Errorf("no %s in %s", want, text)
				}
			}
			if got := strings.Count(string(text), `"-bird-ready"`); got != tt.probes {
				t.Errorf("%d checks of BIRD", got)
			}
			if pool, agents := kindAt(all, "IPPool"), kindAt(all, "DaemonSet"); pool < 0 || agents < pool {
				t.Errorf("the pool is object %d and the agents are object %d", pool, agents)
			}
		})
	}
}

func kindAt(all Manifests, kind string) int {
	return slices.IndexFunc(all, func(o *unstructured.Unstructured) bool { return o.GetKind() == kind })
}

// TestNodePodsPrivileges checks that the pods that look at a node and clean it can
// touch nothing else.
func TestNodePodsPrivileges(t *testing.T) {
	for _, tt := range []struct {
		name string
		task nodeTask
		caps []core.Capability
	}{
		{"looking", nodeTask{image: "us:1", readOnly: true}, []core.Capability{"NET_ADMIN"}},
		{"cleaning", nodeTask{image: "flannel:2"}, []core.Capability{"NET_ADMIN", "NET_RAW"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := (&Installer{Namespace: "cnibench-x", Image: "us:1"}).nodePod("node-1", "a", tt.task)
			c := p.Spec.Containers[0]
			if s := c.SecurityContext; s.Privileged != nil || !slices.Equal(s.Capabilities.Add, tt.caps) || p.Spec.HostPID || *p.Spec.AutomountServiceAccountToken {
				t.Errorf("%+v", s)
			}
			var paths []string
			for _, v := range p.Spec.Volumes {
				if v.HostPath != nil {
					paths = append(paths, v.HostPath.Path)
				}
			}
			if !slices.Equal(paths, []string{"/run", "/var/lib", "/var/log", "/etc/cni/net.d", "/opt/cni/bin"}) || p.Labels[kube.OwnerLabel] != kube.OwnerName {
				t.Errorf("%v, %v", paths, p.Labels)
			}
			for _, m := range c.VolumeMounts {
				if strings.HasPrefix(m.MountPath, NodeRoot) && m.ReadOnly != tt.task.readOnly {
					t.Errorf("%s is mounted read-only: %v", m.MountPath, m.ReadOnly)
				}
			}
		})
	}
}

// TestOwned asks of things on a node whether they are known to be a plugin's.
func TestOwned(t *testing.T) {
	pods := netip.MustParsePrefix("10.244.0.0/16")
	for _, tt := range []struct {
		name, plugin string
		item         leftovers.Item
		want         bool
	}{
		{"Calico's device of a pod", "calico-bgp", leftovers.Item{Kind: leftovers.Device, Name: "cali1a2b"}, true},
		{"somebody's device", "calico-bgp", leftovers.Item{Kind: leftovers.Device, Name: "docker0"}, false},
		{"a route to pods", "calico-bgp", leftovers.Item{Kind: leftovers.Route, Name: "blackhole 10.244.1.0/26", To: "10.244.1.0/26"}, true},
		{"a route elsewhere", "calico-bgp", leftovers.Item{Kind: leftovers.Route, To: "10.9.0.0/26"}, false},
		{"a route that pods are a part of", "calico-bgp", leftovers.Item{Kind: leftovers.Route, To: "10.0.0.0/8"}, false},
		{"the default route", "flannel-vxlan", leftovers.Item{Kind: leftovers.Route, To: "0.0.0.0/0"}, false},
		{"Calico's rule in another chain", "calico-vxlan", leftovers.Item{Kind: leftovers.Rule, Name: "ip filter FORWARD handle 9", Comment: "cali:S93"}, true},
		{"another's rule", "calico-vxlan", leftovers.Item{Kind: leftovers.Rule, Name: "ip filter FORWARD handle 9", Comment: "mine"}, false},
		{"flannel has no comment of its own", "flannel-vxlan", leftovers.Item{Kind: leftovers.Rule, Name: "ip filter FORWARD handle 9"}, false},
		{"a table of iptables, empty", "calico-vxlan", leftovers.Item{Kind: leftovers.Table, Name: "ip raw", Empty: true}, true},
		{"a table of iptables with rules", "calico-vxlan", leftovers.Item{Kind: leftovers.Table, Name: "ip raw"}, false},
		{"somebody's table", "calico-vxlan", leftovers.Item{Kind: leftovers.Table, Name: "inet firewalld", Empty: true}, false},
		{"a chain of iptables, empty", "flannel-vxlan", leftovers.Item{Kind: leftovers.Chain, Name: "ip nat INPUT", Empty: true}, true},
		{"a CNI plugin that Calico installs", "calico-vxlan", leftovers.Item{Kind: leftovers.File, Name: "/opt/cni/bin/calico-ipam"}, true},
		{"another CNI plugin", "calico-vxlan", leftovers.Item{Kind: leftovers.File, Name: "/opt/cni/bin/cilium-cni"}, false},
		{"Calico's IP set", "calico-vxlan", leftovers.Item{Kind: leftovers.Set, Name: "cali40masq-ipam-pools"}, true},
		{"an address", "calico-vxlan", leftovers.Item{Kind: leftovers.Address, Name: "10.0.0.1/24 dev eth0"}, false},
		{"of a plugin that is not known", "mine", leftovers.Item{Kind: leftovers.Rule, Name: "ip nat X handle 1"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := owned(tt.item, Leaves(tt.plugin), pods); got != tt.want {
				t.Errorf("%v", got)
			}
		})
	}
}
