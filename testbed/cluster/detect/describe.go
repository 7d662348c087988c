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

// Cluster identifies the cluster of a context in the kubeconfig. It leaves out what
// the user may not read, and lists no nodes.
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

// Host describes the machines that nodes run on, as far as the API does. CPUs and
// memory are those of the first node.
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

// distinct joins the distinct non-empty words. It returns "unknown" if there are
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

// caHash returns the SHA-256 of the certificates by which the API server is
// trusted, or "" if the credentials name none.
func caHash(c *rest.Config) string {
	if c == nil {
		return ""
	}
	text := c.CAData
	if len(text) == 0 && c.CAFile != "" {
		text, _ = os.ReadFile(c.CAFile) // it was readable when connecting
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

// proxyConfigs lists the ConfigMaps that hold kube-proxy's configuration: that of
// kubeadm and that of Amazon EKS.
var proxyConfigs = []struct{ name, key string }{{"kube-proxy", "config.conf"}, {"kube-proxy-config", "config"}}

// proxyMode returns how kube-proxy implements Services, or "" if that is unknown or
// the user may not read it. An empty mode means iptables on Linux (Kubernetes
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

// ErrUnidentified says that two descriptions have nothing in common that identifies
// a cluster.
var ErrUnidentified = errors.New("you may not read the namespace kube-system, and the credentials name no certificate authority")

// Same reports whether two descriptions are of the same cluster. It compares the
// UID of kube-system or, if that is unknown, the certificate authority. The error
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
