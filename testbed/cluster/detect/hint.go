package detect

import (
	"net/netip"
	"strings"

	core "k8s.io/api/core/v1"

	"github.com/cnibench/cnibench/words"
)

// clouds lists the marks by which managed services and clouds are recognised: keys of
// node labels, which may end in /, and the beginning of provider IDs. The first that
// fits counts. The sources are the vendors' documentation of node labels, and
// the providerID of each cloud-provider repository.
var clouds = []struct{ name, label, provider string }{
	{"Amazon EKS", "eks.amazonaws.com/", ""},
	{"GKE (Google)", "cloud.google.com/gke-nodepool", ""},
	{"AKS (Azure)", "kubernetes.azure.com/", ""},
	{"ACK (Alibaba Cloud)", "alibabacloud.com/nodepool-id", ""},
	{"CCE (Huawei Cloud)", "cce.cloud.com/", ""},
	{"CCE (Huawei Cloud)", "os.modify.cce.io/", ""},
	{"TKE (Tencent Cloud)", "node.tke.cloud.tencent.com/", ""},
	{"VKE (Volcengine)", "machine.cluster.vke.volcengine.com/", ""},
	{"OKE (Oracle Cloud)", "oke.oraclecloud.com/", "ocid1."},
	{"AWS", "", "aws://"},
	{"Google Cloud", "", "gce://"},
	{"Azure", "", "azure://"},
	{"Tencent Cloud", "", "qcloud://"},
}

// cloudOf names the cloud or managed service of the nodes, or returns "".
func cloudOf(nodes []core.Node) string {
	for _, c := range clouds {
		for _, n := range nodes {
			if c.provider != "" && strings.HasPrefix(n.Spec.ProviderID, c.provider) {
				return c.name
			}
			for key := range n.Labels {
				if c.label != "" && (key == c.label || strings.HasSuffix(c.label, "/") && strings.HasPrefix(key, c.label)) {
					return c.name
				}
			}
		}
	}
	return ""
}

// overIPv6 says how many bytes the headers take if the outer one is IPv6, as it is
// between nodes that have no other addresses. It is empty if it is IPv4, or if there
// is no tunnel.
func overIPv6(settings *Settings, nodes []core.Node) words.Text {
	if settings == nil || settings.Overhead == 0 || len(nodes) == 0 {
		return words.Text{}
	}
	six := internalAddrs(nodes[0], true)
	if len(six) == 0 || len(internalAddrs(nodes[0], false)) > 0 {
		return words.Text{}
	}
	pod := netip.Addr{}
	if of, err := netip.ParsePrefix(nodes[0].Spec.PodCIDR); err == nil {
		pod = of.Addr()
	}
	on := settings.Configured(pod, six[0])
	if on.OverheadBytes == settings.Overhead {
		return words.Text{}
	}
	return words.OuterIPv6Bytes.With(on.OverheadBytes)
}
