package cluster

import (
	"cmp"
	"context"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
)

// Annotations that agents leave on nodes, and what they tell.
const (
	flannelPrefix  = "flannel.alpha.coreos.com/"
	flannelBackend = flannelPrefix + "backend-type"  // pkg/subnet/kube/annotations.go of flannel v0.28.10
	calicoAddress  = "projectcalico.org/IPv4Address" // libcalico-go/lib/backend/k8s/resources/node.go of Calico v3.28.5
	calicoIPIP     = "projectcalico.org/IPv4IPIPTunnelAddr"
	calicoVXLAN    = "projectcalico.org/IPv4VXLANTunnelAddr"
)

// Detected is what a cluster's nodes say of the plugin that connects its pods.
type Detected struct {
	Plugin string // of the catalogue; "" if it is none of these
	Words  string // what was seen
}

// Detect reads the nodes' annotations, which needs no right beyond listing
// nodes. What the wire shows is held against it later.
func (c *Cluster) Detect(ctx context.Context) (Detected, error) {
	nodes, _, err := c.nodes(ctx)
	if err != nil {
		return Detected{}, err
	}
	return detect(nodes), nil
}

func detect(nodes []core.Node) Detected {
	said := map[string]int{}
	for _, n := range nodes {
		said[mode(n)]++
	}
	if len(said) == 1 {
		for plugin := range said {
			if plugin == "" {
				return Detected{Words: "no node carries an annotation of a known plugin"}
			}
			return Detected{Plugin: plugin, Words: "annotations of the nodes say " + plugin}
		}
	}
	var all []string
	for plugin := range said {
		all = append(all, cmp.Or(plugin, "nothing"))
	}
	slices.Sort(all)
	return Detected{Words: "the nodes' annotations disagree: " + strings.Join(all, ", ")}
}

// mode is what one node's annotations say, "" for nothing.
func mode(n core.Node) string {
	a := n.Annotations
	if backend := a[flannelBackend]; backend != "" {
		return "flannel-" + backend
	}
	switch {
	case a[calicoAddress] == "":
		return ""
	case a[calicoVXLAN] != "":
		return "calico-vxlan"
	case a[calicoIPIP] != "":
		return "calico-ipip"
	}
	return "calico-bgp"
}
