// Package kubetest provides nodes and clients of in-memory clusters for tests.
package kubetest

import (
	"maps"

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
	return &kube.Client{API: set, Dynamic: Dynamic()}, set
}

// lists names the lists of kinds that are not those of Kubernetes.
var lists = map[schema.GroupVersionResource]string{
	{Group: "crd.projectcalico.org", Version: "v1", Resource: "ippools"}:             "IPPoolList",
	{Group: "crd.projectcalico.org", Version: "v1", Resource: "felixconfigurations"}: "FelixConfigurationList",
	{Group: "projectcalico.org", Version: "v3", Resource: "ippools"}:                 "IPPoolList",
	{Group: "projectcalico.org", Version: "v3", Resource: "felixconfigurations"}:     "FelixConfigurationList",
	{Group: "operator.tigera.io", Version: "v1", Resource: "installations"}:          "InstallationList",
}

// Unstructured returns a dynamic client of a cluster that holds objects as they were
// read, so that fields may be absent that the types of Kubernetes always have.
func Unstructured(objects ...runtime.Object) *dynamicfake.FakeDynamicClient {
	all := maps.Clone(lists)
	all[schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "daemonsets"}] = "DaemonSetList"
	all[schema.GroupVersionResource{Group: "networking.k8s.io", Version: "v1", Resource: "networkpolicies"}] = "NetworkPolicyList"
	return dynamicfake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), all, objects...)
}

// Dynamic returns a dynamic client of a cluster that holds objects.
func Dynamic(objects ...runtime.Object) *dynamicfake.FakeDynamicClient {
	return dynamicfake.NewSimpleDynamicClientWithCustomListKinds(scheme.Scheme, lists, objects...)
}

// Serve makes a cluster serve the resources used in plugins' manifests.
func Serve(set *fake.Clientset) {
	set.Resources = []*metav1.APIResourceList{
		{GroupVersion: "v1", APIResources: []metav1.APIResource{
			{Name: "serviceaccounts", Kind: "ServiceAccount", Namespaced: true}, {Name: "configmaps", Kind: "ConfigMap", Namespaced: true},
			{Name: "namespaces", Kind: "Namespace"}}},
		{GroupVersion: "apps/v1", APIResources: []metav1.APIResource{{Name: "daemonsets", Kind: "DaemonSet", Namespaced: true}}},
		{GroupVersion: "apiextensions.k8s.io/v1", APIResources: []metav1.APIResource{{Name: "customresourcedefinitions", Kind: "CustomResourceDefinition"}}},
		{GroupVersion: "rbac.authorization.k8s.io/v1", APIResources: []metav1.APIResource{
			{Name: "clusterroles", Kind: "ClusterRole"}, {Name: "clusterrolebindings", Kind: "ClusterRoleBinding"}}},
	}
}
