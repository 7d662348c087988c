package leftovers

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Errors of the kernel for what is no longer there.
var (
	errNoSuchProcess error = unix.ESRCH
	errNoDevice      error = unix.ENODEV
)

var families = []int{netlink.FAMILY_V4, netlink.FAMILY_V6}

// changing lists the protocols of routes that come and go by themselves: the
// kernel's follow the addresses, the others are learnt from neighbours.
var changing = []netlink.RouteProtocol{unix.RTPROT_REDIRECT, unix.RTPROT_KERNEL, unix.RTPROT_RA, unix.RTPROT_DHCP}

// routes lists the routes in all tables, except for those that follow addresses.
func routes() ([]thing, error) {
	names, err := deviceNames()
	if err != nil {
		return nil, err
	}
	var all []thing
	for _, family := range families {
		list, err := netlink.RouteListFiltered(family, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
		if err != nil && !errors.Is(err, unix.EAFNOSUPPORT) {
			return all, err
		}
		for _, r := range list {
			if r.Table == unix.RT_TABLE_LOCAL || slices.Contains(changing, r.Protocol) || r.Flags&unix.RTM_F_CLONED != 0 || r.Type == unix.RTN_MULTICAST {
				continue
			}
			to := destination(r, family)
			if to.Addr().IsLinkLocalUnicast() {
				continue
			}
			all = append(all, thing{routeItem(r, to, names[r.LinkIndex]), func() error { return netlink.RouteDel(&r) }})
		}
	}
	return all, nil
}

func destination(r netlink.Route, family int) netip.Prefix {
	if r.Dst == nil {
		if family == netlink.FAMILY_V6 {
			return netip.PrefixFrom(netip.IPv6Unspecified(), 0)
		}
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	addr, _ := netip.AddrFromSlice(r.Dst.IP)
	bits, _ := r.Dst.Mask.Size()
	return netip.PrefixFrom(addr.Unmap(), bits)
}

func routeItem(r netlink.Route, to netip.Prefix, device string) Item {
	name := to.String()
	if kind, ok := routeTypes[r.Type]; ok {
		name = kind + " " + name
	}
	if r.Gw != nil {
		name += " via " + r.Gw.String()
	}
	for _, hop := range r.MultiPath {
		name += " via " + hop.Gw.String()
	}
	i := Item{Kind: Route, To: to.String()}
	if device != "" {
		name += " dev " + device
		i.In = Owner{Device, device}
	}
	if r.Table != unix.RT_TABLE_MAIN {
		name += fmt.Sprintf(" table %d", r.Table)
	}
	i.Name = name
	return i
}

var routeTypes = map[int]string{unix.RTN_BLACKHOLE: "blackhole", unix.RTN_UNREACHABLE: "unreachable", unix.RTN_PROHIBIT: "prohibit", unix.RTN_THROW: "throw"}

// policies lists the routing rules, except for the kernel's own (ip-rule(8)).
func policies() ([]thing, error) {
	var all []thing
	for _, family := range families {
		list, err := netlink.RuleList(family)
		if err != nil && !errors.Is(err, unix.EAFNOSUPPORT) {
			return all, err
		}
		for _, r := range list {
			own := r.Priority == 0 && r.Table == unix.RT_TABLE_LOCAL || r.Priority == 32766 && r.Table == unix.RT_TABLE_MAIN ||
				r.Priority == 32767 && r.Table == unix.RT_TABLE_DEFAULT
			if own && r.Src == nil && r.Dst == nil && r.Mark == 0 {
				continue
			}
			name := strings.TrimPrefix(r.String(), "ip rule ")
			if family == netlink.FAMILY_V6 {
				name += " (ip6)"
			}
			if r.Mark != 0 {
				name += fmt.Sprintf(" fwmark %#x", r.Mark)
			}
			all = append(all, thing{Item{Kind: Policy, Name: name}, func() error { return netlink.RuleDel(&r) }})
		}
	}
	return all, nil
}
