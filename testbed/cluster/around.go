package cluster

import (
	"context"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/outside"
)

var _ testbed.Surveyor = (*network)(nil)

// Around returns the nodes that have a pod in their own network, the host outside
// the cluster if the user has named one, and the way to deny traffic.
func (n *network) Around(ctx context.Context) (*probes.Surroundings, error) {
	around := &probes.Surroundings{Deny: n.deny}
	for _, e := range n.ends {
		if p := e.node; p != nil {
			around.Nodes = append(around.Nodes, probes.End{Worker: p.worker.Worker, Addr: p.addr, NodeAddr: p.host, NodeName: p.node, NIC: e.nic.name, CPU: -1})
		}
	}
	worker, err := n.cluster.outsider(ctx)
	if err != nil {
		return nil, err
	}
	if worker != nil {
		around.Outside = probes.End{Worker: worker, Addr: n.cluster.config.Outside.Addr.Addr(), NodeName: "outside", CPU: -1}
	}
	return around, nil
}

// outsider returns a worker on the host outside the cluster, or nil if there is
// no such host. It reconnects if the worker does not answer.
func (c *Cluster) outsider(ctx context.Context) (*worker.Worker, error) {
	if c.config.Outside == nil {
		return nil, nil
	}
	if c.outside != nil {
		if c.outside.Answers(ctx) == nil {
			return c.outside, nil
		}
		c.outside.Close()
	}
	var err error
	c.outside, err = outside.Dial(ctx, *c.config.Outside)
	return c.outside, err
}
