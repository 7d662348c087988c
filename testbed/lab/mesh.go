package lab

import (
	"context"
	"fmt"
	"sync"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/words"
)

var _ testbed.Mesh = (*network)(nil)

// startsAtOnce is how many workers start at once. Each is a process; more would compete
// for this machine's CPUs.
const startsAtOnce = 8

// Mesh starts a worker in the pod of every node but the two measured ones, which have one.
func (n *network) Mesh(ctx context.Context) ([]probes.Member, func(), error) {
	pods := n.pods[:len(n.nodes)] // the first of each node; others were added for facts
	members := make([]probes.Member, len(pods))
	started := make([]*workerProcess, len(pods))
	free := make(chan struct{}, startsAtOnce)
	var wg sync.WaitGroup
	for i, p := range pods {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			members[i], started[i] = n.member(ctx, i, p)
		})
	}
	wg.Wait()
	release := func() {
		_ = each(started, func(_ int, w *workerProcess) error {
			if w == nil {
				return nil
			}
			return w.stop() // if it does not end, it ends with the lab
		})
	}
	if ctx.Err() != nil {
		release()
		return nil, nil, fmt.Errorf("starting a worker in the pod of each node: %w", context.Cause(ctx))
	}
	return members, release, nil
}

// member returns a node's member. The worker is nil if it was there before or could not
// be started.
func (n *network) member(ctx context.Context, i int, p *pod) (probes.Member, *workerProcess) {
	m := probes.Member{End: p.node.end()}
	m.Addr, m.Subnet = p.addr, p.node.addr.Masked()
	if n.deployment != nil && podCIDR.Contains(p.addr) {
		m.Range = podCIDR.String()
	}
	if i < len(n.ends) && n.ends[i].Worker != nil {
		m.Worker, m.Node = n.ends[i].Worker, n.ends[i].Node
		return m, nil
	}
	if ctx.Err() != nil {
		return m, nil
	}
	w, err := startWorker(p.space, p.node.logDir)
	if err != nil {
		m.Problem = words.OfError(err)
		return m, nil
	}
	m.Worker = w.Worker
	return m, w
}
