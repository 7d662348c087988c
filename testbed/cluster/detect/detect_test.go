package detect

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
	kubetesting "k8s.io/client-go/testing"

	"github.com/cnibench/cnibench/testbed/cluster/kube/kubetest"
)

func says(key, value string) func(*core.Node) {
	return func(n *core.Node) { n.Annotations[key] = value }
}

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
		{"flannel's annotation", []core.Node{kubetest.Node("a", says(flannelBackend, "host-gw")), kubetest.Node("b", says(flannelBackend, "host-gw"))}, nil, nil, "flannel-host-gw", "say flannel-host-gw"},
		{"Calico by BGP", []core.Node{kubetest.Node("a", calico), kubetest.Node("b", calico)}, nil, nil, "calico-bgp", "say calico-bgp"},
		{"Calico with IP in IP", []core.Node{kubetest.Node("a", calico, says(calicoIPIP, "10.1.0.1"))}, nil, nil, "calico-ipip", "calico-ipip"},
		{"Calico with VXLAN", []core.Node{kubetest.Node("a", calico, says(calicoVXLAN, "10.1.0.1"))}, nil, nil, "calico-vxlan", "calico-vxlan"},
		{"nothing known", []core.Node{kubetest.Node("a"), kubetest.Node("b")}, nil, nil, "", "nothing of a known plugin"},
		{"nodes that disagree", []core.Node{kubetest.Node("a", flannel), kubetest.Node("b", says(flannelBackend, "udp")), kubetest.Node("c")}, nil, nil, "", "different things: flannel-udp, flannel-vxlan, nothing"},

		{"flannel's configuration", []core.Node{kubetest.Node("a", flannel)}, []runtime.Object{flannelConf(`{"Backend":{"Type":"vxlan"}}`)}, nil, "flannel-vxlan", "kube-flannel-cfg say flannel-vxlan"},
		{"flannel with direct routing", []core.Node{kubetest.Node("a", flannel)}, []runtime.Object{flannelConf(`{"Backend":{"Type":"vxlan","DirectRouting":true}}`)}, nil, "flannel-vxlan-directrouting", ""},
		{"flannel reconfigured, not restarted", []core.Node{kubetest.Node("a", flannel)}, []runtime.Object{flannelConf(`{"Backend":{"Type":"host-gw"}}`)}, nil, "", "say flannel-host-gw; annotations of the nodes say flannel-vxlan, which does not fit together"},
		{"flannel's configuration, damaged", []core.Node{kubetest.Node("a")}, []runtime.Object{flannelConf(`{`)}, nil, "", "nothing that can be read"},

		{"Calico's pool", []core.Node{kubetest.Node("a", calico, says(calicoIPIP, "10.1.0.1"))}, nil, []runtime.Object{pool("p", "10.1.0.0/16", "CrossSubnet", "Never"), pool("six", "fd00::/64", "Never", "Never")}, "calico-ipip-crosssubnet", "IPPools of Calico say"},
		{"Calico's pools, one off", []core.Node{kubetest.Node("a", calico)}, nil, []runtime.Object{pool("p", "10.1.0.0/16", "Never", "Never"), disabled}, "calico-bgp", ""},
		{"Calico's pools that differ", []core.Node{kubetest.Node("a", calico)}, nil, []runtime.Object{pool("p", "10.1.0.0/16", "Never", "Never"), pool("q", "10.3.0.0/16", "Never", "Always")}, "", "Calico in 2 modes"},
		{"Calico with eBPF", []core.Node{kubetest.Node("a")}, nil, []runtime.Object{pool("p", "10.1.0.0/16", "Never", "Always"), felix("bpfEnabled")}, "", "calico-vxlan with eBPF"},

		{"Cilium", []core.Node{kubetest.Node("a")}, []runtime.Object{configMap("kube-system", "cilium-config", "tunnel-protocol", "geneve"), daemonSet("cilium")}, nil, "", "Cilium, tunnel geneve"},
		{"Cilium without a tunnel", []core.Node{kubetest.Node("a")}, []runtime.Object{configMap("kube-system", "cilium-config", "routing-mode", "native")}, nil, "", "Cilium, native routing"},
		{"Terway", []core.Node{kubetest.Node("a")}, []runtime.Object{configMap("kube-system", "eni-config", "10-terway.conf", `{"type":"terway","eniip_virtual_type":"IPVlan"}`), daemonSet("terway-eniip")}, nil, "terway-ipvlan", ""},
		{"Terway of a later form", []core.Node{kubetest.Node("a")}, []runtime.Object{configMap("kube-system", "eni-config", "10-terway.conf", `{"eniip_virtual_type":"datapathv2"}`)}, nil, "", "Terway with datapathv2"},
		{"Amazon's", []core.Node{kubetest.Node("a")}, []runtime.Object{daemonSet("aws-node"), daemonSet("kube-proxy")}, nil, "aws-vpc-cni", "DaemonSet kube-system/aws-node"},
		{"GKE's", []core.Node{kubetest.Node("a")}, []runtime.Object{daemonSet("anetd")}, nil, "", "GKE Dataplane V2"},
		{"Azure's", []core.Node{kubetest.Node("a")}, []runtime.Object{daemonSet("azure-cns")}, nil, "", "Azure CNI"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := detected(t, tt.nodes, tt.objects, tt.own); got.Plugin != tt.plugin || !strings.Contains(got.Words.String(), tt.words) {
				t.Errorf("detected %+v", got)
			}
		})
	}
}

// detected returns what a cluster that holds objects says about its plugin.
func detected(t *testing.T, nodes []core.Node, objects, own []runtime.Object, forbid ...string) Found {
	t.Helper()
	client, set := kubetest.Client(objects...)
	client.Dynamic = kubetest.Dynamic(map[schema.GroupVersionResource]string{calicoPools: "IPPoolList", calicoFelix: "FelixConfigurationList"}, own...)
	for _, resource := range forbid {
		set.PrependReactor("*", resource, func(a kubetesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(a.GetResource().GroupResource(), "", nil)
		})
	}
	return Plugin(t.Context(), client, nodes)
}

// TestDetectWithoutPermission detects a plugin from what may be read, and expects a
// note about the rest.
func TestDetectWithoutPermission(t *testing.T) {
	got := detected(t, []core.Node{kubetest.Node("a", says(flannelBackend, "vxlan"))}, []runtime.Object{flannelConf(`{"Backend":{"Type":"vxlan"}}`)}, nil, "configmaps", "daemonsets")
	if got.Plugin != "flannel-vxlan" || !strings.HasSuffix(got.Words.String(), "(you may not read ConfigMaps, DaemonSets)") {
		t.Errorf("detected %+v", got)
	}
}
