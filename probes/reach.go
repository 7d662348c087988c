package probes

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/results"
)

const (
	// reachEvery is how often a datagram is sent until one arrives.
	reachEvery = 10 * time.Millisecond
	// reachPatience is how long none may arrive before a direction counts as
	// closed. Neighbours are asked for once a second (arp(7)), so a first
	// request that gets lost must not decide.
	reachPatience = 1200 * time.Millisecond
)

// reach finds out which ways are open between pods and a host of the underlay
// that is no node of the cluster, and what becomes of the source address.
func reach() *Probe {
	return &Probe{
		Name: "reach", Title: "whether pods and a host outside the cluster reach each other, and with which source address",
		Once: true, Unreached: true, Placement: Same,
		Roles:   map[string]Role{"receive": reachReceive, "send": reachSend},
		Measure: measureReach,
	}
}

type reachArgs struct {
	Addr  netip.Addr     `json:"addr"`
	Peer  netip.AddrPort `json:"peer,omitzero"`
	Token token          `json:"token"`
}

// firstArrival is what reached the receiver.
type firstArrival struct {
	Source netip.Addr `json:"source"` // of the first datagram; not valid if none came
}

// sentOff is what became of sending.
type sentOff struct {
	Error string `json:"error,omitempty"` // of the last datagram that could not be sent
}

func measureReach(ctx context.Context, s *Site) (*Measurement, error) {
	around, err := s.around(ctx)
	if err != nil {
		return nil, err
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
	got, sent, err := sendUntilArrived(ctx, from, to)
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
func reachCause(drops []Drop, sent sentOff) string {
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

func sendUntilArrived(ctx context.Context, from, to End) (got firstArrival, sent sentOff, err error) {
	var t token
	rand.Read(t[:])
	receive, err := to.Worker.Start(ctx, "reach/receive", reachArgs{Addr: to.Addr, Token: t})
	if err != nil {
		return got, sent, err
	}
	defer receive.Cancel()
	var bound listening
	if err := receive.Ready(ctx, &bound); err != nil {
		return got, sent, err
	}
	send, err := from.Worker.Start(ctx, "reach/send", reachArgs{Addr: from.Addr, Peer: netip.AddrPortFrom(to.Addr, bound.Port), Token: t})
	if err != nil {
		return got, sent, err
	}
	defer send.Cancel()
	if err := receive.Wait(ctx, &got); err != nil {
		return got, sent, err
	}
	send.Cancel()
	return got, sent, send.Wait(ctx, &sent)
}

// reachReceive waits for the first datagram.
func reachReceive(ctx context.Context, r *Request) (any, error) {
	var args reachArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	s, err := newSocket(ctx, args.Addr, unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	port, err := s.bind(args.Addr)
	if err != nil {
		return nil, err
	}
	if err := r.Ready(listening{Port: port}); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(reachPatience)
	b := make([]byte, 2*knownLength)
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return firstArrival{}, nil
		}
		patience := unix.NsecToTimeval(max(left, time.Millisecond).Nanoseconds())
		if err := unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience); err != nil {
			return nil, fmt.Errorf("limiting the wait for datagrams: %w", err)
		}
		n, from, err := unix.Recvfrom(s.fd, b, 0)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ECONNREFUSED):
		case err != nil:
			return nil, fmt.Errorf("waiting for datagrams: %w", os.NewSyscallError("recvfrom", err))
		case n >= tokenBytes && token(b[:tokenBytes]) == args.Token:
			return firstArrival{Source: addrOf(from)}, nil
		}
	}
}

// addrOf is the address of a socket address, without its port.
func addrOf(sa unix.Sockaddr) netip.Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(sa.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(sa.Addr)
	}
	return netip.Addr{}
}

// reachSend sends datagrams until it is cancelled or the receiver has lost
// patience.
func reachSend(ctx context.Context, r *Request) (any, error) {
	var args reachArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	s, err := newSocket(ctx, args.Peer.Addr(), unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if _, err := s.bind(args.Addr); err != nil {
		return nil, err
	}
	var result sentOff
	for deadline := time.Now().Add(reachPatience); time.Now().Before(deadline) && ctx.Err() == nil; {
		// Refusals pass: a network may still be on its way up.
		if err := unix.Sendto(s.fd, args.Token[:], 0, sockaddr(args.Peer)); err != nil && ctx.Err() == nil {
			result.Error = err.Error()
		}
		select {
		case <-ctx.Done():
		case <-time.After(reachEvery):
		}
	}
	return result, nil
}
