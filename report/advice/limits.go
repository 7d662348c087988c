package advice

import (
	_ "embed"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

//go:embed limits.yaml
var limitsFile []byte

var quotas = loaded[quotaFile]("limits.yaml", limitsFile)

// quotaFile is limits.yaml.
type quotaFile struct {
	VPCRoutes     map[string]quota `json:"vpc_routes"` // by cloud name
	BGPMesh       quota            `json:"bgp_mesh"`   // nodes in a full mesh
	PodsOfAPrefix quota            `json:"pods_of_a_prefix"`
}

// quota is a number that a cloud or a program sets.
type quota struct {
	Default int    `json:"default"`
	Most    int    `json:"most"` // on request; 0 if not known
	Source  string `json:"source"`
	Date    string `json:"date"`
}

// Limit is a limit of the recommended plugin, compared with what the cluster has.
type Limit struct {
	What   words.Text `json:"what"`
	Limit  int        `json:"limit"` // 0 if it depends on the machine type
	At     int        `json:"at"`    // what the cluster has; 0 if not specified
	Text   words.Text `json:"text"`
	Source words.Text `json:"source"`
}

// bounds holds a plugin's limits at the size of the cluster.
type bounds struct {
	needs  results.Needs
	mode   mode
	routes quota // VPC routes; zero if the mode needs none or the quota is not known
	pods   int   // on a node; 0 if not known
	podsOf words.Text
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

// podsOfANode returns how many pods a node can run, or 0 if that depends on unspecified limits, and the
// formula with its source (ACK documentation, Terway; amazon-vpc-cni-k8s README; CCE documentation).
func podsOfANode(l results.Limits, formula string) (int, words.Text) {
	adapters, ips := l.Adapters, l.IPsPerAdapter
	switch formula {
	case "a-prefix":
		return quotas().PodsOfAPrefix.Default, words.AddressPerPod.With(quotas().PodsOfAPrefix.Source, quotas().PodsOfAPrefix.Date)
	case "adapters-1":
		return max(adapters-1, 0), words.PodPerAdapter
	case "(adapters-1)×ips":
		return max(adapters-1, 0) * ips, words.AddressesOfAdapters
	case "adapters×(ips-1)+2":
		if adapters == 0 || ips == 0 {
			return 0, words.AWSPods
		}
		return adapters*(ips-1) + 2, words.AWSPods
	case "sub-enis":
		return l.SubENIs, words.SubENIPerPod
	}
	return 0, words.Text{}
}

// known returns whether the cluster is within each limit, by the names that rules use.
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

// fill returns the values for the brackets in rules' texts.
func (b bounds) fill() map[string]any {
	n := b.needs.Largest()
	return map[string]any{"nodes": n, "routes": max(b.routes.Most, b.routes.Default), "routes_default": b.routes.Default,
		"routes_source": b.routes.Source, "max_nodes": b.mode.MaxNodes, "pods": b.needs.PodsPerNode,
		"pods_most": b.pods, "pods_source": b.podsOf, "mesh": quotas().BGPMesh.Default, "sessions": n * (n - 1) / 2}
}

// limits returns the limits of the recommended plugin.
func (s *subject) limits() []Limit {
	b, all := s.bounds, []Limit{}
	n := b.needs.Largest()
	if b.mode.Routes {
		l := Limit{What: words.VPCRoutes, Limit: b.routes.Default, At: n, Text: words.VPCRoutePerNode, Source: words.Quote(b.routes.Source)}
		switch {
		case b.routes.Default == 0:
			l.Text, l.Source = words.VPCRouteQuotaUnknown, words.Quote("limits.yaml")
		case b.routes.Most > b.routes.Default:
			l.Text = words.VPCRouteOnRequest.With(b.routes.Most)
		}
		if b.routes.Date != "" {
			l.Source = words.List(l.Source, words.Quote(b.routes.Date))
		}
		all = append(all, l)
	}
	if b.mode.BGP {
		l := Limit{What: words.NodesOfMesh, Limit: quotas().BGPMesh.Default, At: n, Text: words.MeshGrows,
			Source: words.Quote(quotas().BGPMesh.Source + ", " + quotas().BGPMesh.Date)}
		if n > 0 {
			l.Text = words.MeshSessions.With(n*(n-1)/2, n, quotas().BGPMesh.Default)
		}
		all = append(all, l)
	}
	if b.mode.MaxNodes > 0 {
		all = append(all, Limit{What: words.Nodes, Limit: b.mode.MaxNodes, At: n, Text: words.NodesOfCluster, Source: words.Quote(s.mode.Sources[0])})
	}
	if !b.podsOf.Empty() {
		all = append(all, Limit{What: words.PodsOnNode, Limit: b.pods, At: b.needs.PodsPerNode, Text: b.podsOf, Source: words.Quote(s.mode.Sources[0])})
	}
	return append(all, podNetworkLimit(b.needs))
}

// podNetworkLimit returns how many nodes the pod network has room for.
func podNetworkLimit(n results.Needs) Limit {
	cidr, prefix := podNetwork(n)
	if !cidr.IsValid() {
		return Limit{What: words.NodesOfPodNetwork, At: n.Largest(), Source: words.Arithmetic,
			Text: words.KubesprayNetworkTooSmall.With(results.DefaultPodCIDR, roomFor(n.Largest(), prefix))}
	}
	return Limit{What: words.NodesOfPodNetwork, Limit: 1 << (prefix - cidr.Bits()), At: n.Largest(),
		Text: words.NetworkInParts.With(cidr, prefix), Source: words.Arithmetic}
}
