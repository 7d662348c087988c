// Package vpcroute is the data path of plugins that leave routing to the cloud:
// every node has a subnet of the pods' network, and an entry in the VPC's route
// table leads the subnet to the node. Flannel in Alibaba's ACK works this way, and
// so do the route controllers of Kubernetes' cloud providers.
package vpcroute

import (
	"context"
	"net/netip"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/words"
)

// Modes returns the one mode.
func Modes() []*plugins.Plugin {
	return []*plugins.Plugin{{
		Name: "vpc-route", Title: "one VPC route per node, as with Flannel in Alibaba's ACK",
		Path:          plugins.Path("pod eth0", "veth", "bridge cni0", "NIC", words.VPCRouteTable),
		Encapsulation: plugins.None, Fidelity: plugins.DataPath, NeedsVPC: true,
		Binaries: []string{"bridge", "host-local"},
		Features: []string{"bridge", "veth"},
		Sources: []plugins.Source{
			{What: "Alibaba Cloud ACK documentation, Work with Flannel (help.aliyun.com/en/ack, Flannel network plug-in)", Date: "2026-11-23"},
			{What: "kubernetes/cloud-provider, controllers/route: one route per node, from its podCIDR", Date: "2026-11-23"},
		},
		Deploy: deploy,
	}}
}

// deploy requests a VPC route to each node's subnet.
func deploy(_ context.Context, n plugins.Network) (*plugins.Deployment, error) {
	subnets := map[string]netip.Prefix{}
	for i, node := range n.Nodes {
		subnet, err := plugins.NodeSubnet(n.PodCIDR, i)
		if err != nil {
			return nil, err
		}
		if err := n.Cloud.AddRoute(subnet, node); err != nil {
			return nil, err
		}
		subnets[node.Name()] = subnet
	}
	return &plugins.Deployment{ConfList: func(node plugins.Node) ([]byte, error) {
		return plugins.BridgeConf("vpc-route", n.MTU, subnets[node.Name()])
	}}, nil
}
