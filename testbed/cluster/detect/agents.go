package detect

import (
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
)

// family is a plugin, whatever its mode, as people call it.
type family string

const (
	flannel    family = "flannel"
	calico     family = "Calico"
	cilium     family = "Cilium"
	terway     family = "Terway"
	amazon     family = "Amazon's VPC CNI"
	azure      family = "Azure CNI"
	dataplane2 family = "GKE Dataplane V2"
	netd       family = "GKE's own routes (netd)"
	antrea     family = "Antrea"
	kubeRouter family = "kube-router"
	kubeOVN    family = "Kube-OVN"
	ovn        family = "OVN-Kubernetes"
	kilo       family = "Kilo"
)

// agent is a DaemonSet that runs a plugin on the nodes.
type agent struct {
	name      string // the whole name, which a suffix in suffixes may follow
	namespace string // "" for any
	// image is the end of the repository of its container's image, with - for /.
	image  string
	family family
	// plugin is the name in a run of a plugin without modes; the others are read by
	// a function in readers.
	plugin string
	config string // a ConfigMap beside it
}

// agents lists the DaemonSets of plugins. Those of programs that only add to a
// plugin (typha, envoy, multus, ...) are not in it.
var agents = []agent{
	// Documentation/kube-flannel.yml of flannel v0.28.10; Talos and others name it kube-flannel
	{name: "kube-flannel", image: "flannel", family: flannel, config: "kube-flannel-cfg"},
	{name: "flannel", family: flannel, config: "kube-flannel-cfg"},
	{name: "canal", family: flannel, config: "canal-config"},           // manifests/canal.yaml of Calico v3.28.5
	{name: "canal-node", family: flannel, config: "canal-config"},      // roles/network_plugin/canal of Kubespray v2.20
	{name: "rke2-canal", family: flannel, config: "rke2-canal-config"}, // charts/rke2-canal of rancher/rke2-charts
	{name: "calico-node", image: "calico-node", family: calico},        // manifests/calico.yaml of Calico v3.28.5
	{name: "calico-vpp-node", family: "Calico with VPP", plugin: "calico-vpp"},
	// install/kubernetes/cilium/templates/cilium-agent/daemonset.yaml of Cilium v1.16
	{name: "cilium", image: "cilium", family: cilium, config: "cilium-config"},
	{name: "terway", family: terway, config: "eni-config"}, // Alibaba Cloud documentation, "Terway", 2026-03
	{name: "terway-eniip", family: terway, config: "eni-config"},
	{name: "terway-eni", family: terway, config: "eni-config"},
	{name: "aws-node", image: "amazon-k8s-cni", family: amazon},                                       // config/master/aws-k8s-cni.yaml of amazon-vpc-cni-k8s v1.23.2
	{name: "azure-cns", image: "containernetworking-azure-cns", family: azure},                        // azure-container-networking/cns
	{name: "azure-cni", family: azure},                                                                // azure-container-networking/cni
	{name: "anetd", family: dataplane2, plugin: "gke-dataplane-v2"},                                   // GKE documentation, "Dataplane V2"
	{name: "netd", family: netd, plugin: "gke-routes"},                                                // GoogleCloudPlatform/netd
	{name: "tke-bridge-agent", family: "Tencent TKE GlobalRouter (VPC routes)", plugin: "tke-routes"}, // Tencent Cloud documentation 457/38365
	{name: "tke-eni-agent", family: "Tencent TKE VPC-CNI (ENIs)", plugin: "tke-vpc-cni"},              // Tencent Cloud documentation 457/43557
	{name: "vcn-native-ip-cni", family: "OCI VCN-native (OKE)", plugin: "oci-vcn-native"},             // OKE documentation [2]
	{name: "yangtse", family: "Huawei's Yangtse (CCE)", plugin: "cce-yangtse"},                        // the CNI of Huawei's CCE
	{name: "cello", image: "cello", family: "Volcengine's Cello (VKE)", plugin: "vke-cello"},          // VKE documentation, "VPC-CNI" [2]
	{name: "kilo", image: "kilo", family: kilo},                                                       // manifests/kilo-*.yaml of squat/kilo
	{name: "antrea-agent", image: "antrea-agent-ubuntu", family: antrea, config: "antrea-config"},     // build/yamls/antrea.yml
	{name: "kube-router", image: "kube-router", family: kubeRouter},                                   // daemonset/kubeadm-kuberouter.yaml
	{name: "kube-ovn-cni", family: kubeOVN, plugin: "kube-ovn"},                                       // dist/images/install.sh
	{name: "ovnkube-node", family: ovn, plugin: "ovn-kubernetes"},                                     // dist/templates of ovn-org/ovn-kubernetes
	{name: "sdn", namespace: "openshift-sdn", family: "OpenShift SDN", plugin: "openshift-sdn"},       // openshift/sdn [2]
	{name: "kindnet", image: "kindnetd", family: "kindnet", plugin: "kindnet"},                        // of kind
	{name: "weave-net", image: "weave-kube", family: "Weave Net", plugin: "weave-net"},                // prog/weave-kube
	{name: "nsx-node-agent", family: "NSX", plugin: "nsx"},                                            // vmware/nsx-container-plugin-operator
}

// suffixes are what manifests append to an agent's name: ds, and architectures of
// the time before images held several.
var suffixes = []string{"ds", "ds-amd64", "ds-arm64", "ds-arm", "ds-ppc64le", "ds-s390x", "amd64", "arm64", "arm", "ppc64le", "s390x", "linux"}

// notAgents are DaemonSets that run an agent's image for something else.
var notAgents = []string{"cilium-pre-flight-check", "cilium-node-init", "calico-node-windows"}

// agentOf returns the agent that a DaemonSet runs, by its name or else by its
// containers' images.
func agentOf(d daemonSet) (agent, bool) {
	if slices.Contains(notAgents, d.Metadata.Name) || d.Spec.Template.Spec.NodeSelector[core.LabelOSStable] == "windows" {
		return agent{}, false
	}
	for _, a := range agents {
		rest, found := strings.CutPrefix(d.Metadata.Name, a.name)
		suffix, dashed := strings.CutPrefix(rest, "-")
		if found && (rest == "" || dashed && slices.Contains(suffixes, suffix)) && (a.namespace == "" || a.namespace == d.Metadata.Namespace) {
			return a, true
		}
	}
	for _, c := range d.Spec.Template.Spec.Containers {
		for _, a := range agents {
			if at := repository(c.Image); a.image != "" && (at == a.image || strings.HasSuffix(at, "-"+a.image)) {
				return a, true
			}
		}
	}
	return agent{}, false
}

// repository returns the repository of an image, without registry's port, tag and
// digest, with - for /.
func repository(image string) string {
	image, _, _ = strings.Cut(image, "@")
	if i := strings.LastIndexByte(image, ':'); i > strings.LastIndexByte(image, '/') {
		image = image[:i]
	}
	return strings.ReplaceAll(image, "/", "-")
}

// isCanal reports whether a DaemonSet runs flannel for the data path and Calico for
// policies in the same pods.
func isCanal(d daemonSet) bool {
	name, images := d.Metadata.Name, [2]bool{}
	for _, c := range d.Spec.Template.Spec.Containers {
		at := repository(c.Image)
		images[0] = images[0] || strings.HasSuffix(at, "flannel")
		images[1] = images[1] || strings.HasSuffix(at, "calico-node")
	}
	return name == "canal" || name == "canal-node" || name == "rke2-canal" || images == [2]bool{true, true}
}
