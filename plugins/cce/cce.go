// Package cce is the data path of the network models of Huawei Cloud's CCE. CCE's
// agents run only on Huawei Cloud, so this package creates what the documentation
// describes, and the reference CNI plugins connect the pods. The tunnel network has
// a real switch: Open vSwitch, with its daemons on each node and its datapath in
// the kernel. This package chooses the pods' addresses and adds the flows that
// CCE's own agents would add.
package cce

import (
	"context"
	"net/netip"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/words"
)

var (
	models = plugins.Source{What: "Huawei Cloud CCE user guide, Container network models (cce_10_0281)", Date: "2026-11-23"}
	native = plugins.Source{What: "Huawei Cloud CCE user guide, Cloud Native 2.0 network (cce_10_0284: supplementary network interfaces, each a VLAN sub-interface of an elastic one)", Date: "2026-11-24"}
	tunnel = plugins.Source{What: "Huawei Cloud CCE user guide, Tunnel Network Model (cce_10_0282: VXLAN by Open vSwitch; a flat network of blocks for nodes; one node's pods meet on its OVS bridge) and Configuring cluster security group rules (cce_faq_00265: UDP 4789 between nodes)", Date: "2026-11-25"}
)

// Modes returns CCE's network models.
func Modes() []*plugins.Plugin {
	return []*plugins.Plugin{
		{
			Name: "cce-tunnel", Aliases: []string{"ican"},
			Title:         "Huawei CCE container tunnel network (iCAN): Open vSwitch with VXLAN between the nodes",
			Path:          plugins.Path("pod eth0", "veth", "Open vSwitch ovs.cce", "vxlan_sys_4789 (VXLAN)", "NIC"),
			Encapsulation: plugins.IANAVXLAN, Fidelity: plugins.DataPath,
			Binaries: []string{"host-device", "host-local"},
			System:   []string{"ovsdb-server", "ovs-vswitchd", "ovs-vsctl", "ovs-ofctl"},
			Features: []string{"openvswitch", "veth", "vxlan"},
			Sources:  []plugins.Source{models, tunnel}, Deploy: deployTunnel,
		},
		{
			Name: "cce-vpc", Title: "Huawei CCE VPC network: IPvlan, and one VPC route per node",
			Path:          plugins.Path("pod eth0 (IPvlan)", "NIC", words.VPCRouteTable),
			Encapsulation: plugins.None, Fidelity: plugins.DataPath, NeedsVPC: true,
			Binaries: []string{"host-device", "host-local"}, Features: []string{"ipvlan"},
			Sources: []plugins.Source{models}, Deploy: deployVPC,
		},
		{
			Name: "cce-eni", Title: "Huawei CCE Cloud Native 2.0: a sub-ENI per pod, as a VLAN of the node's trunk ENI",
			Path:          plugins.Path(words.Aside(words.Quote("pod eth0"), words.VLANTrunkENI), words.TrunkENI),
			Encapsulation: plugins.None, Fidelity: plugins.DataPath, NeedsVPC: true,
			Binaries: []string{"host-device", "host-local"}, Features: []string{"veth", "vlan"},
			Sources: []plugins.Source{models, native}, Deploy: deploySubENI,
		},
	}
}

// deployVPC adds a VPC route to each node for its pods, and gives each pod an IPvlan
// device on the node's NIC.
func deployVPC(_ context.Context, n plugins.Network) (*plugins.Deployment, error) {
	next := map[plugins.Node]netip.Prefix{}
	for i, node := range n.Nodes {
		subnet, err := plugins.NodeSubnet(n.PodCIDR, i)
		if err != nil {
			return nil, err
		}
		if err := n.Cloud.AddRoute(subnet, node); err != nil {
			return nil, err
		}
		next[node] = netip.PrefixFrom(subnet.Addr().Next(), subnet.Bits())
	}
	leases := &plugins.Leases[netip.Prefix]{
		Ask:   func(node plugins.Node) (netip.Prefix, error) { return nextAddress(next, node) },
		Begin: func(node plugins.Node, a netip.Prefix) error { return plugins.AddIPvlan(node, node.NIC(), a.Addr()) },
		Conf: func(node plugins.Node, a netip.Prefix) ([]byte, error) {
			// The gateway is the router of the node's subnet, which has the first
			// address in it. It cannot be in the pods' subnet: no machine has an
			// address there, and the VPC does not answer ARP requests for addresses
			// that its table leads back to the node that asks.
			return plugins.OnLinkConf("cce", plugins.IPvlanName(a.Addr()), a, node.Addr().Masked().Addr().Next())
		},
		End: func(node plugins.Node, a netip.Prefix) error {
			return plugins.DelLink(node, plugins.IPvlanName(a.Addr()))
		},
	}
	return leases.Deployment(), nil
}

// nextAddress takes the next address of a node's block. The map next holds the last
// address that each node took.
func nextAddress(next map[plugins.Node]netip.Prefix, node plugins.Node) (netip.Prefix, error) {
	a := next[node]
	addr := a.Addr().Next()
	if !a.Contains(addr.Next()) {
		return netip.Prefix{}, &plugins.QuotaError{What: "pod addresses of a node", Limit: 1<<(32-a.Bits()) - 3}
	}
	next[node] = netip.PrefixFrom(addr, a.Bits())
	return next[node], nil
}

// deploySubENI attaches a trunk to each node, and gives each pod a VLAN of it.
func deploySubENI(_ context.Context, n plugins.Network) (*plugins.Deployment, error) {
	trunks := map[string]string{}
	for _, node := range n.Nodes {
		trunk, err := n.Cloud.AttachENI(node)
		if err != nil {
			return nil, err
		}
		trunks[node.Name()] = trunk.Name
	}
	leases := &plugins.Leases[plugins.ENI]{
		Ask: func(node plugins.Node) (plugins.ENI, error) { return n.Cloud.AttachSubENI(node, trunks[node.Name()]) },
		Conf: func(_ plugins.Node, eni plugins.ENI) ([]byte, error) {
			return plugins.DeviceConf("cce", eni.Name, eni.Addr, eni.Gateway)
		},
	}
	d := leases.Deployment()
	d.OwnNIC = true
	return d, nil
}
