package lab

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/testbed"
)

// A VPC's fabric drops packets by sending them to one of these devices, which lead
// nowhere. There is one for each reason, so that their counters say how much was
// dropped and why. Each is one end of a veth pair, whose other end receives frames
// that are not addressed to it. The reasons for veth pairs: not every kernel has
// dummy devices, and a device without a carrier counts what it is given only in
// newer kernels (not in Linux 6.1).
const (
	sinkCheck   = "drop-source" // the source/dest check, of the source address
	sinkUnowned = "drop-dest"   // no interface owns the destination
	sinkIPIP    = "drop-ipip"
)

// Routing tables and priorities of rules in the fabric's namespace.
const (
	checkTable = 100
	ipipTable  = 101

	ipipPriority  = 500
	ownPriority   = 1000
	checkPriority = 2000
)

// secondaryFirst is the first host number of the addresses assigned to interfaces
// in addition to the nodes' own.
const secondaryFirst = 256

// maxInterfaces is how many interfaces an instance can have, including its first
// one, as on a mid-size instance of the three clouds (Alibaba ecs.g7.4xlarge and
// AWS m5.4xlarge: 8).
const maxInterfaces = 8

// vpcState counts the resources that plugins have taken from a VPC.
type vpcState struct {
	routes    int    // in the route table
	addresses [2]int // assigned in each subnet
}

// cloud implements the VPC's API for plugins.
type cloud struct{ network *network }

var _ plugins.Cloud = cloud{}

func (f *fabric) buildVPC() error {
	if err := f.addSink(sinkUnowned, unix.RT_TABLE_MAIN); err != nil {
		return err
	}
	if f.topology.Checked() {
		if err := f.addSink(sinkCheck, checkTable); err != nil {
			return err
		}
	}
	if !f.topology.DropIPIP {
		return nil
	}
	if err := f.addSink(sinkIPIP, ipipTable); err != nil {
		return err
	}
	rule := netlink.NewRule()
	rule.Family, rule.Priority, rule.Table, rule.IPProto = netlink.FAMILY_V4, ipipPriority, ipipTable, unix.IPPROTO_IPIP
	if err := f.nl.RuleAdd(rule); err != nil {
		return fmt.Errorf("dropping IP protocol 4 in %s: %w", f.name, err)
	}
	return nil
}

// addSink creates a device that leads nowhere, and a table's default route to it.
func (f *fabric) addSink(name string, table int) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = name, f.mtu
	sink := &netlink.Veth{LinkAttrs: attrs, PeerName: name + "-end"}
	if err := f.nl.LinkAdd(sink); err != nil {
		return fmt.Errorf("creating %s of %s: %w", name, f.name, err)
	}
	end, err := f.nl.LinkByName(sink.PeerName)
	if err != nil {
		return fmt.Errorf("finding the end of %s of %s: %w", name, f.name, err)
	}
	if err := f.up(end); err != nil {
		return err
	}
	// Nothing answers there; packets must not wait for neighbour resolution.
	if err := f.nl.LinkSetARPOff(sink); err != nil {
		return fmt.Errorf("turning ARP off on %s of %s: %w", name, f.name, err)
	}
	if err := f.up(sink); err != nil {
		return err
	}
	all := netip.MustParsePrefix("0.0.0.0/0")
	if err := f.nl.RouteAdd(&netlink.Route{Dst: ipNet(all), LinkIndex: sink.Index, Table: table, Scope: netlink.SCOPE_LINK}); err != nil {
		return fmt.Errorf("routing to %s of %s: %w", name, f.name, err)
	}
	return nil
}

// connectToVPC makes the fabric answer ARP requests of an interface, before its
// port is up.
func (f *fabric) connectToVPC(p *port, l netlink.Link) error {
	if !f.topology.Bridged() {
		return f.Do(func() error {
			return setSysctls(map[string]string{
				"net/ipv4/conf/" + p.name + "/proxy_arp": "1",
				// Otherwise answers wait for up to 0.8 s (arp(7), proxy_delay).
				"net/ipv4/neigh/" + p.name + "/proxy_delay": "0",
			})
		})
	}
	// The bridge knows every address and MAC and floods nothing, and a port with
	// proxy ARP receives no broadcasts (net/bridge/br_arp_nd_proxy.c).
	return errors.Join(f.nl.LinkSetBrProxyArp(l, true), f.nl.LinkSetLearning(l, false), f.nl.LinkSetFlood(l, false))
}

// afterUp makes the interface's own address known to the VPC.
func (f *fabric) afterUp(p *port, index int) error {
	if f.topology.Kind != testbed.VPC {
		return nil
	}
	if f.topology.Bridged() {
		fdb := &netlink.Neigh{LinkIndex: index, Family: unix.AF_BRIDGE, Flags: netlink.NTF_MASTER,
			State: netlink.NUD_NOARP, HardwareAddr: p.mac}
		if err := f.nl.NeighAdd(fdb); err != nil {
			return fmt.Errorf("adding a neighbour entry for %s: %w", p.nic, err)
		}
		return f.knowNeighbour(p, p.primary.Addr(), switchName(p.subnet))
	}
	if err := f.knowNeighbour(p, p.primary.Addr(), p.name); err != nil {
		return err
	}
	return f.own(p, single(p.primary.Addr()))
}

// knowNeighbour adds a permanent neighbour entry for an address, because a cloud
// knows MACs without ARP.
func (f *fabric) knowNeighbour(p *port, addr netip.Addr, device string) error {
	link, err := f.nl.LinkByName(device)
	if err != nil {
		return fmt.Errorf("finding %s of %s: %w", device, f.name, err)
	}
	n := &netlink.Neigh{LinkIndex: link.Attrs().Index, State: netlink.NUD_PERMANENT, IP: addr.AsSlice(), HardwareAddr: p.mac}
	if err := f.nl.NeighSet(n); err != nil {
		return fmt.Errorf("adding a neighbour entry for %s: %w", addr, err)
	}
	return nil
}

// own makes the fabric forward a prefix to an interface, and lets the
// interface send from it.
func (f *fabric) own(p *port, prefix netip.Prefix) error {
	if f.topology.Bridged() {
		if prefix.IsSingleIP() && f.subnets[p.subnet].Contains(prefix.Addr()) {
			return f.knowNeighbour(p, prefix.Addr(), switchName(p.subnet))
		}
		if err := f.nl.RouteAdd(&netlink.Route{Dst: ipNet(prefix), Gw: p.primary.Addr().AsSlice()}); err != nil {
			return fmt.Errorf("routing %s to %s: %w", prefix, p.owner.name, err)
		}
		return nil
	}
	link, err := f.nl.LinkByName(p.name)
	if err != nil {
		return fmt.Errorf("finding %s of %s: %w", p.name, f.name, err)
	}
	route := &netlink.Route{Dst: ipNet(prefix), LinkIndex: link.Attrs().Index, Scope: netlink.SCOPE_LINK}
	if prefix != single(p.primary.Addr()) {
		route.Gw, route.Scope, route.Flags = p.primary.Addr().AsSlice(), netlink.SCOPE_UNIVERSE, int(netlink.FLAG_ONLINK)
	}
	if err := f.nl.RouteAdd(route); err != nil {
		return fmt.Errorf("routing %s to %s: %w", prefix, p.owner.name, err)
	}
	if !f.topology.Checked() {
		return nil
	}
	allow := netlink.NewRule()
	allow.Family, allow.Priority, allow.Table = netlink.FAMILY_V4, ownPriority, unix.RT_TABLE_MAIN
	allow.IifName, allow.Src = p.name, ipNet(prefix)
	if err := f.nl.RuleAdd(allow); err != nil {
		return fmt.Errorf("allowing %s to send from %s: %w", p.owner.name, prefix, err)
	}
	if prefix != single(p.primary.Addr()) {
		return nil
	}
	check := netlink.NewRule()
	check.Family, check.Priority, check.Table, check.IifName = netlink.FAMILY_V4, checkPriority, checkTable, p.name
	if err := f.nl.RuleAdd(check); err != nil {
		return fmt.Errorf("adding the source check for %s: %w", p.owner.name, err)
	}
	return nil
}

// portOf finds an interface of a node.
func (f *fabric) portOf(n plugins.Node, nic string) (*port, error) {
	for _, p := range f.ports {
		if p.owner == n && p.nic == nic {
			return p, nil
		}
	}
	return nil, fmt.Errorf("the VPC has no interface %s of %s", nic, n.Name())
}

// take assigns consecutive addresses of a subnet. The caller holds the lock.
func (f *fabric) take(subnet, count int) ([]netip.Addr, error) {
	first := secondaryFirst + f.vpc.addresses[subnet]
	if room := 1<<(32-f.subnets[subnet].Bits()) - 1; first+count > room {
		return nil, &plugins.QuotaError{What: "addresses in subnet " + f.subnets[subnet].String(), Limit: room - secondaryFirst}
	}
	f.vpc.addresses[subnet] += count
	addrs := make([]netip.Addr, count)
	for i := range addrs {
		addrs[i] = host(f.subnets[subnet], first+i).Addr()
	}
	return addrs, nil
}

// AddRoute adds a route to the VPC's route table.
func (c cloud) AddRoute(dst netip.Prefix, n plugins.Node) error {
	f := c.network.fabric
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.portOf(n, nicName)
	if err != nil {
		return err
	}
	if f.vpc.routes >= f.topology.RouteQuota {
		return fmt.Errorf("adding the VPC route %s to %s: %w", dst, n.Name(), &plugins.QuotaError{What: "routes in the VPC's table", Limit: f.topology.RouteQuota})
	}
	f.vpc.routes++
	return f.own(p, dst.Masked())
}

// AssignAddresses assigns secondary addresses to an interface.
func (c cloud) AssignAddresses(n plugins.Node, nic string, count int) ([]netip.Addr, error) {
	f := c.network.fabric
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.portOf(n, nic)
	if err != nil {
		return nil, err
	}
	addrs, err := f.take(p.subnet, count)
	if err != nil {
		return nil, fmt.Errorf("assigning addresses to %s: %w", n.Name(), err)
	}
	for _, a := range addrs {
		if err := f.own(p, single(a)); err != nil {
			return nil, err
		}
	}
	return addrs, nil
}

// AttachENI attaches another interface to a node, in the subnet of its first one.
func (c cloud) AttachENI(n plugins.Node) (plugins.ENI, error) {
	f, owner := c.network.fabric, n.(*node)
	f.mu.Lock()
	first, err := f.portOf(n, nicName)
	count := 0
	for _, p := range f.ports {
		if p.owner == owner && p.vlan == 0 {
			count++
		}
	}
	var addrs []netip.Addr
	if err == nil && count >= maxInterfaces {
		err = fmt.Errorf("attaching an interface to %s: %w", n.Name(), &plugins.QuotaError{What: "interfaces of an instance", Limit: maxInterfaces})
	}
	if err == nil {
		addrs, err = f.take(first.subnet, 1)
	}
	f.mu.Unlock()
	if err != nil {
		return plugins.ENI{}, err
	}
	eni := f.eni(fmt.Sprintf("eth%d", count), first.subnet, addrs[0])
	p, err := f.plug(owner, eni.Name, first.subnet, eni.Addr)
	if err != nil {
		return plugins.ENI{}, err
	}
	return eni, c.network.addLink(p)
}

// AttachSubENI attaches an interface to a node as a VLAN of one that it has, the
// trunk. All VLANs share the rate limit of the trunk's link.
func (c cloud) AttachSubENI(n plugins.Node, trunk string) (plugins.ENI, error) {
	f := c.network.fabric
	f.mu.Lock()
	defer f.mu.Unlock()
	p, err := f.portOf(n, trunk)
	if err != nil {
		return plugins.ENI{}, err
	}
	addrs, err := f.take(p.subnet, 1)
	if err != nil {
		return plugins.ENI{}, fmt.Errorf("attaching a sub-ENI to %s: %w", n.Name(), err)
	}
	id := firstVLAN
	for _, other := range f.ports {
		if other.owner == p.owner && other.vlan >= id {
			id = other.vlan + 1
		}
	}
	eni := f.eni(fmt.Sprintf("%s.%d", trunk, id), p.subnet, addrs[0])
	return eni, f.plugVLAN(p, id, eni)
}

// firstVLAN is the first tag on a trunk. By convention, switches use tag 1
// themselves.
const firstVLAN = 2

func (f *fabric) eni(name string, subnet int, addr netip.Addr) plugins.ENI {
	return plugins.ENI{Name: name, Addr: netip.PrefixFrom(addr, f.subnets[subnet].Bits()), Gateway: f.gateway(subnet).Addr()}
}
