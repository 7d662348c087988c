package detect

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// Objects in which plugins keep their configuration.
var (
	// Documentation/kube-flannel.yml of flannel v0.28.10; before release 0.19 the
	// ConfigMap was in kube-system.
	flannelMaps = [][2]string{{"kube-flannel", "kube-flannel-cfg"}, {"kube-system", "kube-flannel-cfg"}}
	// install/kubernetes/cilium/templates/cilium-configmap.yaml of Cilium v1.16
	ciliumMap = [2]string{"kube-system", "cilium-config"}
	// Alibaba Cloud documentation, "Customize Terway configuration parameters", 2026-03
	terwayMap = [2]string{"kube-system", "eni-config"}
	// crd.projectcalico.org of Calico v3.28.5, manifests/calico.yaml
	calicoPools = schema.GroupVersionResource{Group: "crd.projectcalico.org", Version: "v1", Resource: "ippools"}
	calicoFelix = schema.GroupVersionResource{Group: "crd.projectcalico.org", Version: "v1", Resource: "felixconfigurations"}
)

// agents lists DaemonSets, by the prefix of their name, that reveal a plugin whose
// configuration is not read here. The plugin is "" if it is not in the catalogue.
var agents = []struct{ name, plugin, words string }{
	{"aws-node", "aws-vpc-cni", ""},            // config/master/aws-k8s-cni.yaml of amazon-vpc-cni-k8s v1.23.2
	{"azure-cns", "", "Azure CNI"},             // Azure documentation, "Azure CNI Powered by Cilium", and azure-container-networking/cns
	{"azure-cni", "", "Azure CNI"},             // azure-container-networking/cni
	{"anetd", "", "GKE Dataplane V2"},          // GKE documentation, "Dataplane V2"
	{"netd", "", "GKE's own routes (netd)"},    // GoogleCloudPlatform/netd
	{"yangtse", "", "Huawei's Yangtse"},        // the CNI of Huawei's CCE
	{"kindnet", "", "kindnet"},                 // of kind
	{"antrea-agent", "", "Antrea"},             // build/yamls/antrea.yml
	{"kube-router", "", "kube-router"},         // daemonset/kubeadm-kuberouter.yaml
	{"kube-ovn-cni", "", "Kube-OVN"},           // dist/images/install.sh
	{"weave-net", "", "Weave Net"},             // prog/weave-kube
	{"ovnkube-node", "", "OVN-Kubernetes"},     // dist/templates
	{"terway-eni", "", ""}, {"terway", "", ""}, // terwayMode reads the mode
	{"kube-flannel", "", ""}, {"calico-node", "", ""}, // so do flannelMode and calicoMode
	{"cilium", "", ""},
}

// configured reads the plugins' own configuration. unread names what the user may
// not read. Objects that do not exist are no evidence.
func configured(ctx context.Context, c *kube.Client) (all []evidence, unread []string) {
	for _, read := range []struct {
		what string
		from func(context.Context, *kube.Client) ([]evidence, error)
	}{
		{"ConfigMaps", configMaps},
		{"IPPools of Calico", calico},
		{"DaemonSets", daemonSets},
	} {
		found, err := read.from(ctx, c)
		all = append(all, found...)
		if apierrors.IsForbidden(err) {
			unread = append(unread, read.what)
		}
	}
	return all, unread
}

// configMaps reads the ConfigMaps of flannel, Cilium and Terway.
func configMaps(ctx context.Context, c *kube.Client) (all []evidence, denied error) {
	for _, at := range append(slices.Clone(flannelMaps), ciliumMap, terwayMap) {
		m, err := c.CoreV1().ConfigMaps(at[0]).Get(ctx, at[1], metav1.GetOptions{})
		if apierrors.IsForbidden(err) {
			denied = err
		}
		if err != nil {
			continue
		}
		e := evidence{where: words.Quote("ConfigMap " + at[0] + "/" + at[1])}
		var says string
		switch at {
		case ciliumMap:
			says = ciliumMode(m.Data)
		case terwayMap:
			e.plugin, says = terwayMode(m.Data)
		default:
			e.plugin, says = flannelMode(m.Data["net-conf.json"])
		}
		e.says = words.Quote(says)
		all = append(all, e)
	}
	return all, denied
}

// flannelMode reads flannel's net-conf.json (Documentation/configuration.md).
func flannelMode(text string) (plugin, words string) {
	var conf struct {
		Backend struct {
			Type          string
			DirectRouting bool
		}
	}
	if err := json.Unmarshal([]byte(text), &conf); err != nil || conf.Backend.Type == "" {
		return "", "nothing that can be read"
	}
	plugin = "flannel-" + conf.Backend.Type
	if conf.Backend.DirectRouting {
		plugin += "-directrouting"
	}
	return plugin, ""
}

// ciliumMode reads Cilium's options: routing-mode and tunnel-protocol since v1.14,
// tunnel before.
func ciliumMode(data map[string]string) string {
	switch {
	case data["routing-mode"] == "native" || data["tunnel"] == "disabled":
		return "Cilium, native routing"
	case data["tunnel-protocol"] != "":
		return "Cilium, tunnel " + data["tunnel-protocol"]
	case data["tunnel"] != "":
		return "Cilium, tunnel " + data["tunnel"]
	}
	return "Cilium, tunnel vxlan" // its default
}

// terwayMode reads how Terway connects pods.
func terwayMode(data map[string]string) (plugin, words string) {
	var conf struct {
		Type    string `json:"type"`
		Virtual string `json:"eniip_virtual_type"`
	}
	if err := json.Unmarshal([]byte(data["10-terway.conf"]), &conf); err != nil {
		return "", "Terway in a form that cannot be read"
	}
	switch strings.ToLower(conf.Virtual) {
	case "ipvlan":
		return "terway-ipvlan", ""
	case "veth", "":
		return "terway-eniip", ""
	}
	return "", "Terway with " + conf.Virtual
}

// calico reads the pools from which pods get their addresses, and Felix's
// configuration for features that no mode in the catalogue has.
func calico(ctx context.Context, c *kube.Client) ([]evidence, error) {
	pools, err := c.Dynamic.Resource(calicoPools).List(ctx, metav1.ListOptions{})
	if err != nil || len(pools.Items) == 0 {
		return nil, err
	}
	e := evidence{where: words.Quote("IPPools of Calico")}
	modes := map[string]bool{}
	for _, p := range pools.Items {
		if disabled, _, _ := unstructured.NestedBool(p.Object, "spec", "disabled"); !disabled && !strings.Contains(field(p, "cidr"), ":") {
			e.plugin = calicoMode(field(p, "ipipMode"), field(p, "vxlanMode"))
			modes[e.plugin] = true
		}
	}
	says := ""
	if len(modes) != 1 {
		e.plugin, says = "", fmt.Sprintf("Calico in %d modes", len(modes))
	}
	felix, err := c.Dynamic.Resource(calicoFelix).Get(ctx, "default", metav1.GetOptions{})
	if err == nil {
		for _, f := range [][2]string{{"bpfEnabled", "eBPF"}, {"wireguardEnabled", "WireGuard"}} {
			if on, _, _ := unstructured.NestedBool(felix.Object, "spec", f[0]); on {
				says = strings.TrimSpace(e.plugin + " with " + f[1] + " " + says)
				e.plugin = ""
			}
		}
	}
	if apierrors.IsNotFound(err) {
		err = nil
	}
	e.says = words.Quote(says)
	return []evidence{e}, err
}

// field returns a string in an object's spec.
func field(o unstructured.Unstructured, name string) string {
	s, _, _ := unstructured.NestedString(o.Object, "spec", name)
	return s
}

// calicoMode returns the catalogue's name for a pool's mode.
func calicoMode(ipip, vxlan string) string {
	suffix := map[string]string{"Always": "", "CrossSubnet": "-crosssubnet"}
	if s, on := suffix[vxlan]; on {
		return "calico-vxlan" + s
	}
	if s, on := suffix[ipip]; on {
		return "calico-ipip" + s
	}
	return "calico-bgp"
}

// daemonSets looks for agents of plugins whose configuration is not read.
func daemonSets(ctx context.Context, c *kube.Client) ([]evidence, error) {
	list, err := c.AppsV1().DaemonSets("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	var all []evidence
	for _, d := range list.Items {
		for _, a := range agents {
			if strings.HasPrefix(d.Name, a.name) {
				if a.plugin != "" || a.words != "" {
					all = append(all, evidence{words.Quote("DaemonSet " + d.Namespace + "/" + d.Name), a.plugin, words.Quote(a.words)})
				}
				break
			}
		}
	}
	return all, nil
}
