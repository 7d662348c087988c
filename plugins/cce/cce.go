// Package cce is the data path of the network models of Huawei Cloud's CCE.
// Its agents run on Huawei Cloud only, so what they make is made here as the
// documentation describes it; pods are wired by the reference CNI plugins.
package cce

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/plugins"
)

var (
	models = plugins.Source{What: "Huawei Cloud CCE user guide, Container network models (cce_10_0281)", Date: "2026-11-23"}
	native = plugins.Source{What: "Huawei Cloud CCE user guide, Cloud Native 2.0 network (cce_10_0284: supplementary network interfaces, each a VLAN sub-interface of an elastic one)", Date: "2026-11-24"}
	tunnel = plugins.Source{What: "Huawei Cloud CCE user guide, Container tunnel network (cce_10_0282) and Configuring cluster security group rules (cce_faq_00265: UDP 4789 between nodes)", Date: "2026-11-24"}
)

// Modes are CCE's network models.
func Modes() []*plugins.Plugin {
	return []*plugins.Plugin{
		{
			Name: "cce-tunnel", Aliases: []string{"ican"},
			Title:         "Huawei CCE container tunnel network (iCAN), here with VXLAN of the kernel in place of Open vSwitch",
			Path:          "pod eth0 → veth → bridge cni0 → vxlan.cce (VXLAN) → NIC",
			Encapsulation: plugins.IANAVXLAN, Fidelity: plugins.DataPath,
			Binaries: []string{"bridge", "host-local"}, Features: []string{"bridge", "veth", "vxlan"},
			Sources: []plugins.Source{models, tunnel}, Deploy: deployTunnel,
		},
		{
			Name: "cce-vpc", Title: "Huawei CCE VPC network: IPvlan, and one VPC route a node",
			Path:          "pod eth0 (IPvlan) → NIC → VPC route table",
			Encapsulation: plugins.None, Fidelity: plugins.DataPath, NeedsVPC: true,
			Binaries: []string{"host-device", "host-local"}, Features: []string{"ipvlan"},
			Sources: []plugins.Source{models}, Deploy: deployVPC,
		},
		{
			Name: "cce-eni", Title: "Huawei CCE Cloud Native 2.0: a sub-ENI a pod, as a VLAN of the node's trunk ENI",
			Path:          "pod eth0 (VLAN of the trunk ENI) → trunk ENI",
			Encapsulation: plugins.None, Fidelity: plugins.DataPath, NeedsVPC: true,
			Binaries: []string{"host-device", "host-local"}, Features: []string{"veth", "vlan"},
			Sources: []plugins.Source{models, native}, Deploy: deploySubENI,
		},
	}
}

// vni is the tunnels' network identifier. Any will do: a network of the lab
// has its underlay to itself.
const vni = 1

const tunnelName = "vxlan.cce"

// member is a node's part in the overlay.
type member struct {
	node   plugins.Node
	subnet netip.Prefix     // of its pods
	mac    net.HardwareAddr // of its tunnel device
}

// deployTunnel puts a VXLAN device on each node and tells it all the others.
func deployTunnel(_ context.Context, n plugins.Network) (*plugins.Deployment, error) {
	var members []member
	for i, node := range n.Nodes {
		subnet, err := plugins.NodeSubnet(n.PodCIDR, i)
		if err != nil {
			return nil, err
		}
		mac, err := addTunnel(node, subnet)
		if err != nil {
			return nil, fmt.Errorf("making the tunnel device of %s: %w", node.Name(), err)
		}
		members = append(members, member{node, subnet, mac})
	}
	subnets := map[string]netip.Prefix{}
	for _, m := range members {
		subnets[m.node.Name()] = m.subnet
		for _, other := range members {
			if other.node == m.node {
				continue
			}
			if err := m.node.Do(func() error { return reach(other) }); err != nil {
				return nil, fmt.Errorf("telling %s of the pods of %s: %w", m.node.Name(), other.node.Name(), err)
			}
		}
	}
	mtu := n.MTU - plugins.IANAVXLAN.Overhead
	return &plugins.Deployment{ConfList: func(node plugins.Node) ([]byte, error) {
		return plugins.BridgeConf("cce", mtu, subnets[node.Name()])
	}}, nil
}

// addTunnel makes a node's VXLAN device, which has the first address of the
// pods' subnet.
func addTunnel(node plugins.Node, subnet netip.Prefix) (mac net.HardwareAddr, err error) {
	err = node.Do(func() error {
		nic, err := netlink.LinkByName(node.NIC())
		if err != nil {
			return err
		}
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.MTU = tunnelName, nic.Attrs().MTU-plugins.IANAVXLAN.Overhead
		vx := &netlink.Vxlan{LinkAttrs: attrs, VxlanId: vni, VtepDevIndex: nic.Attrs().Index, Port: plugins.IANAVXLAN.Port,
			SrcAddr: node.Addr().Addr().AsSlice(), Learning: false}
		if err := netlink.LinkAdd(vx); err != nil {
			return err
		}
		if err := netlink.AddrAdd(vx, &netlink.Addr{IPNet: ipNet(netip.PrefixFrom(subnet.Addr(), 32))}); err != nil {
			return err
		}
		link, err := netlink.LinkByName(tunnelName)
		if err != nil {
			return err
		}
		mac = link.Attrs().HardwareAddr
		return netlink.LinkSetUp(vx)
	})
	return mac, err
}

// reach leads the calling thread's node to the pods of another one: a route
// through the tunnel device, the MAC at its far end, and the node that has it.
func reach(other member) error {
	link, err := netlink.LinkByName(tunnelName)
	if err != nil {
		return err
	}
	index := link.Attrs().Index
	far := other.subnet.Addr().AsSlice()
	for _, n := range []*netlink.Neigh{
		{LinkIndex: index, State: netlink.NUD_PERMANENT, Type: unix.RTN_UNICAST, IP: far, HardwareAddr: other.mac},
		{LinkIndex: index, Family: unix.AF_BRIDGE, Flags: netlink.NTF_SELF, State: netlink.NUD_PERMANENT,
			IP: other.node.Addr().Addr().AsSlice(), HardwareAddr: other.mac},
	} {
		if err := netlink.NeighSet(n); err != nil {
			return err
		}
	}
	return netlink.RouteAdd(&netlink.Route{Dst: ipNet(other.subnet), Gw: far, LinkIndex: index, Flags: int(netlink.FLAG_ONLINK)})
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
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
		Ask: func(node plugins.Node) (netip.Prefix, error) {
			a := next[node]
			addr := a.Addr().Next()
			if !a.Contains(addr.Next()) {
				return netip.Prefix{}, &plugins.QuotaError{What: "pod addresses of a node", Limit: 1<<(32-a.Bits()) - 3}
			}
			next[node] = netip.PrefixFrom(addr, a.Bits())
			return next[node], nil
		},
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
