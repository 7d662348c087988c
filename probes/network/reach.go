// Package network contains the probes of facts about a network: who can reach whom
// and with which source address, path MTU, adjacency, policies, Services, and what
// a plugin does to pods.
package network

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/trickle"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Reach finds out which directions are open and whether source addresses are kept:
// between the two pods in both directions, between two pods on one node, and
// between pods and a host on the underlay that is not a node of the cluster, if
// there is one.
func Reach() *probes.Probe {
	return &probes.Probe{
		Name: "reach", Title: "whether pods, and a host outside the cluster, reach each other both ways, and with which source address",
		Once: true, Unreached: true, Placement: probes.Same,
		Roles:   map[string]worker.Role{"receive": trickle.Receive, "send": trickle.Send},
		Measure: measureReach, Longest: reachTakes,
	}
}

// reachWay is one direction to check.
type reachWay struct {
	direction string
	from, to  probes.End
}

func measureReach(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
	around := &probes.Surroundings{}
	if s.Around != nil {
		var err error
		if around, err = s.Around(ctx); err != nil {
			return nil, err
		}
	}
	begin := time.Now()
	m := &probes.Measurement{}
	if around.Outside.Worker == nil {
		m.Absent = append(m.Absent, words.NoOutsideHost)
	}
	for _, way := range reachWays(s, around) {
		if way.from.Worker == nil || way.to.Worker == nil {
			continue // the baseline has no second pod, and not every testbed has an outside host
		}
		r, err := reachOneWay(ctx, around, way.from, way.to)
		if err != nil {
			return nil, fmt.Errorf("%s from %s to %s: %w", way.direction, way.from.NodeName, way.to.NodeName, err)
		}
		r.Direction, r.From, r.To = way.direction, way.from.NodeName, way.to.NodeName
		m.Reachability = append(m.Reachability, *r)
		if f, translated := way.translated(r); translated {
			m.Findings = append(m.Findings, f)
		}
	}
	if around.Masquerade != nil && around.Outside.Worker != nil {
		r, err := reachMasqueraded(ctx, s, around, s.Client)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", results.PodToOutsideNAT, err)
		}
		m.Reachability = append(m.Reachability, *r)
	}
	found, err := lopsided(ctx, s, m.Reachability)
	if err != nil {
		return nil, err
	}
	m.Findings = append(m.Findings, found...)
	m.Seconds = time.Since(begin).Seconds()
	return m, nil
}

// reachWays lists the directions in the order in which people read them.
func reachWays(s *probes.Site, around *probes.Surroundings) []reachWay {
	between := results.PodToPod
	if s.Client.NodeName == s.Server.NodeName {
		between = results.PodToNeigh
	}
	return []reachWay{
		{results.OutsideToPod, around.Outside, s.Client},
		{results.PodToOutside, s.Client, around.Outside},
		{between, s.Client, s.Server},
		{between, s.Server, s.Client},
		{results.PodToNeigh, s.Client, around.Beside},
		{results.PodToNeigh, around.Beside, s.Client},
	}
}

// isNode reports whether an end is a node itself. A pod with an interface of its
// own in the cloud stands for its node too, but has another address.
func isNode(e probes.End) bool {
	return podOf(e) == nil && (!e.NodeAddr.IsValid() || e.Addr == e.NodeAddr)
}

// translated returns a finding if the source address changed between two pods. On
// the way out of the cluster, source NAT is what many plugins are configured for.
func (w *reachWay) translated(r *results.Reachability) (f probes.Finding, yes bool) {
	if r.Source != results.SourceSNAT || w.direction != results.PodToPod && w.direction != results.PodToNeigh {
		return f, false
	}
	if isNode(w.from) {
		return probes.Finding{Name: results.FindingNodeSourceNAT, Text: words.NodeSourceTranslated.With(r.From, r.To, r.Seen, w.from.Addr)}, true
	}
	return probes.Finding{Name: results.FindingPodSourceNAT, Text: words.PodSourceTranslated.With(r.From, r.To, r.Seen, w.from.Addr, r.From)}, true
}

// reachMasqueraded checks the path out of a pod once more with source NAT, which
// clusters have on by default (flannel's --ip-masq, natOutgoing of Calico's pools).
func reachMasqueraded(ctx context.Context, s *probes.Site, around *probes.Surroundings, from probes.End) (*results.Reachability, error) {
	end, err := around.Masquerade(ctx)
	if err != nil {
		return nil, err
	}
	r, err := reachOneWay(ctx, around, from, around.Outside)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Limit(policyLift))
	defer cancel()
	if err := errors.Join(err, end(ending)); err != nil {
		return nil, err
	}
	r.Direction, r.From, r.To = results.PodToOutsideNAT, from.NodeName, around.Outside.NodeName
	return r, nil
}

// reachOneWay sends datagrams until one arrives. If none does, it records what the
// underlay dropped.
func reachOneWay(ctx context.Context, around *probes.Surroundings, from, to probes.End) (*results.Reachability, error) {
	before, err := around.Dropped()
	if err != nil {
		return nil, err
	}
	counters, err := countDevices(ctx, from, to)
	if err != nil {
		return nil, err
	}
	got, sent, err := sendUntilArrived(ctx, from, to, around.Delay)
	if err != nil {
		return nil, err
	}
	r := &results.Reachability{Reachable: got.Source.IsValid()}
	if r.Reachable {
		r.Seen, r.Source = got.Source.String(), results.SourceKept
		if got.Source != from.Addr {
			r.Source = results.SourceSNAT
		}
		return r, nil
	}
	after, err := around.Dropped()
	if err != nil {
		return nil, err
	}
	r.Cause = reachCause(probes.NewDrops(before, after), sent)
	r.LastSeen, err = lastSeen(ctx, from, to, counters)
	return r, err
}

// reachCause returns what stopped the datagrams: the reason for which most of them
// were dropped, or the sender's own kernel.
func reachCause(drops []probes.Drop, sent trickle.Result) words.Text {
	var most probes.Drop
	for _, d := range drops {
		if d.Packets > most.Packets {
			most = d
		}
	}
	switch {
	case most.Packets > 0:
		return most.Text()
	case sent.Error != "":
		return words.SendersKernelRefuses.With(sent.Error)
	}
	return words.NothingDropped
}

// sendUntilArrived sends datagrams until one arrives or time runs out.
func sendUntilArrived(ctx context.Context, from, to probes.End, delay time.Duration) (got, sent trickle.Result, err error) {
	args := trickle.Args{Every: trickle.Every, Limit: trickle.Longest(delay), Arrivals: 1}
	receive, send, err := trickle.Start(ctx, "reach", from, to, args)
	if err != nil {
		return got, sent, err
	}
	defer receive.Cancel()
	defer send.Cancel()
	if err := receive.Wait(ctx, &got); err != nil {
		return got, sent, err
	}
	send.Cancel()
	return got, sent, send.Wait(ctx, &sent)
}

const reachDirections = 8

const reachStreams = 4

func reachTakes(s *probes.Site) time.Duration {
	short := *s
	short.Duration = max(s.Limit(lopsidedDuration), 4*s.Delay)
	return reachDirections*trickle.Longest(s.Delay) + s.Limit(policyLift) + reachStreams*short.DriveLimit()
}
