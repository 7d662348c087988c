// Package encap verifies how packets travel between nodes: it captures on a node's
// NIC while known packets pass between two pods, and compares their encapsulation
// with the configured one.
package encap

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

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/frames"
	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/words"
)

const (
	// knownPackets is the number of packets sent in each direction, which is enough
	// to notice if some of them take another path.
	knownPackets = 16
)

// Probe verifies how packets travel between the nodes: it watches a node's NIC
// while known packets pass between two pods.
func Probe() *probes.Probe {
	return &probes.Probe{
		Name: "encap", Title: "the encapsulation and its bytes, as seen on the wire", Once: true, Placement: probes.Same,
		Roles:   map[string]worker.Role{"server": encapServer, "client": encapClient, "capture": captureRole},
		Measure: measureEncap, Longest: encapTakes,
	}
}

type encapArgs struct {
	Addr  netip.Addr     `json:"addr,omitzero"`
	Peer  netip.AddrPort `json:"peer,omitzero"`
	Token frames.Token   `json:"token"`
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

func measureEncap(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
	switch {
	case s.Client.Worker == nil || s.Server.Worker == nil:
		return nil, errors.New("capturing known packets: an end has no worker")
	case s.Client.NodeName != "" && s.Client.NodeName == s.Server.NodeName:
		return nil, &probes.NotHereError{Why: words.SameNodeNoNIC}
	case s.Client.Node == nil || s.Client.NIC == "":
		return nil, &probes.NotHereError{Why: words.LookingNeedsWorker}
	}
	limit := encapTakes(s)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("time limit of %s passed", limit))
	defer cancel()
	begin := time.Now()
	var t frames.Token
	rand.Read(t[:])
	sent, answered, wire, err := passKnownPackets(ctx, s, t)
	if err != nil {
		return nil, err
	}
	e := judge(wire, t, sent.Sent+answered.Answered, s)
	if answered.Received < sent.Sent || sent.Answers < answered.Answered {
		e.Warnings = append(e.Warnings, words.PacketsAndAnswers.With(sent.Sent, answered.Received, answered.Answered, sent.Answers))
	}
	if s.CaptureFile != "" {
		if err := frames.WriteCapture(s.CaptureFile, s.Client.NIC, wire.Frames); err != nil {
			return nil, err
		}
	}
	return &probes.Measurement{Seconds: time.Since(begin).Seconds(), Encapsulation: e}, nil
}

// passKnownPackets sends known packets in both directions while the client's node
// captures.
func passKnownPackets(ctx context.Context, s *probes.Site, t frames.Token) (sent encapSent, answered encapAnswered, wire frames.Captured, err error) {
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
	var bound probes.Listening
	if err := errors.Join(server.Ready(ctx, &bound), capture.Ready(ctx, nil)); err != nil {
		return sent, answered, wire, err
	}
	peer := netip.AddrPortFrom(s.Server.Addr, bound.Port)
	client, err := s.Client.Worker.Start(ctx, "encap/client", encapArgs{Addr: s.Client.Addr, Peer: peer, Token: t, Patience: s.Patience(probes.AnswerPatience)})
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
func encapServer(ctx context.Context, r *worker.Request) (any, error) {
	var args encapArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	s, port, err := hot.BoundUDP(ctx, args.Addr)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := r.Ready(probes.Listening{Port: port}); err != nil {
		return nil, err
	}
	var result encapAnswered
	b := make([]byte, 2*frames.KnownLength)
	err = probes.EachPacket(ctx, s.FD, b, frames.HeaderBytes, func(n int, from unix.Sockaddr) {
		counted := frames.Token(b[:frames.TokenBytes]) == args.Token
		if counted {
			result.Received++
			b[frames.TokenBytes] = frames.Backward
		}
		if unix.Sendto(s.FD, b[:n], 0, from) == nil && counted {
			result.Answered++
		}
	})
	return result, err
}

// encapClient first makes sure that packets pass at all, using some that do not
// count, and then sends the known packets.
func encapClient(ctx context.Context, r *worker.Request) (any, error) {
	var args encapArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	s, _, err := hot.BoundUDP(ctx, args.Addr)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := s.Connect(ctx, args.Peer); err != nil {
		return nil, err
	}
	patience := unix.NsecToTimeval(args.Patience.Nanoseconds())
	if err := unix.SetsockoptTimeval(s.FD, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience); err != nil {
		return nil, fmt.Errorf("limiting the wait for answers: %w", err)
	}
	if err := untilAnswered(ctx, s, args.Peer); err != nil {
		return nil, err
	}
	var result encapSent
	for n := range uint32(knownPackets) {
		if err := unix.Send(s.FD, frames.KnownPayload(args.Token, frames.Forward, n, args.Peer.Addr().Is6()), 0); err != nil {
			return nil, fmt.Errorf("sending a known packet: %w", os.NewSyscallError("send", err))
		}
		result.Sent++
		time.Sleep(frames.PacketGap)
	}
	for result.Answers < result.Sent {
		b, err := nextAnswer(ctx, s)
		if err != nil {
			return nil, err
		}
		if b == nil {
			break
		}
		if frames.Token(b[:frames.TokenBytes]) == args.Token {
			result.Answers++
		}
	}
	return result, nil
}

// untilAnswered sends packets without a token, one at a time, until one of them
// comes back. It leaves none in flight.
func untilAnswered(ctx context.Context, s *hot.Socket, peer netip.AddrPort) error {
	for n := uint32(1); ; n++ {
		// An error such as no route yet may be temporary.
		sendErr := unix.Send(s.FD, frames.KnownPayload(frames.Token{}, frames.Forward, n, peer.Addr().Is6()), 0)
		for {
			b, err := nextAnswer(ctx, s)
			if err != nil {
				return fmt.Errorf("no packet came back from %s: %w", peer, errors.Join(err, sendErr))
			}
			if b == nil {
				break
			}
			if binary.BigEndian.Uint32(b[frames.TokenBytes+1:]) == n {
				return nil
			}
		}
	}
}

// nextAnswer returns the next datagram, or nil if none arrived in time.
func nextAnswer(ctx context.Context, s *hot.Socket) ([]byte, error) {
	b := make([]byte, 2*frames.KnownLength)
	for {
		n, _, err := unix.Recvfrom(s.FD, b, 0)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.EAGAIN):
			return nil, nil
		case err != nil:
			return nil, os.NewSyscallError("recvfrom", err)
		case n >= frames.HeaderBytes:
			return b[:n], nil
		}
	}
}

type captureArgs struct {
	NIC   string       `json:"nic"`
	Token frames.Token `json:"token"`
}

// captureRole collects the frames that may carry known packets, sent or
// received by a NIC, until it is cancelled.
func captureRole(ctx context.Context, r *worker.Request) (any, error) {
	var args captureArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	fd, err := frames.OpenCapture(args.NIC)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if err := r.Ready(struct{}{}); err != nil {
		return nil, err
	}
	var c frames.Captured
	if err := c.Collect(ctx, fd, args.Token); err != nil {
		return nil, fmt.Errorf("capturing on %s: %w", args.NIC, err)
	}
	stats, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return nil, fmt.Errorf("counting dropped frames on %s: %w", args.NIC, err)
	}
	c.Dropped = int(stats.Drops)
	return c, nil
}

// encapTakes returns the time limit of the probe.
func encapTakes(s *probes.Site) time.Duration {
	return s.Limit(probes.FactLimit) + (probes.ChainRoundTrips+1)*s.Patience(probes.AnswerPatience)
}
