package lab

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// bridgeName is the bridge inside a switch's namespace.
const bridgeName = "br0"

// The addresses of a lab network. Every network has namespaces of its own, so
// they can be the same for all: 100.64.0.0/10 is shared address space (RFC
// 6598) that no cluster uses for pods; 10.244.0.0/16 is flannel's own default.
var (
	underlay = netip.MustParsePrefix("100.64.0.0/24")
	podCIDR  = netip.MustParsePrefix("10.244.0.0/16")
)

// Host numbers on the underlay.
const (
	gatewayHost = 1
	controlHost = 2
	firstNode   = 11
)

// host returns the address with the given host number on the underlay, as an
// address with its subnet's length.
func host(subnet netip.Prefix, number int) netip.Prefix {
	a := subnet.Masked().Addr().As4()
	a[3] += byte(number)
	return netip.PrefixFrom(netip.AddrFrom4(a), subnet.Bits())
}

// ipNet converts to the form that netlink takes.
func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// newSwitch makes one Ethernet segment: a namespace with a bridge, which also
// holds the segment's gateway address. It forwards no IP packet.
func newSwitch(name string, mtu int, gateway netip.Prefix) (*space, error) {
	s, err := newSpace(name, unix.CLONE_NEWNET, nil)
	if err != nil {
		return nil, err
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = bridgeName, mtu
	snooping := false
	bridge := &netlink.Bridge{LinkAttrs: attrs, MulticastSnooping: &snooping}
	if err := s.nl.LinkAdd(bridge); err != nil {
		return nil, fmt.Errorf("making the bridge of %s: %w", name, err)
	}
	// A bridge follows its ports' MTU until one is set.
	if err := s.nl.LinkSetMTU(bridge, mtu); err != nil {
		return nil, fmt.Errorf("setting the MTU of %s: %w", name, err)
	}
	if err := s.nl.AddrAdd(bridge, &netlink.Addr{IPNet: ipNet(gateway)}); err != nil {
		return nil, fmt.Errorf("addressing the gateway of %s: %w", name, err)
	}
	if err := s.nl.LinkSetUp(bridge); err != nil {
		return nil, fmt.Errorf("bringing up %s: %w", name, err)
	}
	return s, nil
}
