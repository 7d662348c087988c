package results

import (
	"encoding/json"
	"fmt"
	"net/netip"
)

// Needs is what a cluster asks of its network plugin: the section "needs" of a
// spec file. A zero value says nothing about the matter.
type Needs struct {
	NetworkPolicy   bool   `json:"network_policy,omitempty"`    // NetworkPolicy objects must take effect
	PodIPsReachable bool   `json:"pod_ips_reachable,omitempty"` // hosts outside the cluster reach pods by their addresses
	NoOverlay       bool   `json:"no_overlay,omitempty"`        // nothing may be put around pods' packets
	Encryption      bool   `json:"encryption,omitempty"`        // pods' packets are encrypted between nodes
	Nodes           int    `json:"nodes,omitempty"`             // of the cluster now
	NodesLater      int    `json:"nodes_later,omitempty"`       // that it may grow to
	PodsPerNode     int    `json:"pods_per_node,omitempty"`
	Cloud           string `json:"cloud,omitempty"`            // one of Clouds
	ExistingCluster bool   `json:"existing_cluster,omitempty"` // the cluster is there and has a plugin
	L2              Answer `json:"l2,omitempty"`               // whether all nodes share a link layer

	PodCIDR     netip.Prefix `json:"pod_cidr,omitzero"`
	NodeCIDR    netip.Prefix `json:"node_cidr,omitzero"`
	ServiceCIDR netip.Prefix `json:"service_cidr,omitzero"`
	// NodePrefix is the length of the part of PodCIDR that each node gets
	// (Kubespray: kube_network_node_prefix).
	NodePrefix int `json:"node_prefix,omitempty"`

	// Limits are the account's and the machines' own, where they differ from
	// what the cloud gives by default.
	Limits Limits `json:"limits,omitzero"`
}

// Limits are numbers that a cloud sets for an account or a machine type.
type Limits struct {
	VPCRoutes     int `json:"vpc_routes,omitempty"`      // entries of the VPC's route table
	Adapters      int `json:"adapters,omitempty"`        // network interfaces of a node, the primary one included
	IPsPerAdapter int `json:"ips_per_adapter,omitempty"` // IPv4 addresses of each
	SubENIs       int `json:"sub_enis,omitempty"`        // of a node (CCE)
}

// What Kubespray takes where the needs say nothing (v2.31,
// inventory/sample/group_vars/k8s_cluster/k8s-cluster.yml).
var (
	DefaultPodCIDR     = netip.MustParsePrefix("10.233.64.0/18")
	DefaultServiceCIDR = netip.MustParsePrefix("10.233.0.0/18")
)

// DefaultNodePrefix is the part of the pod network that each node gets, in the
// same file.
const DefaultNodePrefix = 24

// Clouds that a cluster may be in; none is a network of one's own.
var Clouds = []string{"none", "alibaba", "huawei", "aws", "azure", "gce"}

// Largest is the node count that limits are judged by: the larger of now and
// later, 0 if neither is said.
func (n Needs) Largest() int { return max(n.Nodes, n.NodesLater) }

// Answer is yes, no or unknown; "" if nothing was said.
type Answer string

// The answers.
const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unknown Answer = "unknown"
)

// UnmarshalJSON takes a boolean too: YAML 1.1 reads yes and no as such.
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
