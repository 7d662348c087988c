// Package trickle sends datagrams from one end to another at a low, steady rate to
// find out whether they arrive.
package trickle

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/frames"
	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/probes/worker"
)

// trickleWake is how long a receive may block before it checks the clock. The
// runtime's own signals would restart a longer wait.
const trickleWake = 5 * time.Millisecond

// Args are the arguments of both ends of a trickle of datagrams.
type Args struct {
	Addr     netip.Addr     `json:"addr"` // the end's own address
	Peer     netip.AddrPort `json:"peer,omitzero"`
	Token    frames.Token   `json:"token"`
	Every    time.Duration  `json:"every"`              // ns between two datagrams
	Sends    int            `json:"sends,omitempty"`    // the sender ends after this many, 0 for no limit
	Arrivals int            `json:"arrivals,omitempty"` // the receiver ends after this many, 0 for no limit
	Quiet    time.Duration  `json:"quiet,omitempty"`    // ns; the receiver ends if nothing arrives for this long, 0 for never
	Limit    time.Duration  `json:"limit"`              // ns; both ends end after this time
	// NewFlows says that each datagram is sent from a port of its own, so that the
	// network decides about each one anew.
	NewFlows bool `json:"new_flows,omitempty"`
}

// Result is what one end reports.
type Result struct {
	Count  int           `json:"count"`           // datagrams that were sent or arrived
	Source netip.Addr    `json:"source"`          // of the first one that arrived; invalid if none did
	Ago    time.Duration `json:"ago"`             // ns since the last one arrived
	Error  string        `json:"error,omitempty"` // of the last datagram that could not be sent
}

// Receive counts the datagrams that arrive.
func Receive(ctx context.Context, r *worker.Request) (any, error) {
	var args Args
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	s, port, err := hot.BoundUDP(ctx, args.Addr)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	wake := unix.NsecToTimeval(trickleWake.Nanoseconds())
	if err := unix.SetsockoptTimeval(s.FD, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wake); err != nil {
		return nil, fmt.Errorf("limiting the wait for datagrams: %w", err)
	}
	if err := r.Ready(probes.Listening{Port: port}); err != nil {
		return nil, err
	}
	var seen Result
	begin := time.Now()
	last := begin
	b := make([]byte, 2*frames.KnownLength)
	for ctx.Err() == nil && time.Since(begin) < args.Limit && (args.Arrivals == 0 || seen.Count < args.Arrivals) {
		if args.Quiet > 0 && time.Since(last) >= args.Quiet {
			break
		}
		n, from, err := unix.Recvfrom(s.FD, b, 0)
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ECONNREFUSED), ctx.Err() != nil:
		case err != nil:
			return nil, fmt.Errorf("waiting for datagrams: %w", os.NewSyscallError("recvfrom", err))
		case n >= frames.TokenBytes && frames.Token(b[:frames.TokenBytes]) == args.Token:
			if seen.Count++; seen.Count == 1 {
				seen.Source = hot.AddrOf(from)
			}
			last = time.Now()
		}
	}
	seen.Ago = time.Since(last)
	return seen, unlessCancelled(ctx)
}

// Start makes one end send to another. probe is the name of a probe that has
// Receive and Send as its roles. When Start returns, the first datagram has been
// sent or refused.
func Start(ctx context.Context, probe string, from, to probes.End, args Args) (receive, send *worker.Call, err error) {
	rand.Read(args.Token[:])
	atTo, atFrom := args, args
	atTo.Addr, atFrom.Addr = to.Addr, from.Addr
	if receive, err = to.Worker.Start(ctx, probe+"/receive", atTo); err != nil {
		return nil, nil, err
	}
	var bound probes.Listening
	if err := receive.Ready(ctx, &bound); err != nil {
		receive.Cancel()
		return nil, nil, err
	}
	atFrom.Peer = netip.AddrPortFrom(to.Addr, bound.Port)
	if send, err = from.Worker.Start(ctx, probe+"/send", atFrom); err != nil {
		receive.Cancel()
		return nil, nil, err
	}
	if err := send.Ready(ctx, nil); err != nil {
		receive.Cancel()
		send.Cancel()
		return nil, nil, err
	}
	return receive, send, nil
}

// Send sends datagrams at a steady rate. It counts a datagram that the kernel
// refuses as sent and reports the error: whether the network refuses is what the
// trickle is to find out.
func Send(ctx context.Context, r *worker.Request) (any, error) {
	var args Args
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	if args.Every <= 0 {
		return nil, fmt.Errorf("sending datagrams every %s: the interval must be positive", args.Every)
	}
	s, _, err := hot.BoundUDP(ctx, args.Addr)
	if err != nil {
		return nil, err
	}
	defer func() { s.Close() }() // the last one
	var sent Result
	tick := time.NewTicker(args.Every)
	defer tick.Stop()
	for begin := time.Now(); time.Since(begin) < args.Limit && (args.Sends == 0 || sent.Count < args.Sends); {
		err := unix.Sendto(s.FD, args.Token[:], 0, hot.Sockaddr(args.Peer))
		if ctx.Err() != nil {
			break
		}
		sent.Count++
		if err != nil {
			sent.Error = err.Error()
		}
		if sent.Count == 1 {
			if err := r.Ready(struct{}{}); err != nil {
				return nil, err
			}
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		if args.NewFlows && ctx.Err() == nil {
			next, _, err := hot.BoundUDP(ctx, args.Addr)
			if err != nil {
				return nil, err
			}
			s.Close()
			s = next
		}
	}
	return sent, unlessCancelled(ctx)
}

// unlessCancelled returns the error of a role whose context ended before the role
// was done, such as by its time limit. Cancellation by the controller is the normal
// end of such a role and not an error.
func unlessCancelled(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, worker.ErrCancelled) {
		return err
	}
	return nil
}

// Every is the interval at which datagrams are sent until one arrives.
const Every = 10 * time.Millisecond

// Patience is how long no datagram may arrive before a direction counts as closed,
// on top of the underlay's delay. Neighbour requests are sent once a second
// (arp(7)), so the loss of the first one must not decide the result.
const Patience = 1200 * time.Millisecond

// Longest returns the time limit of a trickle that ends when a datagram has arrived.
func Longest(delay time.Duration) time.Duration { return Patience + probes.ChainRoundTrips*2*delay }
