// Package cce is the data path of the network models of Huawei Cloud's CCE.
// Its agents run on Huawei Cloud only, so what they make is made here as the
// documentation describes it; pods are wired by the reference CNI plugins. Of
// the tunnel network the switch is real: Open vSwitch, with its daemons on each
// node and its datapath in the kernel. The flows that CCE's own agents would
// give it, and the pods' addresses, are ours.
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

// Modes are CCE's network models.
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
			Name: "cce-vpc", Title: "Huawei CCE VPC network: IPvlan, and one VPC route a node",
			Path:          plugins.Path("pod eth0 (IPvlan)", "NIC", words.VPCRouteTable),
			Encapsulation: plugins.None, Fidelity: plugins.DataPath, NeedsVPC: true,
			Binaries: []string{"host-device", "host-local"}, Features: []string{"ipvlan"},
			Sources: []plugins.Source{models}, Deploy: deployVPC,
		},
		{
			Name: "cce-eni", Title: "Huawei CCE Cloud Native 2.0: a sub-ENI a pod, as a VLAN of the node's trunk ENI",
			Path:          plugins.Path(words.Aside(words.Quote("pod eth0"), words.VLANTrunkENI), words.TrunkENI),
			Encapsulation: plugins.None, Fidelity: plugins.DataPath, NeedsVPC: true,
			Binaries: []string{"host-device", "host-local"}, Features: []string{"veth", "vlan"},
			Sources: []plugins.Source{models, native}, Deploy: deploySubENI,
		},
	}
}

// deployVPC leads each node's pods to it by a VPC route, and gives each pod an
// IPvlan device of the node's NIC.
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
			// The router of the node's subnet, which has its first address: no
			// machine has one of the pods' own subnet, and the VPC answers ARP
			// for nothing that its table leads back to the node that asks.
			return plugins.OnLinkConf("cce", plugins.IPvlanName(a.Addr()), a, node.Addr().Masked().Addr().Next())
		},
		End: func(node plugins.Node, a netip.Prefix) error {
			return plugins.DelLink(node, plugins.IPvlanName(a.Addr()))
		},
	}
	return leases.Deployment(), nil
}

// nextAddress takes the next address of a node's block; next holds what each
// node took last.
func nextAddress(next map[plugins.Node]netip.Prefix, node plugins.Node) (netip.Prefix, error) {
	a := next[node]
	addr := a.Addr().Next()
	if !a.Contains(addr.Next()) {
		return netip.Prefix{}, &plugins.QuotaError{What: "pod addresses of a node", Limit: 1<<(32-a.Bits()) - 3}
	}
	next[node] = netip.PrefixFrom(addr, a.Bits())
	return next[node], nil
}

// deploySubENI attaches a trunk to each node, and a VLAN of it to each pod.
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
