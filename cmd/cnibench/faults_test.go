package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// faultyPlugins returns plugins that are broken on purpose, each in one way.
func faultyPlugins() []*plugins.Plugin {
	return []*plugins.Plugin{
		faulty("faulty-bypass", bypassTunnel),
		faulty("faulty-agent", startDyingAgent),
		faulty("faulty-never", func(ctx context.Context, _ plugins.Network, _ *plugins.Deployment) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}),
		faulty("faulty-later", startAgentThatDiesLater),
		onlyOnce("faulty-once"),
		faulty("faulty-path", takePathDownLater),
		faulty("faulty-mtu", tooLargePods),
		faulty("faulty-cni", cniThatHangs),
		faulty("faulty-snat", masqueradePods),
		faulty("faulty-back", cutWayBack),
		faulty("faulty-slow", slowWayBack),
		faulty("faulty-nic", smallerNIC),
		faulty("faulty-third", cutThirdNode),
		faulty("faulty-guarded", guardNode),
		forcedIPIP(),
	}
}

// faulty returns flannel-vxlan with a function that is called after its deployment.
func faulty(name string, after func(ctx context.Context, n plugins.Network, d *plugins.Deployment) error) *plugins.Plugin {
	sound := catalogue.All().Get("flannel-vxlan")
	p := *sound
	p.Name, p.Aliases = name, nil
	p.Deploy = func(ctx context.Context, n plugins.Network) (*plugins.Deployment, error) {
		d, err := sound.Deploy(ctx, n)
		if err != nil {
			return nil, err
		}
		return d, after(ctx, n, d)
	}
	return &p
}

// onlyOnce returns a plugin that can be deployed only once in a run.
func onlyOnce(name string) *plugins.Plugin {
	deployed := false
	return faulty(name, func(context.Context, plugins.Network, *plugins.Deployment) error {
		if deployed {
			return errors.New("the second time never works")
		}
		deployed = true
		return nil
	})
}

// forcedIPIP returns Calico in IPIP mode that does not ask whether the kernel has
// IPIP.
func forcedIPIP() *plugins.Plugin {
	p := *catalogue.All().Get("calico-ipip")
	p.Name, p.Aliases, p.Features = "forced-ipip", nil, nil
	return &p
}

// bypassTunnel routes the pods' traffic around the tunnel, by routes that are
// more specific than flannel's.
func bypassTunnel(_ context.Context, n plugins.Network, d *plugins.Deployment) error {
	for _, to := range n.Nodes {
		subnet, err := podSubnet(d, to)
		if err != nil {
			return err
		}
		for _, from := range n.Nodes {
			if from == to {
				continue
			}
			if err := from.Do(func() error { return routeHalves(subnet.Masked(), to.Addr().Addr()) }); err != nil {
				return err
			}
		}
	}
	return nil
}

// podSubnet reads a node's pod subnet from its CNI configuration.
func podSubnet(d *plugins.Deployment, n plugins.Node) (netip.Prefix, error) {
	text, err := d.ConfList(n)
	if err != nil {
		return netip.Prefix{}, err
	}
	var list struct {
		Plugins []struct {
			IPAM struct {
				Ranges [][]struct{ Subnet netip.Prefix }
			}
		}
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return netip.Prefix{}, err
	}
	return list.Plugins[0].IPAM.Ranges[0][0].Subnet, nil
}

func routeHalves(subnet netip.Prefix, via netip.Addr) error {
	half := netip.PrefixFrom(subnet.Addr(), subnet.Bits()+1)
	upper := half.Addr().As4()
	upper[3] |= 1 << (32 - half.Bits())
	for _, addr := range []netip.Addr{half.Addr(), netip.AddrFrom4(upper)} {
		dst := netlink.Route{Gw: via.AsSlice()}
		ipNet, err := netlink.ParseIPNet(netip.PrefixFrom(addr, half.Bits()).String())
		if err != nil {
			return err
		}
		dst.Dst = ipNet
		if err := netlink.RouteAdd(&dst); err != nil {
			return err
		}
	}
	return nil
}

// startDyingAgent starts an agent that always exits at once.
func startDyingAgent(ctx context.Context, n plugins.Network, _ *plugins.Deployment) error {
	return errors.Join(n.Nodes[0].Start(plugins.Process{Name: "dying", Path: "/bin/sh",
		Args: []string{"-c", "echo 'FATAL: no lease for \x1b[31mthis node\x1b[0m' >&2; exit 3"}}), waitLong(ctx))
}

// startAgentThatDiesLater starts an agent that exits once its network has been
// measured, and at once whenever it is started again.
func startAgentThatDiesLater(_ context.Context, n plugins.Network, _ *plugins.Deployment) error {
	// The agent detects the end of a sample as afterFirstSample does: its node's NIC
	// was busy and no longer is.
	const script = `sent() { awk -v nic="$0:" '$1 == nic { print $11 }' /proc/net/dev; }
before=$(sent)
while now=$(sent) && { [ $((now - $3)) -lt $1 ] || [ $((now - before)) -gt $2 ]; }; do before=$now; sleep 0.3; done
echo 'lost the datastore' >&2; exit 4`
	node := n.Nodes[0]
	var sent uint64 // before the first sample
	err := node.Do(func() error {
		nic, err := netlink.LinkByName(node.NIC())
		if err == nil {
			sent = nic.Attrs().Statistics.TxPackets
		}
		return err
	})
	if err != nil {
		return err
	}
	return node.Start(plugins.Process{Name: "later", Path: "/bin/sh",
		Args: []string{"-c", script, node.NIC(), strconv.Itoa(busyPackets), strconv.Itoa(idlePackets), strconv.FormatUint(sent, 10)}})
}

// takePathDownLater takes a node's NIC down once its network has been measured.
func takePathDownLater(_ context.Context, n plugins.Network, _ *plugins.Deployment) error {
	node := n.Nodes[0]
	go afterFirstSample(node, func(nic netlink.Link) error { return netlink.LinkSetDown(nic) }) // samples fail then
	return nil
}

// A sample of tcp-rr sends more than busyPackets; an idle network sends at most
// idlePackets between two readings.
const busyPackets, idlePackets = 300, 20

// afterFirstSample calls do when the node's NIC has been busy and is idle again.
// A path that breaks within its first sample would never have worked.
func afterFirstSample(node plugins.Node, do func(nic netlink.Link) error) {
	first, before := uint64(0), uint64(0)
	for done := false; !done; time.Sleep(300 * time.Millisecond) {
		err := node.Do(func() error {
			nic, err := netlink.LinkByName(node.NIC())
			if err != nil {
				return err
			}
			now := nic.Attrs().Statistics.TxPackets
			if first == 0 {
				first, before = now, now
			}
			if now-first >= busyPackets && now-before <= idlePackets {
				done = true
				return do(nic)
			}
			before = now
			return nil
		})
		done = done || err != nil // the network is gone
	}
}

// tooLargePods gives pods the underlay's MTU, as if there were no tunnel.
func tooLargePods(_ context.Context, n plugins.Network, d *plugins.Deployment) error {
	sound := d.ConfList
	d.ConfList = func(node plugins.Node) ([]byte, error) {
		text, err := sound(node)
		return bytes.Replace(text, []byte(`"mtu":1450`), []byte(`"mtu":1500`), 1), err
	}
	return nil
}

// waitLong stands for a plugin that takes long to start.
func waitLong(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(time.Minute):
		return nil
	}
}

func TestBypassedTunnelIsSeenOnTheWire(t *testing.T) {
	needs(t, "faulty-bypass")
	r := measure(t, "--plugins", "faulty-bypass,flannel-vxlan", "--probes", "encap", "--rounds", "1")
	for _, e := range r.Encapsulation {
		switch e.Plugin {
		case "flannel-vxlan":
			if !e.Agrees {
				t.Errorf("the sound plugin does not agree: %+v", e)
			}
		case "faulty-bypass":
			if e.Agrees || e.Configured != "vxlan" || e.Effective != "none" || e.OverheadBytes != 0 {
				t.Errorf("the bypass was not seen: %+v", e)
			}
		}
	}
	if !containsLine(r.Warnings, "the wire disagrees: faulty-bypass") {
		t.Errorf("no warning in the report: %q", r.Warnings)
	}
}

func containsLine[S words.Text | string](lines []S, part string) bool {
	for _, l := range lines {
		if strings.Contains(fmt.Sprint(l), part) {
			return true
		}
	}
	return false
}

func TestFailingNetworksAreResults(t *testing.T) {
	needs(t, "flannel-vxlan")
	for _, c := range []struct{ name, plugin, status, cause string }{
		{"an agent that dies at once", "faulty-agent", results.StatusFailed, "its last lines: FATAL: no lease"},
		{"an agent that never becomes ready", "faulty-never", results.StatusFailed, "not ready within"},
		{"an agent that dies while samples are taken", "faulty-later", results.StatusBroke, "lost the datastore"},
	} {
		t.Run(c.name, func(t *testing.T) {
			failsBesideASoundOne(t, c.plugin, c.status, c.cause)
		})
	}
}

func TestPathGoesDown(t *testing.T) {
	needs(t, "flannel-vxlan")
	failsBesideASoundOne(t, "faulty-path", results.StatusBroke, "time limit")
}

func failsBesideASoundOne(t *testing.T, plugin, status, cause string) {
	t.Helper()
	r := measure(t, "--plugins", plugin+",flannel-host-gw", "--probes", "tcp-rr", "--wire", "none", "--rounds", "8", "--duration", "500ms")
	cell := r.Cell(results.Cell{Plugin: plugin, Topology: results.On("l2"), Wire: "none"})
	if cell == nil || cell.Status != status || !strings.Contains(cell.Cause.String(), cause) {
		t.Errorf("cell %+v is not %s for %q", cell, status, cause)
	}
	sound := r.Cell(results.Cell{Plugin: "flannel-host-gw", Topology: results.On("l2"), Wire: "none"})
	if sound == nil || sound.Status != results.StatusOK || sound.Metric("tcp-rr", "p50").N != 8 {
		t.Errorf("the sound plugin was not measured to the end: %+v", sound)
	}
}

func TestMTUsThatDoNotFitAreFound(t *testing.T) {
	needs(t, "faulty-mtu")
	r := measure(t, "--plugins", "faulty-mtu,flannel-vxlan", "--probes", "mtu", "--wire", "none", "--rounds", "1")
	var found []string
	for _, f := range r.Findings {
		if f.Plugin != "faulty-mtu" {
			t.Errorf("%s: %s: %s", f.Plugin, f.Name, f.Text)
		}
		found = append(found, f.Name)
	}
	if !containsLine(found, "pod-mtu-too-large") {
		t.Errorf("found %q", found)
	}
	for plugin, want := range map[string]float64{"host": 1500, "flannel-vxlan": 1450, "faulty-mtu": 1450} {
		if m := cellOf(t, r, plugin, "none").Metric("mtu", "path"); m == nil || m.Median != want {
			t.Errorf("the path of %s carries %+v, not %v", plugin, m, want)
		}
	}
}

func TestCNITimes(t *testing.T) {
	needs(t, "flannel-vxlan", "calico")
	r := measure(t, "--plugins", "flannel-vxlan,calico", "--probes", "cni-time,cni-time:pods=20", "--wire", "none", "--rounds", "1")
	for _, plugin := range []string{"flannel-vxlan", "calico-bgp"} {
		cell := cellOf(t, r, plugin, "none")
		for _, probe := range []string{"cni-time", "cni-time:pods=20"} {
			add, ready, del, all := cell.Metric(probe, "add"), cell.Metric(probe, "ready"), cell.Metric(probe, "del"), cell.Metric(probe, "all-ready")
			if add == nil || ready == nil || del == nil || all == nil {
				t.Fatalf("%s %s has no figures: %s %s", plugin, probe, cell.Status, cell.Cause)
			}
			if add.Median <= 0 || ready.Median < add.Median || all.Median < ready.Median || del.Median <= 0 {
				t.Errorf("%s %s: ADD %v, ready %v, all %v, DEL %v", plugin, probe, add.Median, ready.Median, all.Median, del.Median)
			}
		}
	}
	if cell := r.Cell(results.Cell{Plugin: "host", Topology: results.On("l2"), Wire: "none"}); cell != nil && len(cell.Metrics) > 0 {
		t.Errorf("the baseline has pods: %+v", cell.Metrics)
	}
}
