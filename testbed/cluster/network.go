package cluster

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// place is the location of one end of a network.
type place struct {
	number int // in the names of its pods
	node   core.Node
}

// name returns the name of the place's pod, either the one in the node's own
// network or the one connected by the plugin.
func (p place) name(hostNetwork bool) string {
	if hostNetwork {
		return fmt.Sprintf("host-%d", p.number)
	}
	return fmt.Sprintf("pod-%d", p.number)
}

// neighbour returns the place beside the client, on its node.
func neighbour(client core.Node) place { return place{3, client} }

// places returns the places of the two ends. The client is the same pod on both
// topologies.
func (n *network) places() [2]place {
	client, server := n.cluster.chosen.client, n.cluster.chosen.server
	if n.facts.Topology.Name == results.SameNode {
		return [2]place{{1, client}, neighbour(client)}
	}
	return [2]place{{1, client}, {2, server}}
}

// staff creates the pods of a network and starts a worker in each. A pod that
// serves several networks is created once.
func (n *network) staff(ctx context.Context, baseline bool) error {
	var errs [2]error
	var wg sync.WaitGroup
	for i, at := range n.places() {
		wg.Go(func() { errs[i] = n.staffEnd(ctx, i, at, baseline) })
	}
	if n.facts.Topology.Name != results.SameNode {
		// Meanwhile start the client's neighbour, for the pair on one node. If it
		// fails, the error comes up again when the pod is needed.
		beside := neighbour(n.cluster.chosen.client)
		wg.Go(func() { n.cluster.pods.get(ctx, beside.name(baseline), beside.node.Name, baseline) })
	}
	wg.Wait()
	if errs[0] != nil && errs[1] != nil && errs[0].Error() == errs[1].Error() {
		return errs[0] // both ends have the same error
	}
	if err := errors.Join(errs[:]...); err != nil {
		return err
	}
	for i := range n.ends {
		for _, p := range []*pod{n.ends[i].pod, n.ends[i].node} {
			if p != nil && p.worker == nil {
				if err := p.start(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// staffEnd creates the pods of one end and asks for their interfaces. The pod in a
// node's own network is the end of the baseline; for other networks it captures on
// the NIC.
func (n *network) staffEnd(ctx context.Context, i int, at place, baseline bool) error {
	c, e := n.cluster, &n.ends[i]
	var err error
	if baseline || !c.config.Unprivileged && n.facts.Topology.Name != results.SameNode {
		e.node, err = c.pods.get(ctx, at.name(true), at.node.Name, true)
		if refused := forbidden(err); refused != "" {
			if baseline {
				return &testbed.UnsupportedError{Cause: words.BaselineForbidden.With(c.space.Name, refused)}
			}
			e.node, err = nil, nil // without captures on the NIC; the baseline says why
		}
		if err != nil {
			return err
		}
	}
	if e.pod = e.node; !baseline {
		if e.pod, err = c.pods.get(ctx, at.name(false), at.node.Name, false); err != nil {
			return err
		}
	}
	if e.node != nil {
		if e.nic, err = e.node.nic(ctx, e.node.host); err != nil {
			return err
		}
	}
	if i == 0 {
		own, err := e.pod.nic(ctx, e.pod.addr)
		if err != nil {
			return err
		}
		n.facts.PodMTU = own.mtu
	}
	return err
}

// forbidden returns why the cluster's rules refused a pod in its node's network, or
// "" if they did not. A quota that is used up says nothing about such pods.
func forbidden(err error) string {
	var refused *kube.RefusedError
	if !errors.As(err, &refused) || refused.By == kube.ByAmount {
		return ""
	}
	return refused.Why
}

// Ends returns the pods on the two nodes or, for the baseline, the nodes themselves.
func (n *network) Ends() (client, server probes.End) { return n.ends[0].probe(), n.ends[1].probe() }

// probe returns the end as it is now: a recreated pod has another address and
// another worker.
func (e *end) probe() probes.End {
	p := probes.End{Worker: e.pod.worker.Worker, Addr: e.pod.addr, NodeAddr: e.pod.host, NodeName: e.pod.node, CPU: -1, NIC: e.nic.name, Subnet: e.nic.subnet}
	if e.node != nil {
		p.Node = e.node.worker.Worker
	}
	return p
}

// Facts describes the network.
func (n *network) Facts() (results.Network, results.Setup) { return n.facts, n.setup }

// SetWire does nothing: a cluster's links cannot be changed.
func (n *network) SetWire(string) error { return nil }

// AgentTime returns 0: the run cannot see the agents' processes.
func (n *network) AgentTime() time.Duration { return 0 }

// Down removes the plugin that was installed for this network, with the pods of
// all its networks: those of a phase go down together. If the cluster had the
// plugin before, its pods are removed with the namespace.
func (n *network) Down(context.Context) error {
	if n.facts.Plugin != n.cluster.installed {
		return nil
	}
	return n.cluster.uninstall()
}
