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

// reach finds out which ways are open between pods and a host of the underlay
// that is no node of the cluster, and what becomes of the source address.
func reach() *Probe {
	return &Probe{
		Name: "reach", Title: "whether pods and a host outside the cluster reach each other, and with which source address",
		Once: true, Unreached: true, Placement: Same,
		Roles:   map[string]Role{"receive": trickleReceive, "send": trickleSend},
		Measure: measureReach, takes: reachTakes,
	}
}

func measureReach(ctx context.Context, s *Site) (*Measurement, error) {
	around, err := s.around(ctx)
	if err != nil {
		return nil, err
	}
	if around.Outside.Worker == nil {
		return nil, &NotHereError{"no host outside the cluster was named (--outside)"}
	}
	begin := time.Now()
	m := &Measurement{}
	for _, way := range []struct {
		direction string
		from, to  End
	}{
		{results.OutsideToPod, around.Outside, s.Client},
		{results.PodToOutside, s.Client, around.Outside},
		{results.PodToPod, s.Client, s.Server},
		{results.PodToNeigh, s.Client, around.Beside},
	} {
		if way.from.Worker == nil || way.to.Worker == nil {
			continue // the baseline has one place a node
		}
		r, err := reachOneWay(ctx, around, way.from, way.to)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", way.direction, err)
		}
		r.Direction = way.direction
		m.Reachability = append(m.Reachability, *r)
	}
	if around.Masquerade != nil {
		r, err := reachMasqueraded(ctx, around, s.Client)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", results.PodToOutsideNAT, err)
		}
		m.Reachability = append(m.Reachability, *r)
	}
	m.Seconds = time.Since(begin).Seconds()
	return m, nil
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
	r.Direction = results.PodToOutsideNAT
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
