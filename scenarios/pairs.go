package scenarios

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/probes/survey"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/words"
)

// pairProbe is what is measured between many pairs of nodes.
const pairProbe = "tcp-stream"

// goodput is its figure.
const goodput = "goodput"

// leastPartners is how many others each node meets at least: with fewer, one node's share
// in a slow pair cannot be told from its partner's.
const leastPartners = 3

// Partners returns how many partners each of n nodes gets if speed is measured between
// about a number of pairs.
func Partners(pairs, n int) int {
	if n < 2 {
		return 0
	}
	perRound := n / 2
	return min(max((pairs+perRound-1)/perRound, leastPartners), n-1+n%2)
}

// DrawRounds draws rounds of the tournament of n nodes, which have about a number of pairs.
func DrawRounds(pairs, n int, random *rand.Rand) [][][2]int {
	rounds := survey.Rounds(n)
	random.Shuffle(len(rounds), func(i, j int) { rounds[i], rounds[j] = rounds[j], rounds[i] })
	return rounds[:min(Partners(pairs, n), len(rounds))]
}

// planPairs plans the streams between pairs of nodes.
func (p *Plan) planPairs(a results.Asked) {
	if a.Pairs == 0 || a.Nodes < 3 {
		return
	}
	p.Partners = Partners(a.Pairs, a.Nodes)
	p.Streams = p.Partners * (a.Nodes / 2) * 2
	networks := 0
	for _, n := range p.Networks {
		if probes.AcrossNodes.Covers(n.Topology) {
			networks++
		}
	}
	d := a.Duration.Duration()
	p.PairsTake = time.Duration(p.Streams*networks) * (probes.WarmUp(d) + d + betweenSamples)
}

// tournament measures the goodput between pairs of nodes on networks of one topology.
type tournament struct {
	*run
	topology results.Topology
	networks []*pairNetwork
	nodes    int
	rounds   [][][2]int
	random   *rand.Rand
}

// pairNetwork is a network of a tournament.
type pairNetwork struct {
	*upNetwork
	members []probes.Member
	streams []stats.Stream
}

// pairs measures the goodput between pairs of nodes: first in rounds in which every node
// meets one other, then again with nodes that seem slow.
func (r *run) pairs(ctx context.Context) error {
	if r.Asked.Pairs == 0 {
		return nil
	}
	for i, topology := range r.Asked.Topology {
		if !probes.AcrossNodes.Covers(topology) {
			continue
		}
		t := &tournament{run: r, topology: results.On(topology), random: rand.New(rand.NewPCG(r.Asked.Seed, uint64(i)))}
		if err := t.measure(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (t *tournament) measure(ctx context.Context) error {
	for _, n := range t.run.networks {
		mesh, can := n.Network.(testbed.Mesh)
		if n.topology != t.topology || n.dead || !can || t.hostKnown && n.instance == results.HostPlugin {
			continue
		}
		members, release, err := mesh.Mesh(ctx)
		if err != nil {
			return err
		}
		defer release()
		t.networks = append(t.networks, &pairNetwork{upNetwork: n, members: members})
	}
	if t.keepCommon(); t.nodes < 3 {
		return nil
	}
	if err := t.first(ctx); err != nil {
		return err
	}
	for _, n := range t.networks {
		if err := t.again(ctx, n); err != nil {
			return err
		}
	}
	if t.Asked.Together {
		if err := t.together(ctx); err != nil {
			return err
		}
	}
	return t.Journal.Sync()
}

// keepCommon keeps the nodes that have a worker on every network: the networks are compared
// over the same pairs. The survey says what is wrong with the others.
func (t *tournament) keepCommon() {
	workers := map[string]int{}
	for _, n := range t.networks {
		n.members = slices.DeleteFunc(slices.Clone(n.members), func(m probes.Member) bool { return m.Worker == nil })
		for _, m := range n.members {
			workers[m.NodeName]++
		}
	}
	for _, n := range t.networks {
		n.members = slices.DeleteFunc(n.members, func(m probes.Member) bool { return workers[m.NodeName] < len(t.networks) })
		t.nodes = len(n.members)
	}
}

// first measures rounds of a tournament that are drawn, in an order that is drawn. Within a
// pair all networks are measured, one directly after the other.
func (t *tournament) first(ctx context.Context) error {
	t.rounds = DrawRounds(t.Asked.Pairs, t.nodes, t.random)
	for number, round := range t.rounds {
		t.Progress(Progress{Phase: "measuring pairs of nodes", Now: fmt.Sprintf("round %d of %d on %s", number+1, len(t.rounds), t.topology.Name)})
		for _, i := range t.random.Perm(len(round)) {
			a, b := round[i][0], round[i][1]
			if t.random.IntN(2) == 0 {
				a, b = b, a
			}
			for _, way := range [][2]int{{a, b}, {b, a}} {
				for _, j := range t.random.Perm(len(t.networks)) {
					if err := t.stream(ctx, t.networks[j], way[0], way[1], number, nil); err != nil {
						return err
					}
				}
			}
		}
	}
	return nil
}

// MostSuspects bounds the second stage, and Rechecks is how many comparisons it makes for
// each suspect.
const (
	MostSuspects = 4
	Rechecks     = 16
)

// again compares each suspect with other nodes.
func (t *tournament) again(ctx context.Context, n *pairNetwork) error {
	suspects := stats.Suspects(n.streams, t.nodes, stats.SuspectLevel, t.random)
	for _, suspect := range suspects[:min(len(suspects), MostSuspects)] {
		name := &results.Suspect{Node: n.members[suspect.Node].NodeName, Receiver: suspect.Receiver}
		t.Progress(Progress{Phase: "measuring pairs of nodes", Now: "again " + name.Node + " with " + n.instance})
		for number, c := range Comparisons(n.streams, suspect, suspects, t.nodes, Rechecks, t.random) {
			ends := []int{suspect.Node, c.Control}
			for _, i := range t.random.Perm(2) {
				from, to := c.Partner, ends[i]
				if !suspect.Receiver {
					from, to = to, from
				}
				if err := t.stream(ctx, n, from, to, number, name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Comparison compares a suspect with another node: each has a stream with the partner.
type Comparison struct{ Partner, Control int }

// Comparisons plans the second stage of a suspect: with partners that it has not met, as far as
// there are any, and with a node for comparison, none of which is suspected itself.
func Comparisons(met []stats.Stream, suspect stats.Line, suspects []stats.Line, nodes, want int, random *rand.Rand) []Comparison {
	known, suspected := map[int]bool{}, map[int]bool{}
	for _, s := range suspects {
		suspected[s.Node] = true
	}
	for _, s := range met {
		if s.From == suspect.Node {
			known[s.To] = true
		}
	}
	var fresh, others []int
	for _, i := range random.Perm(nodes) {
		switch {
		case suspected[i]:
		case known[i]:
			others = append(others, i)
		default:
			fresh = append(fresh, i)
		}
	}
	partners := append(fresh, others...)
	var all []Comparison
	for i := range want {
		if len(partners) < 2 {
			return nil
		}
		at := i % len(partners)
		control := random.IntN(len(partners) - 1)
		if control >= at {
			control++
		}
		all = append(all, Comparison{partners[at], partners[control]})
	}
	return all
}

// together measures the streams of each round at the same time, in one direction that is
// drawn for each pair.
func (t *tournament) together(ctx context.Context) error {
	for number, round := range t.rounds {
		t.Progress(Progress{Phase: "measuring pairs of nodes", Now: fmt.Sprintf("together, round %d of %d on %s", number+1, len(t.rounds), t.topology.Name)})
		ways := slices.Clone(round)
		for i, pair := range ways {
			if t.random.IntN(2) == 0 {
				ways[i] = [2]int{pair[1], pair[0]}
			}
		}
		for _, i := range t.random.Perm(len(t.networks)) {
			if err := t.atOnce(ctx, t.networks[i], ways, number); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *tournament) atOnce(ctx context.Context, n *pairNetwork, ways [][2]int, round int) error {
	if err := t.wire(n); err != nil {
		return err
	}
	all := make([]*results.PairSpeed, len(ways))
	var wg sync.WaitGroup
	for i, way := range ways {
		wg.Go(func() { all[i] = t.measured(ctx, n, way[0], way[1]) })
	}
	wg.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for _, p := range all {
		p.Round, p.Together = round, true
		if err := t.write().append(results.Record{PairSpeed: p}); err != nil {
			return err
		}
	}
	return nil
}

// stream measures one stream and journals it.
func (t *tournament) stream(ctx context.Context, n *pairNetwork, from, to, round int, again *results.Suspect) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := t.wire(n); err != nil {
		return err
	}
	p := t.measured(ctx, n, from, to)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	p.Round, p.Again = round, again
	if again == nil && p.Goodput > 0 {
		n.streams = append(n.streams, stats.Stream{From: from, To: to, Block: round, Log: math.Log(p.Goodput)})
	}
	return t.write().append(results.Record{PairSpeed: p})
}

// wire applies the run's first rate limit to a network.
func (t *tournament) wire(n *pairNetwork) error {
	wire := t.Asked.Wire[0]
	if wire == n.wire {
		return nil
	}
	n.wire = wire
	return n.SetWire(wire)
}

// measured runs the probe between two members. That a stream fails is a result.
func (t *tournament) measured(ctx context.Context, n *pairNetwork, from, to int) *results.PairSpeed {
	client, server := n.members[from].End, n.members[to].End
	p := &results.PairSpeed{Plugin: n.instance, Topology: n.topology, Start: time.Now(), Pair: results.Pair{From: client.NodeName, To: server.NodeName}}
	probe, params, err := catalogue.Parse(pairProbe)
	var m *probes.Measurement
	if err == nil {
		site := t.stage().site(n.upNetwork, probe, params)
		client.CPU, server.CPU = site.Client.CPU, site.Server.CPU
		site.Client, site.Server = client, server
		m, err = t.stage().take(ctx, probe, site)
	}
	if err != nil {
		p.Error = words.OfError(err)
		return p
	}
	p.Goodput = m.Values[goodput]
	return p
}
