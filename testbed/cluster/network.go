package cluster

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
)

// staff makes the pods of a network and starts a worker in each. The pods in
// the nodes' network are made once and serve the baseline and the wire.
func (n *network) staff(ctx context.Context, baseline bool) error {
	c := n.cluster
	nodes := [2]core.Node{c.chosen.client, c.chosen.server}
	var errs [2]error
	var wg sync.WaitGroup
	for i := range n.ends {
		wg.Go(func() { errs[i] = n.staffEnd(ctx, i, nodes[i], baseline) })
	}
	wg.Wait()
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

// staffEnd makes the pods of one end and asks for their interfaces.
func (n *network) staffEnd(ctx context.Context, i int, node core.Node, baseline bool) error {
	c, e := n.cluster, &n.ends[i]
	var err error
	if !c.config.Unprivileged {
		e.node, err = c.onNode(ctx, i, node.Name)
		if refused := podSecurity(err); refused != "" {
			if baseline {
				return &testbed.UnsupportedError{Cause: "the baseline needs pods in the nodes' network, which " + c.namespace + " forbids: " + refused}
			}
			e.node, err = nil, nil // there is no look at the wire; the baseline says why
		}
		if err != nil {
			return err
		}
	}
	if e.pod = e.node; !baseline {
		if e.pod, err = c.makePod(ctx, c.podName(fmt.Sprintf("pod-%d", i+1)), node.Name, false); err != nil {
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

// podSecurity is why Pod Security refused a pod, "" if it did not.
func podSecurity(err error) string {
	var status apierrors.APIStatus
	if !errors.As(err, &status) || !apierrors.IsForbidden(err) {
		return ""
	}
	_, why, _ := strings.Cut(status.Status().Message, "violates PodSecurity ")
	return why
}

// onNode is the pod in a node's own network.
func (c *Cluster) onNode(ctx context.Context, i int, node string) (*pod, error) {
	if c.hosts[i] == nil {
		p, err := c.makePod(ctx, c.podName(fmt.Sprintf("host-%d", i+1)), node, true)
		if err != nil {
			return nil, err
		}
		c.hosts[i] = p
	}
	return c.hosts[i], nil
}

// Ends are the pods on the two nodes; of the baseline, the nodes.
func (n *network) Ends() (client, server probes.End) { return n.ends[0].probe(), n.ends[1].probe() }

// probe is the end as it is now: a pod that was made again has another address
// and another worker.
func (e *end) probe() probes.End {
	p := probes.End{Worker: e.pod.worker.Worker, Addr: e.pod.addr, NodeAddr: e.pod.host, NodeName: e.pod.node, CPU: -1, NIC: e.nic.name, Subnet: e.nic.subnet}
	if e.node != nil {
		p.Node = e.node.worker.Worker
	}
	return p
}

// Facts are what is known of the network.
func (n *network) Facts() (results.Network, results.Setup) { return n.facts, n.setup }

// SetWire does nothing: a cluster's links are as they are.
func (n *network) SetWire(string) error { return nil }

// AgentTime is not known: the agents are others' processes.
func (n *network) AgentTime() time.Duration { return 0 }

// Down leaves the pods to the namespace, which goes with all of them.
func (n *network) Down(context.Context) error { return nil }
