package scenarios

import (
	"fmt"
	"net/netip"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
)

// Bounds of what a cluster can need.
const (
	maxClusterNodes = 5000 // Kubernetes documentation, setup/best-practices/cluster-large
	maxPodsPerNode  = 1000 // far above what a kubelet allows (110 by default)
	maxLimit        = 100000
)

// KeyError is an error in one key of a spec.
type KeyError struct {
	Key string
	Err error
}

func (e *KeyError) Error() string { return e.Key + ": " + e.Err.Error() }
func (e *KeyError) Unwrap() error { return e.Err }

func wrong(key, format string, args ...any) error {
	return &KeyError{Key: key, Err: fmt.Errorf(format, args...)}
}

// CheckNeeds rejects needs that no cluster can have. The error is a [KeyError].
func CheckNeeds(n results.Needs) error {
	for _, number := range []struct {
		key        string
		value, max int
	}{
		{"nodes", n.Nodes, maxClusterNodes}, {"nodes_later", n.NodesLater, maxClusterNodes},
		{"pods_per_node", n.PodsPerNode, maxPodsPerNode}, {"node_prefix", n.NodePrefix, 30},
		{"vpc_routes", n.Limits.VPCRoutes, maxLimit}, {"adapters", n.Limits.Adapters, maxLimit},
		{"ips_per_adapter", n.Limits.IPsPerAdapter, maxLimit}, {"sub_enis", n.Limits.SubENIs, maxLimit},
	} {
		if number.value < 0 || number.value > number.max {
			return wrong(number.key, "%d is outside 1 to %d", number.value, number.max)
		}
	}
	if n.NodesLater > 0 && n.NodesLater < n.Nodes {
		return wrong("nodes_later", "%d is fewer than the %d nodes now", n.NodesLater, n.Nodes)
	}
	if n.Cloud != "" {
		if err := catalogue.OneOf("cloud", n.Cloud, results.Clouds); err != nil {
			return wrong("cloud", "%w", err)
		}
	}
	return checkNetworks(n)
}

// checkNetworks rejects networks that overlap or are too small.
func checkNetworks(n results.Needs) error {
	type network struct {
		key, what string
		prefix    netip.Prefix
	}
	given := []network{{"node_cidr", "node", n.NodeCIDR}, {"service_cidr", "service", n.ServiceCIDR}, {"pod_cidr", "pod", n.PodCIDR}}
	for _, p := range given {
		switch {
		case !p.prefix.IsValid():
		case !p.prefix.Addr().Is4():
			return wrong(p.key, "%s is not an IPv4 network; IPv6 is not supported", p.prefix)
		case p.prefix != p.prefix.Masked():
			return wrong(p.key, "%s is an address, not a network; the network is %s", p.prefix, p.prefix.Masked())
		}
	}
	for i, a := range given {
		for _, b := range given[:i] {
			if a.prefix.IsValid() && b.prefix.IsValid() && a.prefix.Overlaps(b.prefix) {
				return wrong(a.key, "the %s network %s overlaps with the %s network %s", a.what, a.prefix, b.what, b.prefix)
			}
		}
	}
	if !n.ServiceCIDR.IsValid() && n.PodCIDR.IsValid() && n.PodCIDR.Overlaps(results.DefaultServiceCIDR) {
		return wrong("pod_cidr", "%s overlaps with Kubespray's service network %s; set service_cidr to another one", n.PodCIDR, results.DefaultServiceCIDR)
	}
	if free := 1<<(32-n.NodeCIDR.Bits()) - 2; n.NodeCIDR.IsValid() && n.Largest() > free {
		return wrong("node_cidr", "%s has %d addresses for %d nodes", n.NodeCIDR, max(free, 0), n.Largest())
	}
	return checkPodNetwork(n)
}

// checkPodNetwork verifies that each node gets its part of the pod network and each of its pods
// an address.
func checkPodNetwork(n results.Needs) error {
	prefix := n.NodePrefix
	if prefix == 0 {
		prefix = results.DefaultNodePrefix
	}
	if addresses := 1<<(32-prefix) - 2; n.PodsPerNode > addresses {
		return wrong("pods_per_node", "a node's /%d has %d addresses, not %d: set node_prefix to a shorter one", prefix, addresses, n.PodsPerNode)
	}
	if !n.PodCIDR.IsValid() {
		return nil
	}
	parts := 0
	if prefix >= n.PodCIDR.Bits() {
		parts = 1 << (prefix - n.PodCIDR.Bits())
	}
	if parts < max(n.Largest(), 1) {
		return wrong("pod_cidr", "%s holds %d networks of /%d, one per node, which is not enough for %d nodes: set a larger network or a longer node_prefix",
			n.PodCIDR, parts, prefix, max(n.Largest(), 1))
	}
	return nil
}
