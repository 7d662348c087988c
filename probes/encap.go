package probes

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// knownPackets are sent in each direction: enough that a share of them
	// taking another way shows.
	knownPackets = 16
	// packetGap lies between them, so that no queue drops one.
	packetGap = time.Millisecond
	// answerPatience is how long the client waits for an answer before it
	// counts it as lost, beside what the underlay is known to delay it. Before the first answer it sends again after it:
	// neighbours may have to be found first.
	answerPatience = 200 * time.Millisecond
	// encapLimit bounds the whole look at the wire.
	encapLimit = 5 * time.Second
)

// encap proves how packets travel between the nodes: it watches a node's NIC
// while known packets pass between two pods.
func encap() *Probe {
	return &Probe{
		Name: "encap", Title: "the encapsulation and its bytes, as seen on the wire", Once: true, Placement: Same,
		Roles:   map[string]Role{"server": encapServer, "client": encapClient, "capture": captureRole},
		Measure: measureEncap, takes: encapTakes,
	}
}

type encapArgs struct {
	Addr  netip.Addr     `json:"addr,omitzero"`
	Peer  netip.AddrPort `json:"peer,omitzero"`
	Token token          `json:"token"`
	// Patience is how long an answer may take, in ns.
	Patience time.Duration `json:"patience,omitempty"`
}

// encapSent is what the client sent and what came back to it.
type encapSent struct {
	Sent    int `json:"sent"`
	Answers int `json:"answers"`
}

// encapAnswered is what reached the server.
type encapAnswered struct {
	Received int `json:"received"`
	Answered int `json:"answered"`
}

func measureEncap(ctx context.Context, s *Site) (*Measurement, error) {
	switch {
	case s.Client.Worker == nil || s.Server.Worker == nil:
		return nil, errors.New("looking at the wire: an end has no worker")
	case s.Client.NodeName != "" && s.Client.NodeName == s.Server.NodeName:
		return nil, &NotHereError{"both ends are on one node, so nothing crosses its NIC"}
	case s.Client.Node == nil || s.Client.NIC == "":
		return nil, &NotHereError{"looking at the wire needs a worker in the node's own network"}
	}
	limit := encapTakes(s)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("time limit of %s passed", limit))
	defer cancel()
	begin := time.Now()
	var t token
	rand.Read(t[:])
	sent, answered, wire, err := s.passKnownPackets(ctx, t)
	if err != nil {
		return nil, err
	}
	e := judge(wire, t, sent.Sent+answered.Answered, s)
	if answered.Received < sent.Sent || sent.Answers < answered.Answered {
		e.Warnings = append(e.Warnings, fmt.Sprintf("of %d packets %d arrived, and of %d answers %d", sent.Sent, answered.Received, answered.Answered, sent.Answers))
	}
	if s.CaptureFile != "" {
		if err := writeCapture(s.CaptureFile, s.Client.NIC, wire.Frames); err != nil {
			return nil, err
		}
	}
	return &Measurement{Seconds: time.Since(begin).Seconds(), Encapsulation: e}, nil
}

// passKnownPackets sends known packets there and back while the client's node
// captures.
func (s *Site) passKnownPackets(ctx context.Context, t token) (sent encapSent, answered encapAnswered, wire captured, err error) {
	server, err := s.Server.Worker.Start(ctx, "encap/server", encapArgs{Addr: s.Server.Addr, Token: t})
	if err != nil {
		return sent, answered, wire, err
	}
	defer server.Cancel()
	capture, err := s.Client.Node.Start(ctx, "encap/capture", captureArgs{NIC: s.Client.NIC, Token: t})
	if err != nil {
		return sent, answered, wire, err
	}
	defer capture.Cancel()
	var bound listening
	if err := errors.Join(server.Ready(ctx, &bound), capture.Ready(ctx, nil)); err != nil {
		return sent, answered, wire, err
	}
	peer := netip.AddrPortFrom(s.Server.Addr, bound.Port)
	client, err := s.Client.Worker.Start(ctx, "encap/client", encapArgs{Addr: s.Client.Addr, Peer: peer, Token: t, Patience: s.patience(answerPatience)})
	if err != nil {
		return sent, answered, wire, err
	}
	if err := client.Wait(ctx, &sent); err != nil {
		return sent, answered, wire, err
	}
	server.Cancel()
	capture.Cancel()
	err = errors.Join(server.Wait(ctx, &answered), capture.Wait(ctx, &wire))
	return sent, answered, wire, err
}

// encapServer answers every packet with one of the same length, until it is
// cancelled.
func encapServer(ctx context.Context, r *Request) (any, error) {
	var args encapArgs
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
	var result encapAnswered
	b := make([]byte, 2*knownLength)
	for {
		n, from, err := unix.Recvfrom(s.fd, b, 0)
		cause := context.Cause(ctx) // read once: it may come at any moment
		switch {
		case errors.Is(cause, errCancelled):
			return result, nil
		case cause != nil:
			return nil, fmt.Errorf("waiting for packets: %w", cause)
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, fmt.Errorf("waiting for packets: %w", os.NewSyscallError("recvfrom", err))
		case n < headerBytes || from == nil:
			continue
		}
		counted := token(b[:tokenBytes]) == args.Token
		if counted {
			result.Received++
			b[tokenBytes] = backward
		}
		if unix.Sendto(s.fd, b[:n], 0, from) == nil && counted {
			result.Answered++
		}
	}
}

// encapClient first makes sure that packets pass at all, with some that do
// not count, and then sends the known packets.
func encapClient(ctx context.Context, r *Request) (any, error) {
	var args encapArgs
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
	if err := s.connect(ctx, args.Peer); err != nil {
		return nil, err
	}
	patience := unix.NsecToTimeval(args.Patience.Nanoseconds())
	if err := unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience); err != nil {
		return nil, fmt.Errorf("limiting the wait for answers: %w", err)
	}
	if err := s.untilAnswered(ctx, args.Peer); err != nil {
		return nil, err
	}
	var result encapSent
	for n := range uint32(knownPackets) {
		if err := unix.Send(s.fd, knownPayload(args.Token, forward, n, args.Peer.Addr().Is6()), 0); err != nil {
			return nil, fmt.Errorf("sending a known packet: %w", os.NewSyscallError("send", err))
		}
		result.Sent++
		time.Sleep(packetGap)
	}
	for result.Answers < result.Sent {
		b, err := s.answer(ctx)
		if err != nil {
			return nil, err
		}
		if b == nil {
			break
		}
		if token(b[:tokenBytes]) == args.Token {
			result.Answers++
		}
	}
	return result, nil
}

// untilAnswered sends packets that carry no token until one of them comes
// back, and leaves none under way.
func (s *socket) untilAnswered(ctx context.Context, peer netip.AddrPort) error {
	for n := uint32(1); ; n++ {
		// An error of the path (no route yet, say) may pass.
		sendErr := unix.Send(s.fd, knownPayload(token{}, forward, n, peer.Addr().Is6()), 0)
		for {
			b, err := s.answer(ctx)
			if err != nil {
				return fmt.Errorf("no packet came back from %s: %w", peer, errors.Join(err, sendErr))
			}
			if b == nil {
				break
			}
			if binary.BigEndian.Uint32(b[tokenBytes+1:]) == n {
				return nil
			}
		}
	}
}

// answer takes the next datagram; nil if none came in time.
func (s *socket) answer(ctx context.Context) ([]byte, error) {
	b := make([]byte, 2*knownLength)
	for {
		n, _, err := unix.Recvfrom(s.fd, b, 0)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.EAGAIN):
			return nil, nil
		case err != nil:
			return nil, os.NewSyscallError("recvfrom", err)
		case n >= headerBytes:
			return b[:n], nil
		}
	}
}
