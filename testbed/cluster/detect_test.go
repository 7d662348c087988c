package cluster

import (
	"strings"
	"testing"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"
)

func configMap(namespace, name, key, value string) runtime.Object {
	return &core.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string]string{key: value}}
}

func flannelConf(text string) runtime.Object {
	return configMap("kube-flannel", "kube-flannel-cfg", "net-conf.json", text)
}

func daemonSet(name string) runtime.Object {
	return &apps.DaemonSet{ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: name}}
}

func calicoObject(kind, name string, spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "crd.projectcalico.org/v1", "kind": kind,
		"metadata": map[string]any{"name": name}, "spec": spec}}
}

func pool(name, cidr, ipip, vxlan string) runtime.Object {
	return calicoObject("IPPool", name, map[string]any{"cidr": cidr, "ipipMode": ipip, "vxlanMode": vxlan})
}

func TestDetect(t *testing.T) {
	calico := says(calicoAddress, "10.0.0.1/24")
	flannel := says(flannelBackend, "vxlan")
	disabled := pool("old", "10.2.0.0/16", "Always", "Never").(*unstructured.Unstructured)
	disabled.Object["spec"].(map[string]any)["disabled"] = true
	felix := func(key string) runtime.Object {
		return calicoObject("FelixConfiguration", "default", map[string]any{key: true})
	}
	for _, tt := range []struct {
		name    string
		nodes   []core.Node
		objects []runtime.Object
		own     []runtime.Object // of Calico
		plugin  string
		words   string
	}{
		{"flannel's annotation", []core.Node{node("a", says(flannelBackend, "host-gw")), node("b", says(flannelBackend, "host-gw"))}, nil, nil, "flannel-host-gw", "say flannel-host-gw"},
		{"Calico by BGP", []core.Node{node("a", calico), node("b", calico)}, nil, nil, "calico-bgp", "say calico-bgp"},
		{"Calico with IP in IP", []core.Node{node("a", calico, says(calicoIPIP, "10.1.0.1"))}, nil, nil, "calico-ipip", "calico-ipip"},
		{"Calico with VXLAN", []core.Node{node("a", calico, says(calicoVXLAN, "10.1.0.1"))}, nil, nil, "calico-vxlan", "calico-vxlan"},
		{"nothing known", []core.Node{node("a"), node("b")}, nil, nil, "", "nothing of a known plugin"},
		{"nodes that disagree", []core.Node{node("a", flannel), node("b", says(flannelBackend, "udp")), node("c")}, nil, nil, "", "different things: flannel-udp, flannel-vxlan, nothing"},

		{"flannel's configuration", []core.Node{node("a", flannel)}, []runtime.Object{flannelConf(`{"Backend":{"Type":"vxlan"}}`)}, nil, "flannel-vxlan", "kube-flannel-cfg say flannel-vxlan"},
		{"flannel, routed where it can", []core.Node{node("a", flannel)}, []runtime.Object{flannelConf(`{"Backend":{"Type":"vxlan","DirectRouting":true}}`)}, nil, "flannel-vxlan-directrouting", ""},
		{"flannel set anew, not restarted", []core.Node{node("a", flannel)}, []runtime.Object{flannelConf(`{"Backend":{"Type":"host-gw"}}`)}, nil, "", "say flannel-host-gw; annotations of the nodes say flannel-vxlan, which does not fit together"},
		{"flannel's configuration, damaged", []core.Node{node("a")}, []runtime.Object{flannelConf(`{`)}, nil, "", "nothing that can be read"},

		{"Calico's pool", []core.Node{node("a", calico, says(calicoIPIP, "10.1.0.1"))}, nil, []runtime.Object{pool("p", "10.1.0.0/16", "CrossSubnet", "Never"), pool("six", "fd00::/64", "Never", "Never")}, "calico-ipip-crosssubnet", "IPPools of Calico say"},
		{"Calico's pools, one off", []core.Node{node("a", calico)}, nil, []runtime.Object{pool("p", "10.1.0.0/16", "Never", "Never"), disabled}, "calico-bgp", ""},
		{"Calico's pools that differ", []core.Node{node("a", calico)}, nil, []runtime.Object{pool("p", "10.1.0.0/16", "Never", "Never"), pool("q", "10.3.0.0/16", "Never", "Always")}, "", "Calico in 2 modes"},
		{"Calico with eBPF", []core.Node{node("a")}, nil, []runtime.Object{pool("p", "10.1.0.0/16", "Never", "Always"), felix("bpfEnabled")}, "", "calico-vxlan with eBPF"},

		{"Cilium", []core.Node{node("a")}, []runtime.Object{configMap("kube-system", "cilium-config", "tunnel-protocol", "geneve"), daemonSet("cilium")}, nil, "", "Cilium, tunnel geneve"},
		{"Cilium without a tunnel", []core.Node{node("a")}, []runtime.Object{configMap("kube-system", "cilium-config", "routing-mode", "native")}, nil, "", "Cilium, native routing"},
		{"Terway", []core.Node{node("a")}, []runtime.Object{configMap("kube-system", "eni-config", "10-terway.conf", `{"type":"terway","eniip_virtual_type":"IPVlan"}`), daemonSet("terway-eniip")}, nil, "terway-ipvlan", ""},
		{"Terway of a later form", []core.Node{node("a")}, []runtime.Object{configMap("kube-system", "eni-config", "10-terway.conf", `{"eniip_virtual_type":"datapathv2"}`)}, nil, "", "Terway with datapathv2"},
		{"Amazon's", []core.Node{node("a")}, []runtime.Object{daemonSet("aws-node"), daemonSet("kube-proxy")}, nil, "aws-vpc-cni", "DaemonSet kube-system/aws-node"},
		{"GKE's", []core.Node{node("a")}, []runtime.Object{daemonSet("anetd")}, nil, "", "GKE Dataplane V2"},
		{"Azure's", []core.Node{node("a")}, []runtime.Object{daemonSet("azure-cns")}, nil, "", "Azure CNI"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := withObjects(tt.nodes, tt.objects, tt.own).detected(t); got.Plugin != tt.plugin || !strings.Contains(got.Words, tt.words) {
				t.Errorf("detected %+v", got)
			}
		})
	}
}

// withObjects is a cluster that holds objects.
func withObjects(nodes []core.Node, objects, own []runtime.Object) *Cluster {
	for i := range nodes {
		objects = append(objects, &nodes[i])
	}
	kinds := map[schema.GroupVersionResource]string{calicoPools: "IPPoolList", calicoFelix: "FelixConfigurationList"}
	return &Cluster{client: fake.NewClientset(objects...), dynamic: dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds, own...)}
}

func (c *Cluster) detected(t *testing.T) Detected {
	t.Helper()
	got, err := c.Detect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// TestDetectWithoutPermission goes on with what may be seen, and says so.
func TestDetectWithoutPermission(t *testing.T) {
	c := withObjects([]core.Node{node("a", says(flannelBackend, "vxlan"))}, []runtime.Object{flannelConf(`{"Backend":{"Type":"vxlan"}}`)}, nil)
	deny := func(a kubetesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(a.GetResource().GroupResource(), "", nil)
	}
	c.client.(*fake.Clientset).PrependReactor("get", "configmaps", deny)
	c.client.(*fake.Clientset).PrependReactor("list", "daemonsets", deny)
	got := c.detected(t)
	if got.Plugin != "flannel-vxlan" || !strings.HasSuffix(got.Words, "(you may not read ConfigMaps, DaemonSets)") {
		t.Errorf("detected %+v", got)
	}
}
