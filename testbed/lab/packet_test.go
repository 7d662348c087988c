package lab

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/testbed"
)

// smallNetwork is a fabric with two nodes and no plugin.
func smallNetwork(t *testing.T, topology string, mtu int) *network {
	t.Helper()
	parsed, err := testbed.ParseTopology(topology)
	if err != nil {
		t.Fatal(err)
	}
	n := &network{name: "test"}
	if n.fabric, err = newFabric("fabric", parsed, mtu); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.fabric.close)
	for i := range 2 {
		// These namespaces need no mounts, unlike those of a lab's nodes.
		s, err := newSpace("node"+strconv.Itoa(i+1), unix.CLONE_NEWNET, nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.close)
		on := &node{space: s}
		p, err := on.attach(n.fabric, parsed.SubnetOf(i), firstNode+i)
		if err != nil {
			t.Fatal(err)
		}
		if err := n.addLink(p); err != nil {
			t.Fatal(err)
		}
		n.nodes = append(n.nodes, on)
		n.pods = append(n.pods, &pod{space: s, id: on.name, addr: on.addr.Addr(), node: on})
	}
	return n
}

// TestPackets sends packets between the nodes of every kind of topology. The
// largest packet that fits the MTU arrives; one that is a byte larger is refused.
func TestPackets(t *testing.T) {
	if !inLab(t) {
		return
	}
	for _, topology := range []string{"l2", "routed", "vpc", "vpc:srcdst-off", "vpc:l3-only:drop-ipip", "vpc:two-subnets"} {
		for _, mtu := range []int{1500, 9000} {
			t.Run(topology+" "+strconv.Itoa(mtu), func(t *testing.T) {
				n := smallNetwork(t, topology, mtu)
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				if err := reach(ctx, n.pods[0], n.pods[1]); err != nil {
					t.Fatal(err)
				}
				const headers = 28 // IPv4 and UDP
				if err := sendWhole(n.nodes[0], n.nodes[1], mtu-headers); err != nil {
					t.Errorf("a packet of %d bytes: %v", mtu, err)
				}
				if err := sendWhole(n.nodes[0], n.nodes[1], mtu-headers+1); !errors.Is(err, unix.EMSGSIZE) {
					t.Errorf("a packet of %d bytes: %v", mtu+1, err)
				}
			})
		}
	}
}

// sendWhole sends a datagram that may not be fragmented and waits for it.
func sendWhole(from, to *node, size int) error {
	var sender, receiver net.PacketConn
	listen := func(n *node, at *net.PacketConn) error {
		return n.Do(func() (err error) {
			*at, err = net.ListenPacket("udp4", netip.AddrPortFrom(n.addr.Addr(), 0).String())
			return err
		})
	}
	if err := listen(to, &receiver); err != nil {
		return err
	}
	defer receiver.Close()
	if err := listen(from, &sender); err != nil {
		return err
	}
	defer sender.Close()
	raw, err := sender.(*net.UDPConn).SyscallConn()
	if err != nil {
		return err
	}
	var option error
	err = raw.Control(func(fd uintptr) {
		option = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO)
	})
	if err := errors.Join(err, option); err != nil {
		return err
	}
	if _, err := sender.WriteTo(make([]byte, size), receiver.LocalAddr()); err != nil {
		return err
	}
	receiver.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, _, err = receiver.ReadFrom(make([]byte, size))
	return err
}

// TestSourceDestCheck makes a node send from an address that its interface does not
// own.
func TestSourceDestCheck(t *testing.T) {
	if !inLab(t) {
		return
	}
	foreign := netip.MustParseAddr("10.244.1.1")
	for topology, arrives := range map[string]bool{"vpc": false, "vpc:l3-only": true} {
		t.Run(topology, func(t *testing.T) {
			n := smallNetwork(t, topology, 1500)
			from := n.nodes[0]
			lo, err := from.nl.LinkByName("lo")
			if err != nil {
				t.Fatal(err)
			}
			if err := from.nl.AddrAdd(lo, &netlink.Addr{IPNet: ipNet(single(foreign))}); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if arrives {
				cancel()
				ctx, cancel = context.WithTimeout(t.Context(), 30*time.Second)
			}
			defer cancel()
			err = reach(ctx, &pod{space: from.space, id: "stranger", addr: foreign, node: from}, n.pods[1])
			if (err == nil) != arrives {
				t.Errorf("the packet arrives: %v, want %v (%v)", err == nil, arrives, err)
			}
		})
	}
}

// TestFullSubnet takes all addresses of a subnet.
func TestFullSubnet(t *testing.T) {
	parsed, err := testbed.ParseTopology("vpc")
	if err != nil {
		t.Fatal(err)
	}
	f := &fabric{topology: parsed, subnets: parsed.Subnets()}
	room := 4095 - secondaryFirst // the last address is the broadcast address
	addrs, err := f.take(0, room)
	if err != nil || addrs[0].String() != "100.64.1.0" || addrs[room-1].String() != "100.64.15.254" {
		t.Fatalf("%d addresses, %v", len(addrs), err)
	}
	var full *plugins.QuotaError
	if _, err := f.take(0, 1); !errors.As(err, &full) || full.Limit != room || !strings.Contains(err.Error(), "100.64.0.0/20") {
		t.Errorf("one address more: %v", err)
	}
	if _, err := f.take(1, 1); err != nil {
		t.Errorf("the other subnet: %v", err)
	}
	if _, err := (&node{space: &space{name: "n"}}).attach(&fabric{subnets: []netip.Prefix{netip.MustParsePrefix("100.64.0.0/24")}, space: &space{}}, 0, 256); err == nil || !strings.Contains(err.Error(), "no address left") {
		t.Errorf("a node beyond the subnet: %v", err)
	}
}
