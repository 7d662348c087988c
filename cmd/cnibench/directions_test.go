package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

// iptables runs it on a node.
func iptables(ctx context.Context, n plugins.Node, args string) error {
	return n.Run(ctx, plugins.Process{Name: "iptables", Path: "/usr/sbin/iptables", Args: append([]string{"-w"}, strings.Fields(args)...)})
}

// masqueradePods applies source NAT to what the first node's pods send to pods on
// other nodes, as rules left by an earlier plugin would.
func masqueradePods(ctx context.Context, n plugins.Network, d *plugins.Deployment) error {
	subnet, err := podSubnet(d, n.Nodes[0])
	if err != nil {
		return err
	}
	return iptables(ctx, n.Nodes[0], fmt.Sprintf("-t nat -I POSTROUTING -s %s ! -d %s -j MASQUERADE", subnet.Masked(), subnet.Masked()))
}

// cutWayBack drops, on the second node, the packets of its pods to the first node's
// pods.
func cutWayBack(ctx context.Context, n plugins.Network, d *plugins.Deployment) error {
	to, err := podSubnet(d, n.Nodes[0])
	if err != nil {
		return err
	}
	return iptables(ctx, n.Nodes[1], fmt.Sprintf("-I FORWARD -d %s -j DROP", to.Masked()))
}

// cutThirdNode drops the packets to the third node's pods.
func cutThirdNode(ctx context.Context, n plugins.Network, d *plugins.Deployment) error {
	to, err := podSubnet(d, n.Nodes[2])
	if err != nil {
		return err
	}
	return iptables(ctx, n.Nodes[2], fmt.Sprintf("-I FORWARD -d %s -j DROP", to.Masked()))
}

// slowWayBack limits the rate at which packets leave the second node through its
// tunnel.
func slowWayBack(_ context.Context, n plugins.Network, _ *plugins.Deployment) error {
	return n.Nodes[1].Do(func() error {
		link, err := netlink.LinkByName("flannel.1")
		if err != nil {
			return err
		}
		return netlink.QdiscAdd(&netlink.Tbf{QdiscAttrs: netlink.QdiscAttrs{LinkIndex: link.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
			Rate: 20e6 / 8, Limit: 256 << 10, Buffer: 128 << 10})
	})
}

// smallerNIC gives the second node's NIC a smaller MTU than the first's.
func smallerNIC(_ context.Context, n plugins.Network, _ *plugins.Deployment) error {
	return n.Nodes[1].Do(func() error {
		link, err := netlink.LinkByName(n.Nodes[1].NIC())
		if err != nil {
			return err
		}
		return netlink.LinkSetMTU(link, 1400)
	})
}

func pods(r *model.Report, plugin string) map[string]results.Reachability {
	ways := map[string]results.Reachability{}
	for _, a := range r.Reachability {
		if a.Plugin == plugin && a.Direction == results.PodToPod {
			ways[a.From+" to "+a.To] = a
		}
	}
	return ways
}

func foundNames(r *model.Report, plugin string) (names []string) {
	for _, f := range r.Findings {
		if f.Plugin == plugin {
			names = append(names, f.Name)
		}
	}
	slices.Sort(names)
	return names
}

// TestBothWays measures networks in which one direction, or one node, is faulty.
func TestBothWays(t *testing.T) {
	needs(t, "flannel-vxlan")
	r := measure(t, "--plugins", "flannel-vxlan,faulty-snat,faulty-back,faulty-slow,faulty-nic,faulty-third", "--probes", "tcp-rr,mtu,reach", "--nodes", "3",
		"--wire", "none", "--rounds", "1", "--duration", "100ms")
	for _, c := range []struct {
		plugin      string
		there, back string // source; "" where nothing arrives
		status      string
		cause       string
		findings    []string
	}{
		{"host", "kept", "kept", results.StatusOK, "", nil},
		{"flannel-vxlan", "kept", "kept", results.StatusOK, "", nil},
		{"faulty-snat", "snat", "kept", results.StatusOK, "", []string{"pod-source-nat"}},
		{"faulty-back", "kept", "", results.StatusFailed, "from pod pod2", nil},
		{"faulty-slow", "kept", "kept", results.StatusOK, "", []string{"one-direction-slow"}},
		{"faulty-nic", "kept", "kept", results.StatusOK, "", []string{"mtu-asymmetric", "pmtu-black-hole", "pod-mtu-too-large", "tcp-does-not-pass", "underlay-fragments", "underlay-mtu-differs"}},
		{"faulty-third", "kept", "kept", results.StatusOK, "", []string{"node-unreached"}},
	} {
		t.Run(c.plugin, func(t *testing.T) {
			ways := pods(r, c.plugin)
			if len(ways) != 2 || ways["node1 to node2"].Source != c.there || ways["node2 to node1"].Source != c.back {
				t.Errorf("%+v, want there %q, back %q", ways, c.there, c.back)
			}
			cell := r.Cell(results.Cell{Plugin: c.plugin, Topology: results.On("l2"), Wire: "none"})
			if cell == nil || cell.Status != c.status || !strings.Contains(cell.Cause.String(), c.cause) {
				t.Errorf("%+v, want %s: %s", cell, c.status, c.cause)
			}
			if names := foundNames(r, c.plugin); !slices.Equal(names, c.findings) {
				t.Errorf("found %q, want %q: %+v", names, c.findings, r.Findings)
			}
		})
	}
}
