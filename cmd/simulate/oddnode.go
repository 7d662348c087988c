package main

import (
	"math"
	"math/rand/v2"

	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/stats"
)

// Nodes and pairs are taken to differ by these standard deviations of the logarithm:
// machines of one kind are not equal, nor are routes.
const (
	nodesDiffer = 0.015
	pairsDiffer = 0.03
)

// cluster is a simulated cluster, whose noise is that of a trace.
type cluster struct {
	*walk
	random           *rand.Rand
	sender, receiver []float64
	pair             map[[2]int]float64
	streams          []stats.Stream
}

// newCluster returns a cluster of n nodes, of which the first receives at factor times the
// speed.
func newCluster(t trace, rng *rand.Rand, n int, factor float64) *cluster {
	c := &cluster{walk: newWalk(t, rng), random: rng, pair: map[[2]int]float64{}}
	for range n {
		c.sender, c.receiver = append(c.sender, nodesDiffer*rng.NormFloat64()), append(c.receiver, nodesDiffer*rng.NormFloat64())
	}
	c.receiver[0] += math.Log(factor)
	return c
}

// stream measures a stream.
func (c *cluster) stream(from, to int) float64 {
	at := [2]int{from, to}
	if _, known := c.pair[at]; !known {
		c.pair[at] = pairsDiffer * c.random.NormFloat64()
	}
	return c.next() * math.Exp(c.sender[from]+c.receiver[to]+c.pair[at])
}

// survey measures as many rounds as a number of pairs takes.
func (c *cluster) survey(pairs int) *cluster {
	for block, round := range scenarios.DrawRounds(pairs, len(c.sender), c.random) {
		for _, i := range c.random.Perm(len(round)) {
			for _, way := range [][2]int{round[i], {round[i][1], round[i][0]}} {
				c.streams = append(c.streams, stats.Stream{From: way[0], To: way[1], Block: block, Log: math.Log(c.stream(way[0], way[1]))})
			}
		}
	}
	return c
}

// slow returns the lines that the second stage confirms.
func (c *cluster) slow() map[stats.Line]bool {
	n := len(c.sender)
	suspects := stats.Suspects(c.streams, n, stats.SuspectLevel, c.random)
	suspects = suspects[:min(len(suspects), scenarios.MostSuspects)]
	var family []stats.Ratio
	for _, s := range suspects {
		own, other := map[int]float64{}, map[int]float64{}
		for i, again := range scenarios.Comparisons(c.streams, s, suspects, n, scenarios.Rechecks, c.random) {
			measure := func(node int) float64 {
				if s.Receiver {
					return c.stream(again.Partner, node)
				}
				return c.stream(node, again.Partner)
			}
			if c.random.IntN(2) == 0 {
				own[i], other[i] = measure(s.Node), measure(again.Control)
			} else {
				other[i] = measure(again.Control)
				own[i] = measure(s.Node)
			}
		}
		family = append(family, stats.Paired(own, other))
	}
	confirmed := map[stats.Line]bool{}
	for i, line := range stats.Confirm(family, stats.DefaultMargin) {
		if line.Confirmed {
			confirmed[suspects[i]] = true
		}
	}
	return confirmed
}

// finds returns draws in which a receiver at factor times the speed is found.
func finds(nodes, pairs int, factor float64) draw {
	return func(_ procedure, t trace, rng *rand.Rand) float64 {
		return yes(newCluster(t, rng, nodes, factor).survey(pairs).slow()[stats.Line{Node: 0, Receiver: true}])
	}
}

// invents returns draws in which any other line is called slow.
func invents(nodes, pairs int, factor float64) draw {
	return func(_ procedure, t trace, rng *rand.Rand) float64 {
		slow := newCluster(t, rng, nodes, factor).survey(pairs).slow()
		delete(slow, stats.Line{Node: 0, Receiver: true})
		return yes(len(slow) > 0)
	}
}
