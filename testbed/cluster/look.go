package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster/detect"
	"github.com/cnibench/cnibench/words"
)

// LookCommand is a hidden command of the program. It prints what the network that it
// runs in shows of the plugin that connects pods, as a [detect.View] in JSON.
const LookCommand = "look"

var _ testbed.Finder = (*network)(nil)

// Findings returns what a reader should know about the network before anything is
// measured on it.
func (n *network) Findings() []probes.Finding { return n.found }

// look compares what the cluster says about its plugin with the client's pod and its
// node. A network that the user gave another name is compared with that name.
func (n *network) look(ctx context.Context, name string) {
	c := n.cluster
	if c.found == nil {
		return
	}
	if c.looked == nil || n.facts.Topology.Name != results.SameNode {
		pod, err := n.placed(ctx)
		if err != nil {
			c.config.Event(results.Event{Name: results.EventFactFailed, Plugin: n.facts.Plugin, Topology: n.facts.Topology, Text: words.LookFailed.With(err)})
		}
		after, contradicted := c.found.Look(name, pod)
		c.looked, n.found, n.facts.Contradicted = &after, after.Findings, contradicted
	}
	if s := c.looked.Settings; s != nil && (name == c.named || !n.facts.Contradicted.Empty()) {
		n.facts.Configured = s.Configured(n.ends[0].pod.addr, n.ends[0].pod.host)
	}
}

// placed returns what the client's pod and its node show. What it returns is valid
// beside an error too.
func (n *network) placed(ctx context.Context) (detect.Placed, error) {
	e := n.ends[0]
	placed := detect.Placed{Addr: e.pod.addr, Node: e.pod.node, Subnet: e.nic.subnet}
	own, err := e.pod.look(ctx)
	if err != nil {
		return placed, err
	}
	placed.Own = own
	if e.node == nil {
		return placed, nil
	}
	view, err := e.node.look(ctx, e.pod.addr)
	if err == nil {
		placed.View = &view
	}
	return placed, err
}

// look returns what the pod's network shows, with the devices that lead to addresses.
func (p *pod) look(ctx context.Context, addrs ...netip.Addr) (v detect.View, err error) {
	command := []string{program, LookCommand}
	for _, addr := range addrs {
		command = append(command, addr.String())
	}
	said, err := p.set.space.Output(ctx, p.set.space.Name, p.name, command...)
	if err != nil {
		return v, err
	}
	if err = json.Unmarshal([]byte(said), &v); err == nil {
		err = v.Check(len(addrs))
	}
	if err != nil {
		return detect.View{}, fmt.Errorf("reading what the network of the pod %s shows: %w", p.name, err)
	}
	return v, nil
}
