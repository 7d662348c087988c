// Package survey contains the probe that looks at every ordered pair of nodes: a few
// small packets each way tell who reaches whom, and what is different about one node.
package survey

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Probe surveys all ordered pairs of nodes.
func Probe() *probes.Probe {
	return &probes.Probe{
		Name: "survey", Title: "all pairs of nodes, both ways: reached, loss, source address, largest packet, round trip",
		Once: true, Unreached: true, Span: probes.AcrossNodes, Placement: probes.Same,
		Roles:   map[string]worker.Role{"own": own, "answer": answer, "ask": ask},
		Measure: measure, Longest: takes,
	}
}

const (
	// packets is how many small packets are sent each way. A node that loses a fifth of
	// what it receives loses at least two of twenty in 93 % of its pairs.
	packets = 20
	// The first answer may have to wait for neighbours to be resolved, which is tried
	// again after a second (arp(7), retrans_time_ms); a later answer does not.
	firstPatience = 300 * time.Millisecond
	lastPatience  = time.Second
	patience      = 10 * time.Millisecond
	// pairLimit bounds both directions of a pair: twelve sizes that do not pass, a closed
	// path, and the control streams.
	pairLimit = 10 * time.Second
	// atOnce is how many pairs are measured at once. Each needs few packets; more would
	// wait for the CPUs of this machine in the lab, and for the API server on a cluster.
	atOnce = 16
)

// longestSurvey bounds a survey: each pair is bounded by itself, so it ends even if many
// nodes do not answer.
const longestSurvey = time.Hour

func takes(s *probes.Site) time.Duration { return s.Limit(longestSurvey) }

func measure(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
	if s.Mesh == nil {
		return nil, &probes.NotHereError{Why: words.NoMesh}
	}
	begin := time.Now()
	members, release, err := s.Mesh(ctx)
	if err != nil {
		return nil, err
	}
	defer release()
	members = slices.Clone(members) // which lose the workers that do not answer
	found := &results.Survey{Nodes: meet(ctx, s, members)}
	found.Pairs, err = tournament(ctx, s, members)
	if err != nil {
		return nil, err
	}
	return &probes.Measurement{Survey: found, Seconds: time.Since(begin).Seconds()}, nil
}

// meet asks every member for its own address, which is used from then on. A member that
// does not answer takes no part.
func meet(ctx context.Context, s *probes.Site, members []probes.Member) []results.SurveyNode {
	nodes := make([]results.SurveyNode, len(members))
	free := make(chan struct{}, atOnce)
	var wg sync.WaitGroup
	for i := range members {
		wg.Go(func() {
			free <- struct{}{}
			defer func() { <-free }()
			nodes[i] = node(ctx, s, &members[i])
		})
	}
	wg.Wait()
	return nodes
}

// node describes a member.
func node(ctx context.Context, s *probes.Site, m *probes.Member) results.SurveyNode {
	n := results.SurveyNode{Name: m.NodeName, Zone: m.Zone, Type: m.Type, Range: m.Range, Problem: m.Problem, LeftOut: m.LeftOut}
	if m.Subnet.IsValid() {
		n.Subnet = m.Subnet.String()
	}
	if m.Worker != nil {
		limit := s.Patience(pairLimit)
		ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("time limit of %s passed", limit))
		defer cancel()
		var has netip.Addr
		asked, err := m.Worker.Start(ctx, "survey/own", args{Addr: m.Addr})
		if err == nil {
			err = asked.Wait(ctx, &has)
		}
		if err != nil {
			n.Problem, m.Worker = words.OfError(err), nil
		} else if has != m.Addr {
			n.Assigned, m.Addr = m.Addr.String(), has
		}
	}
	if m.Addr.IsValid() {
		n.Pod = m.Addr.String()
	}
	return n
}

// tournament measures all pairs of members that have a worker. A pair begins when both
// its members are done with their pairs of the rounds before, so that one slow node
// delays only its own pairs.
func tournament(ctx context.Context, s *probes.Site, members []probes.Member) ([]results.SurveyPair, error) {
	var all []results.SurveyPair
	var mu sync.Mutex
	var wg sync.WaitGroup
	free := make(chan struct{}, atOnce)
	last := make([]chan struct{}, len(members)) // closed at the end of a member's last pair so far
	for i := range last {
		last[i] = make(chan struct{})
		close(last[i])
	}
	for _, round := range schedule(len(members)) {
		for _, pair := range round {
			a, b := &members[pair[0]], &members[pair[1]]
			if a.Worker == nil || b.Worker == nil {
				continue
			}
			before := [2]chan struct{}{last[pair[0]], last[pair[1]]}
			done := make(chan struct{})
			last[pair[0]], last[pair[1]] = done, done
			wg.Go(func() {
				defer close(done)
				<-before[0]
				<-before[1]
				if ctx.Err() != nil {
					return
				}
				free <- struct{}{}
				defer func() { <-free }()
				both := bothWays(ctx, s, a, b)
				mu.Lock()
				defer mu.Unlock()
				all = append(all, both...)
			})
		}
	}
	wg.Wait()
	if ctx.Err() != nil {
		return nil, fmt.Errorf("surveying all pairs of nodes: %w", context.Cause(ctx))
	}
	return all, nil
}

// bothWays measures a pair in both directions.
func bothWays(ctx context.Context, s *probes.Site, a, b *probes.Member) []results.SurveyPair {
	limit := s.Patience(pairLimit)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("time limit of %s passed", limit))
	defer cancel()
	var both [2]results.SurveyPair
	var wg sync.WaitGroup
	wg.Go(func() { both[0] = oneWay(ctx, s, a, b) })
	wg.Go(func() { both[1] = oneWay(ctx, s, b, a) })
	wg.Wait()
	return both[:]
}

// oneWay measures one direction. Only what keeps it from being measured is a problem; a
// closed path is a result.
func oneWay(ctx context.Context, s *probes.Site, from, to *probes.Member) results.SurveyPair {
	pair := results.SurveyPair{From: from.NodeName, To: to.NodeName}
	sent, seen, err := exchange(ctx, s, from, to)
	if err != nil {
		pair.Problem = words.OfError(err)
		return pair
	}
	pair.Sent, pair.Answered, pair.RTT = sent.Sent, sent.Answered, sent.RTT.Seconds()
	pair.Interface, pair.Largest, pair.Refused = sent.Interface, sent.Largest, sent.Refused
	if pair.Arrived = seen.Arrived; pair.Arrived > 0 {
		pair.Source = results.SourceKept
		if seen.Source != from.Addr {
			pair.Source, pair.Seen = results.SourceSNAT, seen.Source.String()
		}
	}
	return pair
}

// exchange runs the two roles.
func exchange(ctx context.Context, s *probes.Site, from, to *probes.Member) (sent asked, seen tally, err error) {
	a := args{Packets: packets, First: s.Patience(firstPatience), Last: s.Patience(lastPatience), Patience: s.Patience(patience)}
	rand.Read(a.Token[:])
	answering, asking := a, a
	answering.Addr, asking.Addr = to.Addr, from.Addr
	answers, err := to.Worker.Start(ctx, "survey/answer", answering)
	if err != nil {
		return sent, seen, fmt.Errorf("on %s: %w", to.NodeName, err)
	}
	var bound probes.Listening
	if err := answers.Ready(ctx, &bound); err != nil {
		answers.Cancel()
		return sent, seen, fmt.Errorf("on %s: %w", to.NodeName, err)
	}
	asking.Peer = netip.AddrPortFrom(to.Addr, bound.Port)
	asks, err := from.Worker.Start(ctx, "survey/ask", asking)
	if err == nil {
		err = asks.Wait(ctx, &sent)
	}
	answers.Cancel()
	if err != nil {
		err = fmt.Errorf("on %s: %w", from.NodeName, err)
	}
	if lost := answers.Wait(ctx, &seen); lost != nil {
		err = errors.Join(err, fmt.Errorf("on %s: %w", to.NodeName, lost))
	}
	return sent, seen, err
}
