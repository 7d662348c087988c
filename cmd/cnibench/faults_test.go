package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
)

// faultyPlugins are broken on purpose, each in one way.
func faultyPlugins() []*plugins.Plugin {
	return []*plugins.Plugin{
		faulty("faulty-bypass", bypassTunnel),
		faulty("faulty-agent", startDyingAgent),
		faulty("faulty-never", func(ctx context.Context, _ plugins.Network, _ *plugins.Deployment) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}),
		faulty("faulty-later", startAgentThatDiesLater),
	}
}

// faulty is flannel-vxlan with something done after it was deployed.
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

// startAgentThatDiesLater starts one that exits once its network is measured.
func startAgentThatDiesLater(_ context.Context, n plugins.Network, _ *plugins.Deployment) error {
	return n.Nodes[0].Start(plugins.Process{Name: "later", Path: "/bin/sh",
		Args: []string{"-c", "sleep 0.7; echo 'lost the datastore' >&2; exit 4"}})
}

// waitLong is a plugin that is busy with starting.
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

func containsLine(lines []string, part string) bool {
	for _, l := range lines {
		if strings.Contains(l, part) {
			return true
		}
	}
	return false
}

func TestFailingNetworksAreResults(t *testing.T) {
	needs(t, "flannel-vxlan")
	t.Parallel()
	for _, c := range []struct{ name, plugin, cause string }{
		{"an agent that dies at once", "faulty-agent", "its last lines: FATAL: no lease"},
		{"an agent that never becomes ready", "faulty-never", "not ready within"},
		{"an agent that dies while samples are taken", "faulty-later", "lost the datastore"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := measure(t, "--plugins", c.plugin+",flannel-host-gw", "--probes", "tcp-rr", "--wire", "none", "--rounds", "12", "--duration", "150ms")
			cell := r.Cell(results.Cell{Plugin: c.plugin, Topology: "l2", Wire: "none"})
			if cell == nil || cell.Status != results.StatusFailed || !strings.Contains(cell.Cause, c.cause) {
				t.Errorf("cell %+v does not fail for %q", cell, c.cause)
			}
			sound := r.Cell(results.Cell{Plugin: "flannel-host-gw", Topology: "l2", Wire: "none"})
			if sound == nil || sound.Status != results.StatusOK || sound.Metric("tcp-rr", "p50").N != 12 {
				t.Errorf("the sound plugin was not measured to the end: %+v", sound)
			}
		})
	}
}
