package lab

import (
	"context"
	"errors"
	"fmt"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/words"
)

var _ testbed.Surveyor = (*network)(nil)

// surveyedNodes is how many nodes get a worker for facts about pairs of nodes: four
// nodes make twelve ordered pairs.
const surveyedNodes = 4

// Around starts workers on the nodes, on the outside host, and in a second pod
// on the first node.
func (n *network) Around(ctx context.Context) (*probes.Surroundings, error) {
	if n.around != nil {
		return n.around, nil
	}
	around := &probes.Surroundings{Drops: n.fabric.drops, Delay: n.impairment.Delay, Deny: n.deny}
	for i, node := range n.nodes[:min(len(n.nodes), surveyedNodes)] {
		end := node.end()
		if i < len(n.ends) && n.ends[i].NIC == nicName && (n.deployment == nil || !n.deployment.OwnNIC) {
			end.Worker = n.ends[i].Node
		}
		around.Nodes = append(around.Nodes, end)
	}
	for i := range around.Nodes {
		if err := n.staff(&around.Nodes[i], n.nodes[i].space, n.nodes[i].logDir); err != nil {
			return nil, err
		}
	}
	if p := n.pods[0]; n.deployment != nil && podCIDR.Contains(p.addr) {
		around.Masquerade = p.node.masquerade
	}
	around.Outside = n.outside.end()
	if err := n.staff(&around.Outside, n.outside.space, n.outside.logDir); err != nil {
		return nil, err
	}
	if n.deployment != nil {
		if err := n.addBeside(ctx, &around.Beside); err != nil {
			return nil, err
		}
	}
	n.around = around
	return around, nil
}

// deny gives the plugin a policy that denies traffic. If only the plugin's data
// path runs, no agent is there to enforce it.
func (n *network) deny(ctx context.Context, at results.PolicyDirection, from, to probes.End) (probes.Lift, error) {
	switch {
	case n.deployment != nil && n.deployment.Deny != nil:
		return n.deployment.Deny(ctx, plugins.Denied{From: from.Addr, To: to.Addr, Egress: at == results.PolicyEgress})
	case n.plugin.Fidelity == plugins.DataPath:
		return nil, &probes.NotHereError{Why: words.NoAgentEnforces}
	}
	return nil, probes.ErrNoPolicy
}

// end returns the node as an end for probes, without a worker.
func (n *node) end() probes.End {
	return probes.End{Addr: n.addr.Addr(), NodeAddr: n.addr.Addr(), NIC: nicName, NodeName: n.name, CPU: -1}
}

// staff starts a worker at an end that has none.
func (n *network) staff(e *probes.End, s *space, logDir string) error {
	if e.Worker == nil {
		w, err := startWorker(s, logDir)
		if err != nil {
			return err
		}
		n.workers = append(n.workers, w)
		e.Worker = w.Worker
	}
	e.Node = e.Worker
	return nil
}

// addBeside adds a second pod on the client's node.
func (n *network) addBeside(ctx context.Context, e *probes.End) error {
	node := n.nodes[0]
	p, err := newPod(node, "beside")
	if err != nil {
		return err
	}
	if _, err := p.cniAdd(ctx, n.deployment); err != nil {
		// The next call tries again.
		err = errors.Join(err, n.giveBack(context.WithoutCancel(ctx), p))
		p.remove()
		return fmt.Errorf("adding a second pod on a node: %w", err)
	}
	n.pods = append(n.pods, p)
	*e = node.end()
	e.Addr = p.addr
	if err := n.staff(e, p.space, node.logDir); err != nil {
		return err
	}
	e.Node = n.ends[0].Node
	return nil
}

// masquerade adds source NAT for packets that pods send out of the cluster.
func (n *node) masquerade(ctx context.Context) (probes.Lift, error) {
	do := func(ctx context.Context, what string) error {
		return n.Run(ctx, plugins.Process{Name: "iptables", Path: "/usr/sbin/iptables", Args: []string{"-w", "-t", "nat", what, "POSTROUTING",
			"-s", podCIDR.String(), "!", "-d", podCIDR.String(), "-j", "MASQUERADE"}})
	}
	if err := do(ctx, "-A"); err != nil {
		return nil, fmt.Errorf("adding source NAT for pods: %w", err)
	}
	return func(ctx context.Context) error { return do(ctx, "-D") }, nil
}
