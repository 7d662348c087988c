package lab

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/testbed"
)

// podCIDR is the range of pods' addresses: flannel's own default. Every network has
// its own namespaces, so all can use the same range.
var podCIDR = netip.MustParsePrefix("10.244.0.0/16")

// Host numbers in a subnet.
const (
	gatewayHost = 1
	controlHost = 2
	outsideHost = 3
	firstNode   = 11
	lastNode    = 254 // of the smallest subnet, a /24
)

// host returns the address with the given host number in a subnet, with the prefix
// length of the subnet.
func host(subnet netip.Prefix, number int) netip.Prefix {
	a := subnet.Masked().Addr().As4()
	a[2] += byte(number >> 8)
	a[3] += byte(number)
	return netip.PrefixFrom(netip.AddrFrom4(a), subnet.Bits())
}

// ipNet converts a prefix to the type that netlink takes.
func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// single returns the prefix that contains only one address.
func single(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// fabric connects the machines of a network: a namespace with the switches and
// routers of its topology.
type fabric struct {
	*space
	topology testbed.Topology
	mtu      int
	subnets  []netip.Prefix

	mu    sync.Mutex // plugins call the cloud's API from several goroutines
	ports []*port
	vpc   vpcState
}

// port is where a machine's interface is connected.
type port struct {
	name    string // inside the fabric's namespace
	subnet  int
	owner   *node
	nic     string // inside the owner's namespace
	mac     net.HardwareAddr
	primary netip.Prefix // the interface's own address
	vlan    int          // its tag on the trunk, 0 if it is not on a trunk
}

// newFabric creates the switches and routers of a topology.
func newFabric(name string, topology testbed.Topology, mtu int) (*fabric, error) {
	s, err := newSpace(name, unix.CLONE_NEWNET, func() error {
		forward := "1"
		if topology.Kind == testbed.L2 {
			forward = "0" // a switch does not route
		}
		sysctls := map[string]string{
			"net/ipv4/ip_forward":                  forward,
			"net/ipv4/conf/all/rp_filter":          "0",
			"net/ipv4/conf/default/rp_filter":      "0",
			"net/ipv4/conf/all/send_redirects":     "0",
			"net/ipv4/conf/default/send_redirects": "0",
		}
		// The fabric does not use IPv6, whose own messages would be counted as
		// dropped packets.
		if quiet := "net/ipv6/conf/default/disable_ipv6"; exists("/proc/sys/" + quiet) {
			sysctls[quiet] = "1"
		}
		// A switch has no packet filter. The filter's hooks would cost time for
		// every frame, which would be attributed to the plugins.
		for _, family := range []string{"iptables", "ip6tables", "arptables"} {
			if hook := "net/bridge/bridge-nf-call-" + family; exists("/proc/sys/" + hook) {
				sysctls[hook] = "0"
			}
		}
		return setSysctls(sysctls)
	})
	if err != nil {
		return nil, err
	}
	f := &fabric{space: s, topology: topology, mtu: mtu, subnets: topology.Subnets()}
	if err := f.build(); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func (f *fabric) build() error {
	for i := range f.subnets {
		if err := f.addGateway(i); err != nil {
			return err
		}
	}
	if f.topology.Kind == testbed.VPC {
		return f.buildVPC()
	}
	return nil
}

// gateway returns the fabric's own address in a subnet.
func (f *fabric) gateway(subnet int) netip.Prefix { return host(f.subnets[subnet], gatewayHost) }

// switchName returns the name of a subnet's bridge in the fabric's namespace.
func switchName(subnet int) string { return "br" + strconv.Itoa(subnet) }

// addGateway puts a subnet's gateway address on its switch or, if every interface
// has a router port of its own, on the router.
func (f *fabric) addGateway(subnet int) error {
	if !f.topology.Bridged() {
		lo, err := f.nl.LinkByName("lo")
		if err != nil {
			return fmt.Errorf("finding lo of %s: %w", f.name, err)
		}
		if err := f.nl.AddrAdd(lo, &netlink.Addr{IPNet: ipNet(single(f.gateway(subnet).Addr()))}); err != nil {
			return fmt.Errorf("assigning the gateway's address of %s: %w", f.name, err)
		}
		return nil
	}
	bridge, err := f.addBridge(switchName(subnet))
	if err != nil {
		return err
	}
	if err := f.nl.AddrAdd(bridge, &netlink.Addr{IPNet: ipNet(f.gateway(subnet))}); err != nil {
		return fmt.Errorf("assigning the gateway's address of %s: %w", f.name, err)
	}
	return f.up(bridge)
}

// addBridge creates a bridge and leaves it down.
func (f *fabric) addBridge(name string) (*netlink.Bridge, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = name, f.mtu
	// A bridge otherwise takes its ports' lowest MAC and forgets all neighbours,
	// even permanent ones, whenever that MAC changes.
	attrs.HardwareAddr = newMAC()
	snooping := false
	bridge := &netlink.Bridge{LinkAttrs: attrs, MulticastSnooping: &snooping}
	if err := f.nl.LinkAdd(bridge); err != nil {
		return nil, fmt.Errorf("creating the bridge %s of %s: %w", name, f.name, err)
	}
	// A bridge follows its ports' MTU until its own is set.
	if err := f.nl.LinkSetMTU(bridge, f.mtu); err != nil {
		return nil, fmt.Errorf("setting the MTU of %s: %w", f.name, err)
	}
	return bridge, nil
}

// newMAC returns a random MAC, locally administered and unicast (IEEE 802, 8.4).
func newMAC() net.HardwareAddr {
	mac := make(net.HardwareAddr, 6)
	rand.Read(mac)
	mac[0] = mac[0]&^1 | 2
	return mac
}

func (f *fabric) up(l netlink.Link) error {
	if err := f.nl.LinkSetUp(l); err != nil {
		return fmt.Errorf("bringing up %s of %s: %w", l.Attrs().Name, f.name, err)
	}
	return nil
}

// plug connects an interface of a machine to the fabric by a veth pair and assigns
// its address.
func (f *fabric) plug(n *node, nic string, subnet int, addr netip.Prefix) (*port, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := &port{name: "port" + strconv.Itoa(len(f.ports)+1), subnet: subnet, owner: n, nic: nic, primary: addr}
	attrs, err := f.portAttrs(p)
	if err != nil {
		return nil, err
	}
	veth := &netlink.Veth{LinkAttrs: attrs, PeerName: nic, PeerNamespace: netlink.NsFd(n.net.Fd())}
	if err := f.nl.LinkAdd(veth); err != nil {
		return nil, fmt.Errorf("connecting %s of %s to the fabric: %w", nic, n.name, err)
	}
	return p, f.connect(p, veth)
}

// plugVLAN connects an interface that is a VLAN on another one, the trunk.
func (f *fabric) plugVLAN(trunk *port, id int, eni plugins.ENI) error {
	p := &port{name: fmt.Sprintf("%s.%d", trunk.name, id), subnet: trunk.subnet, owner: trunk.owner, nic: eni.Name, primary: eni.Addr, vlan: id}
	attrs, err := f.portAttrs(p)
	if err != nil {
		return err
	}
	vlan := func(s *space, parent string, attrs netlink.LinkAttrs) (netlink.Link, error) {
		on, err := s.nl.LinkByName(parent)
		if err != nil {
			return nil, fmt.Errorf("finding %s of %s: %w", parent, s.name, err)
		}
		attrs.ParentIndex = on.Attrs().Index
		link := &netlink.Vlan{LinkAttrs: attrs, VlanId: id, VlanProtocol: netlink.VLAN_PROTOCOL_8021Q}
		if err := s.nl.LinkAdd(link); err != nil {
			return nil, fmt.Errorf("creating VLAN %d of %s of %s: %w", id, parent, s.name, err)
		}
		return link, nil
	}
	inside := netlink.NewLinkAttrs()
	inside.Name, inside.MTU, inside.HardwareAddr = eni.Name, f.mtu, newMAC()
	if _, err := vlan(trunk.owner.space, trunk.nic, inside); err != nil {
		return err
	}
	link, err := vlan(f.space, trunk.name, attrs)
	if err != nil {
		return err
	}
	return f.connect(p, link)
}

// portAttrs returns the attributes of the fabric's side of an interface.
func (f *fabric) portAttrs(p *port) (netlink.LinkAttrs, error) {
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = p.name, f.mtu
	if f.topology.Bridged() {
		bridge, err := f.nl.LinkByName(switchName(p.subnet))
		if err != nil {
			return attrs, fmt.Errorf("finding the switch of %s: %w", p.owner.name, err)
		}
		attrs.MasterIndex = bridge.Attrs().Index
	}
	return attrs, nil
}

// connect brings up both sides of an interface.
func (f *fabric) connect(p *port, l netlink.Link) error {
	var err error
	if p.mac, err = p.owner.setUp(p.nic, f.mtu, p.primary); err != nil {
		return err
	}
	if f.topology.Kind == testbed.VPC {
		if err := f.connectToVPC(p, l); err != nil {
			return fmt.Errorf("connecting %s of %s to the VPC: %w", p.nic, p.owner.name, err)
		}
	}
	if err := f.up(l); err != nil {
		return err
	}
	f.ports = append(f.ports, p)
	return f.afterUp(p, l.Attrs().Index)
}
