package detect

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
)

// Cluster identifies the cluster that a context of the kubeconfig leads to. What
// the user may not read is left out, and no nodes are named.
func Cluster(ctx context.Context, c *kube.Client, kubeContext string) results.Cluster {
	of := results.Cluster{Context: kubeContext, CA: caHash(c.Config), KubeProxy: proxyMode(ctx, c), Nodes: []results.ClusterNode{}}
	if system, err := c.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{}); err == nil {
		of.UID = string(system.UID)
	}
	if v, err := c.Discovery().ServerVersion(); err == nil {
		of.Kubernetes = v.GitVersion
	}
	return of
}

// Nodes describes nodes for the record.
func Nodes(nodes ...core.Node) []results.ClusterNode {
	var all []results.ClusterNode
	for _, n := range nodes {
		info := n.Status.NodeInfo
		all = append(all, results.ClusterNode{Name: n.Name, Zone: n.Labels[core.LabelTopologyZone], InstanceType: n.Labels[core.LabelInstanceTypeStable],
			Arch: info.Architecture, CPUs: int(n.Status.Capacity.Cpu().Value()), MemoryBytes: uint64(n.Status.Capacity.Memory().Value()),
			Kernel: info.KernelVersion, OS: info.OSImage, Runtime: info.ContainerRuntimeVersion, Kubelet: info.KubeletVersion})
	}
	return all
}

// Host describes the machines that nodes run on, as far as the API tells: CPUs
// and memory are those of the first one.
func Host(nodes []results.ClusterNode) results.Host {
	var kernels, cpus []string
	for _, n := range nodes {
		kernels = append(kernels, n.Kernel)
		if n.InstanceType != "" {
			cpus = append(cpus, n.InstanceType)
		} else {
			cpus = append(cpus, n.Arch)
		}
	}
	h := results.Host{Kernel: distinct(kernels), CPU: distinct(cpus), CPUs: 1, CongestionControl: "unknown", Virtualization: "unknown", Privilege: "cluster"}
	if len(nodes) > 0 {
		h.CPUs, h.MemoryBytes = max(nodes[0].CPUs, 1), nodes[0].MemoryBytes
	}
	return h
}

// distinct joins the different ones of some words; it is "unknown" if there are
// none.
func distinct(words []string) string {
	var all []string
	for _, w := range words {
		if w != "" && !slices.Contains(all, w) {
			all = append(all, w)
		}
	}
	if len(all) == 0 {
		return "unknown"
	}
	return strings.Join(all, ", ")
}

// caHash is the SHA-256 of the certificates by which the API server is trusted,
// "" if the credentials name none.
func caHash(c *rest.Config) string {
	if c == nil {
		return ""
	}
	text := c.CAData
	if len(text) == 0 && c.CAFile != "" {
		text, _ = os.ReadFile(c.CAFile) // the connection has read it
	}
	h, found := sha256.New(), false
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		h.Write(block.Bytes)
		found = true
	}
	if !found {
		return ""
	}
	return hex.EncodeToString(h.Sum(nil))
}

// proxyConfigs are the ConfigMaps that hold kube-proxy's configuration: kubeadm's
// and Amazon EKS's.
var proxyConfigs = []struct{ name, key string }{{"kube-proxy", "config.conf"}, {"kube-proxy-config", "config"}}

// proxyMode is how kube-proxy implements Services, "" if that is unknown or the
// user may not read it. An empty mode is iptables on Linux (Kubernetes
// documentation, KubeProxyConfiguration v1alpha1).
func proxyMode(ctx context.Context, c *kube.Client) string {
	for _, at := range proxyConfigs {
		m, err := c.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, at.name, metav1.GetOptions{})
		if err != nil || m.Data[at.key] == "" {
			continue
		}
		var config struct {
			Kind string `json:"kind"`
			Mode string `json:"mode"`
		}
		if err := yaml.Unmarshal([]byte(m.Data[at.key]), &config); err != nil || config.Kind != "KubeProxyConfiguration" {
			continue
		}
		if config.Mode == "" {
			return "iptables"
		}
		return config.Mode
	}
	return ""
}

// ErrUnidentified says that two descriptions share nothing that identifies a
// cluster.
var ErrUnidentified = errors.New("neither the namespace kube-system may be read nor do the credentials name a certificate authority")

// Same reports whether two descriptions are of one cluster: by the UID of
// kube-system, or where that is not known by the certificate authority. The error
// is [ErrUnidentified].
func Same(a, b results.Cluster) (bool, error) {
	switch {
	case a.UID != "" && b.UID != "":
		return a.UID == b.UID, nil
	case a.CA != "" && b.CA != "":
		return a.CA == b.CA, nil
	}
	return false, ErrUnidentified
}
