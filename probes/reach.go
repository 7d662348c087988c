package probes

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cnibench/cnibench/results"
)

const (
	// reachEvery is how often a datagram is sent until one arrives.
	reachEvery = 10 * time.Millisecond
	// reachPatience is how long none may arrive before a direction counts as
	// closed, beside what the underlay delays them. Neighbours are asked for once a second (arp(7)), so a first
	// request that gets lost must not decide.
	reachPatience = 1200 * time.Millisecond
)

// reach finds out which ways are open, and what becomes of the source address:
// between the two pods in both directions, between two pods of one node, and
// between pods and a host of the underlay that is no node of the cluster, if
// there is one.
func reach() *Probe {
	return &Probe{
		Name: "reach", Title: "whether pods, and a host outside the cluster, reach each other both ways, and with which source address",
		Once: true, Unreached: true, Placement: Same,
		Roles:   map[string]Role{"receive": trickleReceive, "send": trickleSend},
		Measure: measureReach, takes: reachTakes,
	}
}

// reachWay is one direction to look at.
type reachWay struct {
	direction string
	from, to  End
}

func measureReach(ctx context.Context, s *Site) (*Measurement, error) {
	around := &Surroundings{}
	if s.Around != nil {
		var err error
		if around, err = s.Around(ctx); err != nil {
			return nil, err
		}
	}
	begin := time.Now()
	m := &Measurement{}
	for _, way := range reachWays(s, around) {
		if way.from.Worker == nil || way.to.Worker == nil {
			continue // the baseline has one place a node, and not every testbed has an outside
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
		r, err := reachMasqueraded(ctx, around, s.Client)
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
func reachWays(s *Site, around *Surroundings) []reachWay {
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

// translated names a source address that changed between two pods. On the way
// out of the cluster that is what many plugins are asked to do.
func (w *reachWay) translated(r *results.Reachability) (f Finding, yes bool) {
	if r.Source != results.SourceSNAT || w.direction != results.PodToPod && w.direction != results.PodToNeigh {
		return f, false
	}
	if podOf(w.from) == nil {
		return Finding{results.FindingNodeSourceNAT, fmt.Sprintf("what %s sends to %s arrives with the source address %s instead of %s: something in the nodes' own network translates it",
			r.From, r.To, r.Seen, w.from.Addr)}, true
	}
	return Finding{results.FindingPodSourceNAT, fmt.Sprintf("what the pod on %s sends to the pod on %s arrives with the source address %s instead of the pod's %s: "+
		"NetworkPolicy and audit logs see that address and cannot tell pods apart (iptables -t nat -S on %s lists what may translate it)",
		r.From, r.To, r.Seen, w.from.Addr, r.From)}, true
}

// reachMasqueraded looks again at the way out of a pod, with the translation
// that clusters have on by default (flannel's --ip-masq, natOutgoing of
// Calico's pools).
func reachMasqueraded(ctx context.Context, around *Surroundings, from End) (*results.Reachability, error) {
	end, err := around.Masquerade(ctx)
	if err != nil {
		return nil, err
	}
	r, err := reachOneWay(ctx, around, from, around.Outside)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), policyLift)
	defer cancel()
	if err := errors.Join(err, end(ending)); err != nil {
		return nil, err
	}
	r.Direction, r.From, r.To = results.PodToOutsideNAT, from.NodeName, around.Outside.NodeName
	return r, nil
}

// reachOneWay sends datagrams until one arrives, and notes what the underlay
// dropped if none does.
func reachOneWay(ctx context.Context, around *Surroundings, from, to End) (*results.Reachability, error) {
	before, err := around.drops()
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
	after, err := around.drops()
	if err != nil {
		return nil, err
	}
	r.Cause = reachCause(NewDrops(before, after), sent)
	r.LastSeen, err = lastSeen(ctx, from, to, counters)
	return r, err
}

// reachCause names what stopped the datagrams: the reason for which most were
// dropped, or the sender's own kernel.
func reachCause(drops []Drop, sent trickled) string {
	var most Drop
	for _, d := range drops {
		if d.Packets > most.Packets {
			most = d
		}
	}
	switch {
	case most.Packets > 0:
		return most.String()
	case sent.Error != "":
		return "the sender's kernel refuses: " + sent.Error
	}
	return "no datagram arrived, and the underlay dropped none"
}

func (a *Surroundings) drops() ([]Drop, error) {
	if a.Drops == nil {
		return nil, nil
	}
	return a.Drops()
}

// sendUntilArrived sends datagrams until one arrives or patience ends.
func sendUntilArrived(ctx context.Context, from, to End, delay time.Duration) (got, sent trickled, err error) {
	args := trickleArgs{Every: reachEvery, Limit: oneTrickle(delay), Arrivals: 1}
	receive, send, err := startTrickle(ctx, "reach", from, to, args)
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
