package cce

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/cnibench/cnibench/plugins"
)

// A node's Open vSwitch has one bridge, whose own port (of the same name) is the
// gateway of the node's pods, and a VXLAN port to each other node.
const (
	ovsBridge = "ovs.cce"
	// vni is the tunnels' network identifier. Any value will do, since no other
	// network shares the underlay.
	vni = 1
)

// Open vSwitch's files and directories on a node. Those that it writes are in the
// node's private directories.
const (
	ovsRunDir   = "/run/openvswitch"
	ovsDatabase = ovsRunDir + "/conf.db"
	ovsSocket   = ovsRunDir + "/db.sock"
	ovsFlows    = ovsRunDir + "/flows"
	ovsSchema   = "/usr/share/openvswitch/vswitch.ovsschema" // Debian's openvswitch-common
)

// ovsPatience bounds the time for a command to the daemons. A command takes some
// milliseconds, and a tenth of a second on a kernel in user space; it has taken more
// than 15 s while the agents of eighteen networks started on that kernel's one CPU.
const ovsPatience = time.Minute

// tunnelNetwork is the container tunnel network of a cluster. All pods share one
// flat network, and each node has a block of it.
type tunnelNetwork struct {
	pods   netip.Prefix
	mtu    int
	blocks map[plugins.Node]netip.Prefix
}

// deployTunnel starts an Open vSwitch on each node, with tunnels to all other nodes
// and flows to their blocks.
func deployTunnel(ctx context.Context, n plugins.Network) (*plugins.Deployment, error) {
	t := &tunnelNetwork{pods: n.PodCIDR, mtu: n.MTU - plugins.IANAVXLAN.Overhead, blocks: map[plugins.Node]netip.Prefix{}}
	next := map[plugins.Node]netip.Prefix{}
	for i, node := range n.Nodes {
		block, err := plugins.NodeSubnet(n.PodCIDR, i)
		if err != nil {
			return nil, err
		}
		t.blocks[node], next[node] = block, netip.PrefixFrom(gateway(block), block.Bits())
	}
	err := plugins.OnAll(n.Nodes, func(node plugins.Node) error {
		if err := startSwitch(ctx, node); err != nil {
			return err
		}
		return t.connect(ctx, node, n.Nodes)
	})
	if err != nil {
		return nil, err
	}
	leases := &plugins.Leases[netip.Prefix]{
		Ask:   func(node plugins.Node) (netip.Prefix, error) { return nextAddress(next, node) },
		Begin: func(node plugins.Node, a netip.Prefix) error { return t.plug(node, a.Addr()) },
		Conf: func(node plugins.Node, a netip.Prefix) ([]byte, error) {
			inFlat := netip.PrefixFrom(a.Addr(), t.pods.Bits())
			return plugins.DeviceConf("cce", podEnd(a.Addr()), inFlat, gateway(t.blocks[node]))
		},
		End: func(node plugins.Node, a netip.Prefix) error { return unplug(node, a.Addr()) },
	}
	return leases.Deployment(), nil
}

// gateway returns a node's address in the pods' network: the first address of its
// block.
func gateway(block netip.Prefix) netip.Addr { return block.Masked().Addr().Next() }

// startSwitch starts a node's database and switch (ovsdb-server(1),
// ovs-vswitchd(8)).
func startSwitch(ctx context.Context, node plugins.Node) error {
	if err := node.Do(func() error { return os.MkdirAll(ovsRunDir, 0o755) }); err != nil {
		return fmt.Errorf("creating %s on %s: %w", ovsRunDir, node.Name(), err)
	}
	if err := node.Run(ctx, ovs("ovsdb-tool", "create", ovsDatabase, ovsSchema)); err != nil {
		return err
	}
	if err := node.Start(ovs("ovsdb-server", ovsDatabase, "--remote=punix:"+ovsSocket, "-vconsole:warn", "-vsyslog:off", "-vfile:off")); err != nil {
		return err
	}
	err := plugins.Poll(ctx, "the database of Open vSwitch on "+node.Name(), func() error {
		return node.Do(func() error {
			_, err := os.Stat(ovsSocket)
			return err
		})
	})
	if err != nil {
		return err
	}
	return node.Start(ovs("ovs-vswitchd", "unix:"+ovsSocket, "-vconsole:warn", "-vsyslog:off", "-vfile:off"))
}

// programs maps Open vSwitch's programs to the directories in which Debian's
// openvswitch-switch puts them.
var programs = map[string]string{
	"ovsdb-tool": "/usr/bin/", "ovsdb-server": "/usr/sbin/", "ovs-vswitchd": "/usr/sbin/", "ovs-vsctl": "/usr/bin/", "ovs-ofctl": "/usr/bin/",
}

// ovs returns a program of Open vSwitch that uses the node's ovsRunDir.
func ovs(program string, args ...string) plugins.Process {
	return plugins.Process{Name: program, Path: programs[program] + program, Args: args, Env: []string{"OVS_RUNDIR=" + ovsRunDir}}
}

// vsctl changes the switch's configuration, and returns once the switch has applied
// it (ovs-vsctl(8)).
func vsctl(ctx context.Context, node plugins.Node, args ...string) error {
	return node.Run(ctx, ovs("ovs-vsctl", append([]string{"--db=unix:" + ovsSocket, patience()}, args...)...))
}

func patience() string { return fmt.Sprintf("--timeout=%.0f", ovsPatience.Seconds()) }

// program adds or deletes flows, either all or none of them (ovs-ofctl(8), add-flows
// and --bundle).
func program(ctx context.Context, node plugins.Node, flows []string) error {
	text := []byte(strings.Join(flows, "\n") + "\n")
	if err := node.Do(func() error { return os.WriteFile(ovsFlows, text, 0o644) }); err != nil {
		return fmt.Errorf("writing the flows of %s: %w", node.Name(), err)
	}
	return node.Run(ctx, ovs("ovs-ofctl", patience(), "--bundle", "add-flows", ovsBridge, ovsFlows))
}

// lead returns the flows that lead to a part of the pods' network: one for packets
// to it, one for ARP requests. The longest prefix wins, as in routing.
func lead(to netip.Prefix, port string) []string {
	return []string{
		fmt.Sprintf("add priority=%d,ip,nw_dst=%s,actions=output:%s", to.Bits(), to, port),
		fmt.Sprintf("add priority=%d,arp,arp_tpa=%s,actions=output:%s", to.Bits(), to, port),
	}
}

// connect creates a node's bridge, with a port to each other node and flows to that
// node's block. Everything else goes to the node itself. The bridge does not learn,
// so nothing is flooded through the mesh of tunnels.
func (t *tunnelNetwork) connect(ctx context.Context, node plugins.Node, all []plugins.Node) error {
	// A bridge otherwise takes its ports' lowest MAC, which changes as ports come and
	// go (ovs-vswitchd.conf.db(5), other_config:hwaddr).
	mac := macOf(gateway(t.blocks[node]))
	config := []string{"add-br", ovsBridge, "--", "set", "bridge", ovsBridge, "fail_mode=secure", fmt.Sprintf("other_config:hwaddr=%q", mac),
		"--", "set", "interface", ovsBridge, fmt.Sprintf("mtu_request=%d", t.mtu)}
	flows := lead(netip.PrefixFrom(netip.IPv4Unspecified(), 0), "LOCAL")
	for i, other := range all {
		if other == node {
			continue
		}
		port := fmt.Sprintf("vxlan%d", i+1)
		config = append(config, "--", "add-port", ovsBridge, port, "--", "set", "interface", port, "type=vxlan",
			"options:local_ip="+node.Addr().Addr().String(), "options:remote_ip="+other.Addr().Addr().String(),
			fmt.Sprintf("options:key=%d", vni), fmt.Sprintf("options:dst_port=%d", plugins.IANAVXLAN.Port))
		flows = append(flows, lead(t.blocks[other], port)...)
	}
	if err := vsctl(ctx, node, config...); err != nil {
		return err
	}
	if err := program(ctx, node, flows); err != nil {
		return err
	}
	return t.addGateway(node)
}

// addGateway assigns the node's address in the pods' network to the bridge's own
// port.
func (t *tunnelNetwork) addGateway(node plugins.Node) error {
	at := gateway(t.blocks[node])
	err := node.Do(func() error {
		link, err := netlink.LinkByName(ovsBridge)
		if err != nil {
			return err
		}
		addr := &net.IPNet{IP: at.AsSlice(), Mask: net.CIDRMask(t.pods.Bits(), at.BitLen())}
		if err := netlink.AddrAdd(link, &netlink.Addr{IPNet: addr}); err != nil {
			return err
		}
		return netlink.LinkSetUp(link)
	})
	if err != nil {
		return fmt.Errorf("assigning to the node %s the address %s in the pods' network: %w", node.Name(), at, err)
	}
	return nil
}

// switchEnd and podEnd name the two ends of a pod's veth pair: the one in the switch,
// and the one that is moved into the pod. Interface names can have 15 characters.
func switchEnd(a netip.Addr) string { return fmt.Sprintf("cce%x", a.AsSlice()) }
func podEnd(a netip.Addr) string    { return fmt.Sprintf("pod%x", a.AsSlice()) }

// macOf returns the MAC of an address in the pods' network, locally administered
// (IEEE 802, 8.4). The network is flat, so pods on all nodes cache the MAC of an
// address; an address that is reused by another pod must keep it.
func macOf(a netip.Addr) net.HardwareAddr {
	return append(net.HardwareAddr{0x0a, 0x58}, a.AsSlice()...)
}

// plug connects one end of a new veth pair to the switch, with flows to it, for the
// pod that will have the address.
func (t *tunnelNetwork) plug(node plugins.Node, a netip.Addr) error {
	ctx, cancel := context.WithTimeout(context.Background(), ovsPatience)
	defer cancel()
	port := switchEnd(a)
	err := node.Do(func() error {
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.MTU = port, t.mtu
		veth := &netlink.Veth{LinkAttrs: attrs, PeerName: podEnd(a), PeerMTU: uint32(t.mtu), PeerHardwareAddr: macOf(a)}
		if err := netlink.LinkAdd(veth); err != nil {
			return err
		}
		return netlink.LinkSetUp(veth)
	})
	if err != nil {
		return fmt.Errorf("creating the interface of a pod on %s: %w", node.Name(), err)
	}
	if err := vsctl(ctx, node, "add-port", ovsBridge, port); err != nil {
		return err
	}
	return program(ctx, node, lead(netip.PrefixFrom(a, a.BitLen()), port))
}

// unplug undoes plug.
func unplug(node plugins.Node, a netip.Addr) error {
	ctx, cancel := context.WithTimeout(context.Background(), ovsPatience)
	defer cancel()
	if err := program(ctx, node, []string{fmt.Sprintf("delete ip,nw_dst=%s", a), fmt.Sprintf("delete arp,arp_tpa=%s", a)}); err != nil {
		return err
	}
	if err := vsctl(ctx, node, "del-port", ovsBridge, switchEnd(a)); err != nil {
		return err
	}
	return plugins.DelLink(node, switchEnd(a))
}
