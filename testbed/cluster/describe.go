package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"github.com/cnibench/cnibench/results"
)

// Description is what a cluster's API says of it before anything is made.
type Description struct {
	// Cluster names the nodes that are measured, the client's first; none if no
	// two can be, which Up then says of each network.
	Cluster results.Cluster
	// Seen are the nodes that a reader should know of: those that are measured,
	// or else all.
	Seen []results.ClusterNode
}

// Describe identifies the cluster and chooses the nodes that are measured, which
// stay chosen. What the person may not read is left out. An error says that the
// nodes cannot be listed, or that those which Config.Nodes names cannot be
// measured; the cluster is identified all the same.
func (c *Cluster) Describe(ctx context.Context) (Description, error) {
	of := results.Cluster{Context: c.config.Context, CA: caHash(c.rest), KubeProxy: c.proxyMode(ctx), Nodes: []results.ClusterNode{}}
	if system, err := c.client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{}); err == nil {
		of.UID = string(system.UID)
	}
	if v, err := c.client.Discovery().ServerVersion(); err == nil {
		of.Kubernetes = v.GitVersion
	}
	all, err := c.chooseNodes(ctx)
	switch {
	case err != nil && (len(all) == 0 || len(c.config.Nodes) > 0):
		return Description{Cluster: of}, err
	case err != nil: // the networks say so
		return Description{of, described(all...)}, nil
	}
	of.Nodes = described(c.chosen.client, c.chosen.server)
	return Description{of, of.Nodes}, nil
}

// chooseNodes chooses the nodes that are measured, once for the whole run: the
// record names them before anything is made on them. It returns all nodes of the
// cluster the first time.
func (c *Cluster) chooseNodes(ctx context.Context) ([]core.Node, error) {
	if c.chosen != nil || c.noNodes != nil {
		return nil, c.noNodes
	}
	list, err := c.client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("listing the cluster's nodes: %w", err)
	}
	fit, others := c.fitOf(list.Items)
	if len(c.config.Nodes) > 0 {
		c.chosen, c.noNodes = chooseNamed(c.config.Nodes, fit, others)
	} else {
		c.chosen, c.noNodes = choose(fit, others)
	}
	return list.Items, c.noNodes
}

// chooseNamed picks the two nodes that have names.
func chooseNamed(names []string, fit []core.Node, others []string) (*chosen, error) {
	if len(names) != 2 {
		return nil, fmt.Errorf("two nodes are measured, not %d", len(names))
	}
	var two [2]core.Node
	for i, name := range names {
		at := slices.IndexFunc(fit, func(n core.Node) bool { return n.Name == name })
		if at < 0 {
			why := "the cluster has it no more"
			if j := slices.IndexFunc(others, func(o string) bool { return strings.HasPrefix(o, name+": ") }); j >= 0 {
				why = strings.TrimPrefix(others[j], name+": ")
			}
			return nil, fmt.Errorf("the node %s cannot be measured: %s", name, why)
		}
		two[i] = fit[at]
	}
	return &chosen{two[0], two[1]}, nil
}

func described(nodes ...core.Node) []results.ClusterNode {
	var all []results.ClusterNode
	for _, n := range nodes {
		info := n.Status.NodeInfo
		all = append(all, results.ClusterNode{Name: n.Name, Zone: n.Labels[core.LabelTopologyZone], InstanceType: n.Labels[core.LabelInstanceTypeStable],
			Arch: info.Architecture, CPUs: int(n.Status.Capacity.Cpu().Value()), MemoryBytes: uint64(n.Status.Capacity.Memory().Value()),
			Kernel: info.KernelVersion, OS: info.OSImage, Runtime: info.ContainerRuntimeVersion, Kubelet: info.KubeletVersion})
	}
	return all
}

// HostOf describes the machines that nodes are, as far as the API tells: CPUs and
// memory are those of the first one.
func HostOf(nodes []results.ClusterNode) results.Host {
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

// distinct names each of some words once, "unknown" if there are none.
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

// caHash is the SHA-256 of the certificates that the API server's is trusted by,
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

// proxyConfigs are where kube-proxy's configuration is kept: by kubeadm, and by
// Amazon EKS.
var proxyConfigs = []struct{ name, key string }{{"kube-proxy", "config.conf"}, {"kube-proxy-config", "config"}}

// proxyMode is how kube-proxy carries Services, "" if the person may not read it
// or it cannot be told. An empty mode is iptables on Linux (Kubernetes
// documentation, KubeProxyConfiguration v1alpha1).
func (c *Cluster) proxyMode(ctx context.Context) string {
	for _, at := range proxyConfigs {
		m, err := c.client.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, at.name, metav1.GetOptions{})
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

// ErrUnidentified says that two descriptions hold nothing in common by which
// clusters are told apart.
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
