package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"

	"github.com/spf13/cobra"
	"github.com/vishvananda/netlink"

	"github.com/cnibench/cnibench/testbed/cluster"
	"github.com/cnibench/cnibench/testbed/cluster/detect"
)

// lookCommand prints what the network that it runs in shows of the plugin that
// connects pods.
func lookCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use: cluster.LookCommand + " [ADDRESS...]", Short: "Print the devices that lead to addresses, the gateway and the tunnels", Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			var addrs []netip.Addr
			for _, arg := range args {
				addr, err := netip.ParseAddr(arg)
				if err != nil {
					return usageError{err}
				}
				addrs = append(addrs, addr)
			}
			v, err := look(addrs)
			if err != nil {
				return err
			}
			return json.NewEncoder(p.stdout).Encode(v)
		},
	}
}

// look asks the kernel for the devices that lead to addresses, the default gateway and
// the tunnel devices of this network namespace. It needs no privilege.
func look(addrs []netip.Addr) (detect.View, error) {
	v := detect.View{Devices: []string{}}
	links, err := netlink.LinkList()
	if err != nil {
		return v, fmt.Errorf("listing devices: %w", err)
	}
	names := map[int]string{}
	for _, l := range links {
		a := l.Attrs()
		names[a.Index] = a.Name
		if t, is := tunnelOf(l); is && a.Flags&net.FlagUp != 0 && len(v.Tunnels) < detect.MaxTunnels {
			v.Tunnels = append(v.Tunnels, t)
		}
	}
	for _, addr := range addrs {
		device := ""
		if routes, err := netlink.RouteGet(addr.AsSlice()); err == nil && len(routes) > 0 {
			device = names[routes[0].LinkIndex]
		}
		v.Devices = append(v.Devices, device)
	}
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		routes, err := netlink.RouteListFiltered(family, &netlink.Route{Dst: nil}, netlink.RT_FILTER_DST)
		if err != nil {
			continue // the kernel lacks the family
		}
		for _, r := range routes {
			if gateway, ok := netip.AddrFromSlice(r.Gw); ok && !v.Gateway.IsValid() {
				v.Gateway = gateway.Unmap()
			}
		}
	}
	return v, nil
}

// tunnelOf describes a device if it is a tunnel.
func tunnelOf(l netlink.Link) (detect.Tunnel, bool) {
	t := detect.Tunnel{Name: l.Attrs().Name, Kind: l.Type(), MTU: l.Attrs().MTU}
	switch l := l.(type) {
	case *netlink.Vxlan:
		t.Port, t.VNI = l.Port, l.VxlanId
	case *netlink.Geneve:
		t.Port, t.VNI = int(l.Dport), int(l.ID)
	case *netlink.Iptun, *netlink.Wireguard, *netlink.Tuntap, *netlink.Gretun, *netlink.Ip6tnl, *netlink.Sittun:
	default:
		return t, false
	}
	return t, true
}
