package results

import (
	"encoding/json"
	"fmt"
	"net/netip"
)

// Needs describes what a cluster requires of its network plugin: the "needs" section of a spec
// file. A zero value means that nothing is specified.
type Needs struct {
	NetworkPolicy   bool   `json:"network_policy,omitempty"`    // NetworkPolicy objects must take effect
	PodIPsReachable bool   `json:"pod_ips_reachable,omitempty"` // hosts outside the cluster reach pods by their addresses
	NoOverlay       bool   `json:"no_overlay,omitempty"`        // pods' packets must not be encapsulated
	Encryption      bool   `json:"encryption,omitempty"`        // pods' packets are encrypted between nodes
	Nodes           int    `json:"nodes,omitempty"`             // that the cluster has now
	NodesLater      int    `json:"nodes_later,omitempty"`       // that the cluster may grow to
	PodsPerNode     int    `json:"pods_per_node,omitempty"`
	Cloud           string `json:"cloud,omitempty"`            // one of Clouds
	ExistingCluster bool   `json:"existing_cluster,omitempty"` // the cluster exists and has a plugin
	L2              Answer `json:"l2,omitempty"`               // whether all nodes share a link layer

	PodCIDR     netip.Prefix `json:"pod_cidr,omitzero"`
	NodeCIDR    netip.Prefix `json:"node_cidr,omitzero"`
	ServiceCIDR netip.Prefix `json:"service_cidr,omitzero"`
	// NodePrefix is the prefix length of the part of PodCIDR that each node gets (Kubespray:
	// kube_network_node_prefix).
	NodePrefix int `json:"node_prefix,omitempty"`

	// Limits are those of the account and the machines, where they differ from the cloud's
	// defaults.
	Limits Limits `json:"limits,omitzero"`
}

// Limits are quotas that a cloud sets for an account or a machine type.
type Limits struct {
	VPCRoutes     int `json:"vpc_routes,omitempty"`      // entries of the VPC's route table
	Adapters      int `json:"adapters,omitempty"`        // network interfaces of a node, the primary one included
	IPsPerAdapter int `json:"ips_per_adapter,omitempty"` // IPv4 addresses of each
	SubENIs       int `json:"sub_enis,omitempty"`        // of a node (CCE)
}

// Kubespray's defaults, used where the needs do not specify a value (v2.31,
// inventory/sample/group_vars/k8s_cluster/k8s-cluster.yml).
var (
	DefaultPodCIDR     = netip.MustParsePrefix("10.233.64.0/18")
	DefaultServiceCIDR = netip.MustParsePrefix("10.233.0.0/18")
)

// DefaultNodePrefix is the prefix length of each node's part of the pod network, from the same
// file.
const DefaultNodePrefix = 24

// Clouds lists the clouds that a cluster may be in; "none" is a network of one's own.
var Clouds = []string{"none", "alibaba", "huawei", "aws", "azure", "gce"}

// Largest returns the node count to judge limits by: the larger of now and later, or 0 if neither
// is specified.
func (n Needs) Largest() int { return max(n.Nodes, n.NodesLater) }

// Answer is yes, no or unknown, or "" if nothing was specified.
type Answer string

// The answers.
const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unknown Answer = "unknown"
)

// UnmarshalJSON also accepts a boolean, because YAML 1.1 reads yes and no as booleans.
func (a *Answer) UnmarshalJSON(text []byte) error {
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	switch v {
	case true, string(Yes):
		*a = Yes
	case false, string(No):
		*a = No
	case string(Unknown):
		*a = Unknown
	default:
		return fmt.Errorf("takes yes, no or unknown, not %s", text)
	}
	return nil
}
