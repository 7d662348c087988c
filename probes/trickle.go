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
)

// trickleWake is how long a receive may wait before it looks at the clock. The
// runtime's own signals begin a longer wait anew.
const trickleWake = 5 * time.Millisecond

// trickleArgs are those of both ends of a steady trickle of datagrams.
type trickleArgs struct {
	Addr     netip.Addr     `json:"addr"` // the end's own
	Peer     netip.AddrPort `json:"peer,omitzero"`
	Token    token          `json:"token"`
	Every    time.Duration  `json:"every"`              // ns between two datagrams
	Sends    int            `json:"sends,omitempty"`    // the sender ends after so many, 0 for no limit
	Arrivals int            `json:"arrivals,omitempty"` // the receiver ends after so many, 0 for no limit
	Quiet    time.Duration  `json:"quiet,omitempty"`    // ns; the receiver ends when nothing came for so long, 0 for never
	Limit    time.Duration  `json:"limit"`              // ns; ends in any case
}

// trickled is what an end has seen of it.
type trickled struct {
	Count  int           `json:"count"`           // datagrams sent or arrived
	Source netip.Addr    `json:"source"`          // of the first one that arrived; not valid if none did
	Ago    time.Duration `json:"ago"`             // ns since the last one arrived
	Error  string        `json:"error,omitempty"` // of the last datagram that could not be sent
}

// trickleReceive counts the datagrams that arrive.
func trickleReceive(ctx context.Context, r *Request) (any, error) {
	var args trickleArgs
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
	wake := unix.NsecToTimeval(trickleWake.Nanoseconds())
	if err := unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wake); err != nil {
		return nil, fmt.Errorf("limiting the wait for datagrams: %w", err)
	}
	if err := r.Ready(listening{Port: port}); err != nil {
		return nil, err
	}
	var seen trickled
	begin := time.Now()
	last := begin
	b := make([]byte, 2*knownLength)
	for ctx.Err() == nil && time.Since(begin) < args.Limit && (args.Arrivals == 0 || seen.Count < args.Arrivals) {
		if args.Quiet > 0 && time.Since(last) >= args.Quiet {
			break
		}
		n, from, err := unix.Recvfrom(s.fd, b, 0)
		switch {
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN), errors.Is(err, unix.ECONNREFUSED), ctx.Err() != nil:
		case err != nil:
			return nil, fmt.Errorf("waiting for datagrams: %w", os.NewSyscallError("recvfrom", err))
		case n >= tokenBytes && token(b[:tokenBytes]) == args.Token:
			if seen.Count++; seen.Count == 1 {
				seen.Source = addrOf(from)
			}
			last = time.Now()
		}
	}
	seen.Ago = time.Since(last)
	return seen, unlessCancelled(ctx)
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

// startTrickle has one end send to another, as a probe with the roles of a
// trickle.
func startTrickle(ctx context.Context, probe string, from, to End, args trickleArgs) (receive, send *Call, err error) {
	rand.Read(args.Token[:])
	atTo, atFrom := args, args
	atTo.Addr, atFrom.Addr = to.Addr, from.Addr
	if receive, err = to.Worker.Start(ctx, probe+"/receive", atTo); err != nil {
		return nil, nil, err
	}
	var bound listening
	if err := receive.Ready(ctx, &bound); err != nil {
		receive.Cancel()
		return nil, nil, err
	}
	atFrom.Peer = netip.AddrPortFrom(to.Addr, bound.Port)
	if send, err = from.Worker.Start(ctx, probe+"/send", atFrom); err != nil {
		receive.Cancel()
		return nil, nil, err
	}
	return receive, send, nil
}

// trickleSend sends datagrams at a steady rate. Refusals are counted out and
// told: whether the network refuses is what is asked.
func trickleSend(ctx context.Context, r *Request) (any, error) {
	var args trickleArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	if args.Every <= 0 {
		return nil, fmt.Errorf("datagrams cannot be sent every %s", args.Every)
	}
	s, err := newSocket(ctx, args.Peer.Addr(), unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if _, err := s.bind(args.Addr); err != nil {
		return nil, err
	}
	var sent trickled
	tick := time.NewTicker(args.Every)
	defer tick.Stop()
	for begin := time.Now(); time.Since(begin) < args.Limit && (args.Sends == 0 || sent.Count < args.Sends); {
		err := unix.Sendto(s.fd, args.Token[:], 0, sockaddr(args.Peer))
		if ctx.Err() != nil {
			break
		}
		sent.Count++
		if err != nil {
			sent.Error = err.Error()
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return sent, unlessCancelled(ctx)
}

// unlessCancelled is the error of a role that was cut off by its time limit,
// which has not seen all; to be cancelled is how such a role ends in order.
func unlessCancelled(ctx context.Context) error {
	if err := context.Cause(ctx); !errors.Is(err, errCancelled) {
		return err
	}
	return nil
}
