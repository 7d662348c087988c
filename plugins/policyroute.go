package plugins

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Priorities of the rules by which cloud plugins route each pod: packets to the pod
// use the node's main table, packets from it the table of its interface (Terway
// plugin/driver/utils: toContainerPriority 512, fromContainerPriority 2048;
// amazon-vpc-cni-k8s docs/cni-proposal.md: 512 and 1536).
const (
	toPodPriority   = 512
	fromPodPriority = 2048
)

// RoutePod sets up policy routing for a pod's address on a node: packets to it use
// the main table, packets from it the given table (0 means the main table too).
func RoutePod(n Node, addr netip.Addr, table int) error {
	return eachPodRule(n, addr, table, netlink.RuleAdd)
}

// UnroutePod removes the rules of [RoutePod].
func UnroutePod(n Node, addr netip.Addr, table int) error {
	return eachPodRule(n, addr, table, netlink.RuleDel)
}

func eachPodRule(n Node, addr netip.Addr, table int, do func(*netlink.Rule) error) error {
	one := &net.IPNet{IP: addr.AsSlice(), Mask: net.CIDRMask(addr.BitLen(), addr.BitLen())}
	to := netlink.NewRule()
	to.Family, to.Dst, to.Table, to.Priority = netlink.FAMILY_V4, one, unix.RT_TABLE_MAIN, toPodPriority
	rules := []*netlink.Rule{to}
	if table != 0 {
		from := netlink.NewRule()
		from.Family, from.Src, from.Table, from.Priority = netlink.FAMILY_V4, one, table, fromPodPriority
		rules = append(rules, from)
	}
	return n.Do(func() error {
		for _, rule := range rules {
			if err := do(rule); err != nil {
				return fmt.Errorf("changing the policy routing of %s: %w", addr, err)
			}
		}
		return nil
	})
}

// RouteTable creates a routing table on a node whose default route uses a cloud
// interface.
func RouteTable(n Node, eni ENI, table int) error {
	err := n.Do(func() error {
		link, err := netlink.LinkByName(eni.Name)
		if err != nil {
			return err
		}
		_, all, err := net.ParseCIDR("0.0.0.0/0")
		if err != nil {
			return err
		}
		return netlink.RouteAdd(&netlink.Route{Dst: all, Gw: eni.Gateway.AsSlice(), LinkIndex: link.Attrs().Index,
			Table: table, Flags: int(netlink.FLAG_ONLINK)})
	})
	if err != nil {
		return fmt.Errorf("creating a routing table for %s on %s: %w", eni.Name, n.Name(), err)
	}
	return nil
}
