// Package kubetest provides nodes and clients of in-memory clusters for tests.
package kubetest

import (
	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	dynamicfake "k8s.io/client-go/dynamic/fake"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/cnibench/cnibench/testbed/cluster/kube"
)

// Node returns a ready node with changes.
func Node(name string, change ...func(*core.Node)) core.Node {
	n := core.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{}, Annotations: map[string]string{}}}
	n.Status.Conditions = []core.NodeCondition{{Type: core.NodeReady, Status: core.ConditionTrue}}
	for _, c := range change {
		c(&n)
	}
	return n
}

// Zone puts a node in a zone.
func Zone(z string) func(*core.Node) {
	return func(n *core.Node) { n.Labels[core.LabelTopologyZone] = z }
}

// Arch sets the architecture of a node.
func Arch(a string) func(*core.Node) {
	return func(n *core.Node) { n.Status.NodeInfo.Architecture = a }
}

// Waiting makes a node wait for its network plugin, as its kubelet reports it.
func Waiting(n *core.Node) {
	n.Status.Conditions = []core.NodeCondition{{Type: core.NodeReady, Status: core.ConditionFalse, Reason: "KubeletNotReady",
		Message: "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized"}}
	n.Spec.Taints = []core.Taint{{Key: core.TaintNodeNotReady, Effect: core.TaintEffectNoSchedule}}
}

// Client returns a client of a cluster that holds objects. The dynamic client sees
// only objects that were created with it.
func Client(objects ...runtime.Object) (*kube.Client, *fake.Clientset) {
	set := fake.NewClientset(objects...)
	return &kube.Client{API: set, Dynamic: Dynamic(nil)}, set
}

// Dynamic returns a dynamic client of a cluster that holds objects. The lists name
// the kinds that are not those of Kubernetes.
func Dynamic(lists map[schema.GroupVersionResource]string, objects ...runtime.Object) *dynamicfake.FakeDynamicClient {
	if lists == nil {
		return dynamicfake.NewSimpleDynamicClient(scheme.Scheme, objects...)
	}
	return dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), lists, objects...)
}

// Serve makes a cluster serve the resources used in flannel's manifests.
func Serve(set *fake.Clientset) {
	set.Resources = []*metav1.APIResourceList{
		{GroupVersion: "v1", APIResources: []metav1.APIResource{
			{Name: "serviceaccounts", Kind: "ServiceAccount", Namespaced: true}, {Name: "configmaps", Kind: "ConfigMap", Namespaced: true}}},
		{GroupVersion: "apps/v1", APIResources: []metav1.APIResource{{Name: "daemonsets", Kind: "DaemonSet", Namespaced: true}}},
		{GroupVersion: "rbac.authorization.k8s.io/v1", APIResources: []metav1.APIResource{
			{Name: "clusterroles", Kind: "ClusterRole"}, {Name: "clusterrolebindings", Kind: "ClusterRoleBinding"}}},
	}
}
