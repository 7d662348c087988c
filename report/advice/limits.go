package advice

import (
	_ "embed"
	"fmt"

	"github.com/cnibench/cnibench/results"
)

//go:embed limits.yaml
var limitsFile []byte

var quotas = loaded[quotaFile]("limits.yaml", limitsFile)

// quotaFile is limits.yaml.
type quotaFile struct {
	VPCRoutes     map[string]quota `json:"vpc_routes"` // by cloud
	BGPMesh       quota            `json:"bgp_mesh"`   // nodes of a full mesh
	PodsOfAPrefix quota            `json:"pods_of_a_prefix"`
}

// quota is a number that a cloud or a program sets.
type quota struct {
	Default int    `json:"default"`
	Most    int    `json:"most"` // on request; 0: not known
	Source  string `json:"source"`
	Date    string `json:"date"`
}

// Limit is a bound of the recommended plugin beside what the cluster has.
type Limit struct {
	What   string `json:"what"`
	Limit  int    `json:"limit"` // 0: it depends on the machine type
	At     int    `json:"at"`    // what the cluster has; 0: it was not said
	Text   string `json:"text"`
	Source string `json:"source"`
}

// bounds are a plugin's limits at the size of the cluster.
type bounds struct {
	needs  results.Needs
	mode   mode
	routes quota // VPC routes; zero if the mode needs none or the quota is not known
	pods   int   // on a node, 0 if that is not known
	podsOf string
}

func boundsOf(n results.Needs, m mode) bounds {
	b := bounds{needs: n, mode: m}
	if m.Routes {
		b.routes = quotas().VPCRoutes[n.Cloud]
		if own := n.Limits.VPCRoutes; own > 0 {
			b.routes = quota{Default: own, Most: own, Source: "limits.vpc_routes of the needs"}
		}
	}
	b.pods, b.podsOf = podsOfANode(n.Limits, m.Pods)
	return b
}

// podsOfANode computes how many pods a node takes, 0 if that depends on what
// was not said, and the formula with its source (ACK documentation, Terway;
// amazon-vpc-cni-k8s README; CCE documentation).
func podsOfANode(l results.Limits, formula string) (int, string) {
	adapters, ips := l.Adapters, l.IPsPerAdapter
	switch formula {
	case "a-prefix":
		return quotas().PodsOfAPrefix.Default, "one address of the node's part for each pod (" + quotas().PodsOfAPrefix.Source + ", " + quotas().PodsOfAPrefix.Date + ")"
	case "adapters-1":
		return max(adapters-1, 0), "one pod for each adapter but the first (Alibaba Cloud ACK documentation, Terway)"
	case "(adapters-1)×ips":
		return max(adapters-1, 0) * ips, "the addresses of all adapters but the first (Alibaba Cloud ACK documentation, Terway)"
	case "adapters×(ips-1)+2":
		if adapters == 0 || ips == 0 {
			return 0, "adapters × (addresses − 1) + 2 (amazon-vpc-cni-k8s README)"
		}
		return adapters*(ips-1) + 2, "adapters × (addresses − 1) + 2 (amazon-vpc-cni-k8s README)"
	case "sub-enis":
		return l.SubENIs, "one sub-ENI for each pod (Huawei Cloud CCE documentation, Cloud Native Network 2.0)"
	}
	return 0, ""
}

// known gives the limits the names that rules use.
func (b bounds) known() map[string]string {
	known := map[string]string{}
	n := b.needs.Largest()
	if b.routes.Default > 0 && n > 0 {
		switch {
		case n <= b.routes.Default:
			known["doc.routes_fit"] = yes
		case b.routes.Most == 0 || n <= b.routes.Most:
			known["doc.routes_fit"] = "raise"
		default:
			known["doc.routes_fit"] = no
		}
	}
	if b.mode.MaxNodes > 0 && n > 0 {
		known["doc.nodes_fit"] = answer(n <= b.mode.MaxNodes)
	}
	if b.pods > 0 && b.needs.PodsPerNode > 0 {
		known["doc.pods_fit"] = answer(b.needs.PodsPerNode <= b.pods)
	}
	if b.mode.BGP && n > 0 {
		known["doc.mesh_fits"] = answer(n <= quotas().BGPMesh.Default)
	}
	return known
}

// words fill the brackets of rules' texts.
func (b bounds) words() []string {
	n := b.needs.Largest()
	return []string{"{nodes}", itoa(n), "{routes}", itoa(max(b.routes.Most, b.routes.Default)), "{routes_default}", itoa(b.routes.Default),
		"{routes_source}", b.routes.Source, "{max_nodes}", itoa(b.mode.MaxNodes), "{pods}", itoa(b.needs.PodsPerNode),
		"{pods_most}", itoa(b.pods), "{pods_source}", b.podsOf, "{mesh}", itoa(quotas().BGPMesh.Default), "{sessions}", itoa(n * (n - 1) / 2)}
}

// limits lists the bounds of the recommended plugin.
func (s *subject) limits() []Limit {
	b, all := s.bounds, []Limit{}
	n := b.needs.Largest()
	if b.mode.Routes {
		l := Limit{What: "VPC routes", Limit: b.routes.Default, At: n, Text: "one VPC route for each node", Source: b.routes.Source}
		switch {
		case b.routes.Default == 0:
			l.Text, l.Source = "one VPC route for each node; the table's quota is not known: ask the cloud, and set limits.vpc_routes", "limits.yaml"
		case b.routes.Most > b.routes.Default:
			l.Text = fmt.Sprintf("one VPC route for each node; up to %d on request", b.routes.Most)
		}
		if b.routes.Date != "" {
			l.Source += ", " + b.routes.Date
		}
		all = append(all, l)
	}
	if b.mode.BGP {
		l := Limit{What: "nodes of a full BGP mesh", Limit: quotas().BGPMesh.Default, At: n, Text: "sessions grow with the square of the nodes; use route reflectors above",
			Source: quotas().BGPMesh.Source + ", " + quotas().BGPMesh.Date}
		if n > 0 {
			l.Text = fmt.Sprintf("%d sessions at %d nodes; use route reflectors above %d nodes", n*(n-1)/2, n, quotas().BGPMesh.Default)
		}
		all = append(all, l)
	}
	if b.mode.MaxNodes > 0 {
		all = append(all, Limit{What: "nodes", Limit: b.mode.MaxNodes, At: n, Text: "nodes of one cluster", Source: s.mode.Sources[0]})
	}
	if b.podsOf != "" {
		all = append(all, Limit{What: "pods on a node", Limit: b.pods, At: b.needs.PodsPerNode, Text: b.podsOf, Source: s.mode.Sources[0]})
	}
	return append(all, podNetworkLimit(b.needs))
}

// podNetworkLimit is how many nodes the pod network has room for.
func podNetworkLimit(n results.Needs) Limit {
	cidr, prefix := podNetwork(n)
	if !cidr.IsValid() {
		return Limit{What: "nodes that the pod network has room for", At: n.Largest(), Source: "arithmetic",
			Text: fmt.Sprintf("Kubespray's %s is too small: choose a pod network of at least /%d", results.DefaultPodCIDR, roomFor(n.Largest(), prefix))}
	}
	return Limit{What: "nodes that the pod network has room for", Limit: 1 << (prefix - cidr.Bits()), At: n.Largest(),
		Text: fmt.Sprintf("%s in parts of /%d", cidr, prefix), Source: "arithmetic"}
}
