// Package terway is the data path of Terway, the plugin of Alibaba Cloud's ACK:
// pods have addresses of the VPC, on elastic network interfaces of their node. The
// plugin's agent runs only on Alibaba Cloud, so this package creates the rules and
// routes that its documentation and source describe, and the reference CNI plugins
// connect the pods.
package terway

import (
	"context"
	"net/netip"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/words"
)

var (
	design = plugins.Source{What: "AliyunContainerService/terway docs/design.md (ENI and ENI multi-IP modes)", Date: "2026-11-23"}
	router = plugins.Source{What: "AliyunContainerService/terway v1.8.4 plugin/datapath/policy_router_linux.go", Date: "2026-11-24"}
)

// eniTable is the routing table of a node's first secondary interface. Terway
// numbers its tables from 1000.
const eniTable = 1001

// Modes returns the ways in which Terway gives pods an address of the VPC.
func Modes() []*plugins.Plugin {
	return []*plugins.Plugin{
		mode("terway-eniip", "Alibaba Terway, secondary addresses of an ENI, veth with policy routing",
			plugins.Path("pod eth0", "veth", words.PolicyRouting, words.ENIThatOwnsPods), []string{"ptp", "host-local"}, nil,
			[]plugins.Source{design, router}, deployENIIP),
		mode("terway-eni", "Alibaba Terway, exclusive ENI: the pod has a VPC interface of its own",
			plugins.Path(words.Aside(words.Quote("pod eth0"), words.ENIItself)), []string{"host-device", "host-local"}, nil,
			[]plugins.Source{design}, deployENI),
		mode("terway-ipvlan", "Alibaba Terway, secondary addresses of an ENI, IPvlan",
			plugins.Path("pod eth0 (IPvlan)", words.ENIThatOwnsPods), []string{"host-device", "host-local"}, []string{"ipvlan"},
			[]plugins.Source{design}, deployIPvlan),
	}
}

func mode(name, title string, path words.Text, binaries, features []string, sources []plugins.Source, deploy func(context.Context, plugins.Network) (*plugins.Deployment, error)) *plugins.Plugin {
	return &plugins.Plugin{
		Name: name, Title: title, Path: path, Encapsulation: plugins.None, Fidelity: plugins.DataPath, NeedsVPC: true,
		Binaries: binaries, Features: append([]string{"veth"}, features...), Sources: sources, Deploy: deploy,
	}
}

// attach attaches another interface to every node, for its pods.
func attach(n plugins.Network) (map[string]plugins.ENI, error) {
	enis := map[string]plugins.ENI{}
	for _, node := range n.Nodes {
		eni, err := n.Cloud.AttachENI(node)
		if err != nil {
			return nil, err
		}
		enis[node.Name()] = eni
	}
	return enis, nil
}

// askAddress returns a function that asks the cloud for another address on a node's
// interface.
func askAddress(n plugins.Network, enis map[string]plugins.ENI) func(plugins.Node) (netip.Prefix, error) {
	return func(node plugins.Node) (netip.Prefix, error) {
		eni := enis[node.Name()]
		addrs, err := n.Cloud.AssignAddresses(node, eni.Name, 1)
		if err != nil {
			return netip.Prefix{}, err
		}
		return netip.PrefixFrom(addrs[0], eni.Addr.Bits()), nil
	}
}

// deployENIIP gives each pod a secondary address of its node's ENI. The pod's next
// hop is the node, at the ENI's own address.
func deployENIIP(_ context.Context, n plugins.Network) (*plugins.Deployment, error) {
	enis, err := attach(n)
	if err != nil {
		return nil, err
	}
	for _, node := range n.Nodes {
		if err := plugins.RouteTable(node, enis[node.Name()], eniTable); err != nil {
			return nil, err
		}
	}
	leases := &plugins.Leases[netip.Prefix]{
		Ask:   askAddress(n, enis),
		Begin: func(node plugins.Node, a netip.Prefix) error { return plugins.RoutePod(node, a.Addr(), eniTable) },
		End:   func(node plugins.Node, a netip.Prefix) error { return plugins.UnroutePod(node, a.Addr(), eniTable) },
		Conf: func(node plugins.Node, a netip.Prefix) ([]byte, error) {
			return plugins.ConfList("terway", map[string]any{
				"type": "ptp", "mtu": n.MTU, "ipMasq": false, "ipam": plugins.OneAddress(a, enis[node.Name()].Addr.Addr()),
			})
		},
	}
	d := leases.Deployment()
	d.NIC = enis[n.Nodes[0].Name()].Name
	return d, nil
}

// deployENI moves an ENI into each pod.
func deployENI(_ context.Context, n plugins.Network) (*plugins.Deployment, error) {
	leases := &plugins.Leases[plugins.ENI]{
		Ask: n.Cloud.AttachENI,
		Conf: func(_ plugins.Node, eni plugins.ENI) ([]byte, error) {
			return plugins.DeviceConf("terway", eni.Name, eni.Addr, eni.Gateway)
		},
	}
	d := leases.Deployment()
	d.OwnNIC = true
	return d, nil
}

// deployIPvlan gives each pod an IPvlan device on its node's ENI.
func deployIPvlan(_ context.Context, n plugins.Network) (*plugins.Deployment, error) {
	enis, err := attach(n)
	if err != nil {
		return nil, err
	}
	leases := &plugins.Leases[netip.Prefix]{
		Ask: askAddress(n, enis),
		Begin: func(node plugins.Node, a netip.Prefix) error {
			return plugins.AddIPvlan(node, enis[node.Name()].Name, a.Addr())
		},
		Conf: func(node plugins.Node, a netip.Prefix) ([]byte, error) {
			return plugins.DeviceConf("terway", plugins.IPvlanName(a.Addr()), a, enis[node.Name()].Gateway)
		},
		End: func(node plugins.Node, a netip.Prefix) error {
			return plugins.DelLink(node, plugins.IPvlanName(a.Addr()))
		},
	}
	d := leases.Deployment()
	d.NIC = enis[n.Nodes[0].Name()].Name
	return d, nil
}
