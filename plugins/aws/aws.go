// Package aws is the data path of the Amazon VPC CNI plugin: pods have secondary
// addresses of their node's interfaces. The plugin's agent requests them from EC2
// and runs nowhere else, so this package creates the rules that its documentation
// describes, and the reference plugin ptp connects the pods.
package aws

import (
	"context"
	"net/netip"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/words"
)

// Modes returns the one mode: secondary addresses of the node's first interface,
// which the plugin uses up before it attaches another one.
func Modes() []*plugins.Plugin {
	return []*plugins.Plugin{{
		Name: "aws-vpc-cni", Title: "Amazon VPC CNI, secondary addresses of the node's interface, veth with policy routing",
		Path:          plugins.Path("pod eth0", "veth", words.PolicyRouting, words.NICThatOwnsPods),
		Encapsulation: plugins.None, Fidelity: plugins.DataPath, NeedsVPC: true,
		Binaries: []string{"ptp", "host-local"}, Features: []string{"veth"},
		Sources: []plugins.Source{{What: "aws/amazon-vpc-cni-k8s docs/cni-proposal.md (pod to pod communication)", Date: "2026-11-24"}},
		Deploy:  deploy,
	}}
}

// deploy gives each pod an address of its node's NIC. Packets to and from it use
// the node's main table, since the address is one of the first interface (further
// interfaces have tables of their own).
func deploy(_ context.Context, n plugins.Network) (*plugins.Deployment, error) {
	leases := &plugins.Leases[netip.Prefix]{
		Ask: func(node plugins.Node) (netip.Prefix, error) {
			addrs, err := n.Cloud.AssignAddresses(node, node.NIC(), 1)
			if err != nil {
				return netip.Prefix{}, err
			}
			return netip.PrefixFrom(addrs[0], node.Addr().Bits()), nil
		},
		Begin: func(node plugins.Node, a netip.Prefix) error { return plugins.RoutePod(node, a.Addr(), 0) },
		End:   func(node plugins.Node, a netip.Prefix) error { return plugins.UnroutePod(node, a.Addr(), 0) },
		Conf: func(node plugins.Node, a netip.Prefix) ([]byte, error) {
			return plugins.ConfList("aws-cni", map[string]any{
				"type": "ptp", "mtu": n.MTU, "ipMasq": false, "ipam": plugins.OneAddress(a, node.Addr().Addr()),
			})
		},
	}
	return leases.Deployment(), nil
}
