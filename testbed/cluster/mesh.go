package cluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"

	core "k8s.io/api/core/v1"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/words"
)

var _ testbed.Mesh = (*network)(nil)

// podsAtOnce bounds how many pods are created and how many workers are started at once,
// each with a request and a stream through the API server.
const podsAtOnce = 16

// Survey sets how many nodes a survey covers at most, and the seed that decides which if
// the cluster has more. It must be called before the nodes are chosen.
func (c *Cluster) Survey(nodes int, seed uint64) { c.config.survey, c.config.seed = nodes, seed }

// Mesh starts a worker in a pod on every node that a survey covers. The pods on the two
// measured nodes are those that are measured. A node that cannot take part says why.
func (n *network) Mesh(ctx context.Context) ([]probes.Member, func(), error) {
	c, baseline := n.cluster, n.facts.Plugin == results.HostPlugin
	at := n.places()
	places := at[:]
	for i, node := range c.chosen.more {
		places = append(places, place{4 + i, node}) // the third is the client's neighbour
	}
	members := make([]probes.Member, len(places))
	free := make(chan struct{}, podsAtOnce)
	var wg sync.WaitGroup
	for i, p := range places {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			members[i] = c.member(ctx, p, baseline)
		})
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, nil, fmt.Errorf("starting a worker on every node: %w", context.Cause(ctx))
	}
	if !baseline {
		c.setRanges(places, members)
	}
	for _, out := range c.chosen.leftOut {
		members = append(members, probes.Member{End: probes.End{NodeName: out.name}, LeftOut: true, Problem: out.why})
	}
	return members, func() { c.pods.rest(places[2:], baseline) }, nil
}

// rest stops the workers in the pods of places, which stay.
func (s *podSet) rest(places []place, baseline bool) {
	var stopping sync.WaitGroup
	s.mu.Lock()
	for _, at := range places {
		if p := s.made[at.name(baseline)]; p != nil && p.worker != nil {
			w := p.worker
			p.worker = nil
			s.workers = slices.DeleteFunc(s.workers, func(o *podWorker) bool { return o == w })
			stopping.Go(w.stop)
		}
	}
	s.mu.Unlock()
	stopping.Wait()
}

// member makes sure that there is a pod with a worker at a place.
func (c *Cluster) member(ctx context.Context, at place, baseline bool) probes.Member {
	m := probes.Member{End: probes.End{NodeName: at.node.Name, CPU: -1}, Zone: at.node.Labels[core.LabelTopologyZone], Type: at.node.Labels[core.LabelInstanceTypeStable]}
	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin, testbed.NotWithin(readyWithin))
	defer cancel()
	p, err := c.pods.get(ctx, at.name(baseline), at.node.Name, baseline)
	if err == nil && (p.worker == nil || p.ended()) {
		err = p.start()
	}
	if err == nil {
		err = p.answers(ctx)
	}
	if err != nil {
		m.Problem = words.OfError(err)
		return m
	}
	m.Worker, m.Addr, m.NodeAddr = p.worker.Worker, p.addr, p.host
	if m.Subnet, err = c.subnetOf(ctx, p, baseline); err != nil {
		m.Problem, m.Worker = words.OfError(err), nil
	}
	return m
}

// subnetOf returns the subnet of a node's own address, which only a pod in its network
// sees. It is invalid if there was none.
func (c *Cluster) subnetOf(ctx context.Context, p *pod, baseline bool) (netip.Prefix, error) {
	c.pods.mu.Lock()
	subnet, known := c.pods.subnets[p.node]
	c.pods.mu.Unlock()
	if known || !baseline {
		return subnet, nil
	}
	own, err := p.nic(ctx, p.host)
	if err != nil {
		return subnet, err
	}
	c.pods.mu.Lock()
	defer c.pods.mu.Unlock()
	c.pods.subnets[p.node] = own.subnet
	return own.subnet, nil
}

// setRanges sets the range of each node's pods to its podCIDR, if the addresses of the
// two measured pods show that the plugin takes addresses from there.
func (c *Cluster) setRanges(places []place, members []probes.Member) {
	rangeOf := func(n core.Node, addr netip.Addr) string {
		for _, text := range append(slices.Clone(n.Spec.PodCIDRs), n.Spec.PodCIDR) {
			if cidr, err := netip.ParsePrefix(text); err == nil && cidr.Addr().Is4() == addr.Is4() {
				return cidr.String()
			}
		}
		return ""
	}
	for i := range 2 {
		cidr, err := netip.ParsePrefix(rangeOf(places[i].node, members[i].Addr))
		if err != nil || !cidr.Contains(members[i].Addr) {
			return
		}
	}
	for i := range members {
		members[i].Range = rangeOf(places[i].node, members[i].Addr)
	}
}

// spread returns the nodes that a survey covers beside those that are measured. If it
// cannot cover all, they are spread over zones, then over instance types; the seed
// decides among nodes of the same zone and type.
func spread(nodes []core.Node, measured [2]core.Node, limit int, seed uint64) (more []core.Node, beyond int) {
	others := slices.DeleteFunc(slices.Clone(nodes), func(n core.Node) bool { return n.Name == measured[0].Name || n.Name == measured[1].Name })
	room := min(max(limit-2, 0), len(others))
	if room == len(others) {
		return others, 0
	}
	random := rand.New(rand.NewPCG(seed, uint64(len(others))))
	random.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	zones, kinds := map[string]int{}, map[[2]string]int{}
	note := func(n core.Node) {
		zone, kind := zoneAndType(n)
		zones[zone]++
		kinds[[2]string{zone, kind}]++
	}
	note(measured[0])
	note(measured[1])
	for range room {
		best := 0
		for i := range others {
			if rarer(others[i], others[best], zones, kinds) {
				best = i
			}
		}
		note(others[best])
		more = append(more, others[best])
		others = slices.Delete(others, best, best+1)
	}
	return more, len(others)
}

func zoneAndType(n core.Node) (zone, kind string) {
	return n.Labels[core.LabelTopologyZone], n.Labels[core.LabelInstanceTypeStable]
}

// rarer reports whether fewer nodes of a's zone have been chosen than of b's or, in zones
// with as many, fewer of its type.
func rarer(a, b core.Node, zones map[string]int, kinds map[[2]string]int) bool {
	zoneA, typeA := zoneAndType(a)
	zoneB, typeB := zoneAndType(b)
	if zones[zoneA] != zones[zoneB] {
		return zones[zoneA] < zones[zoneB]
	}
	return kinds[[2]string{zoneA, typeA}] < kinds[[2]string{zoneB, typeB}]
}
