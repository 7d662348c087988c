// Package load contains the probes that put load on a path and measure its
// throughput and latency.
package load

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/words"
)

// maxMessage is the largest request of the request/response probes in bytes. It
// fits the smallest socket buffer in Linux (tcp(7), tcp_wmem), so both ends can
// write before they read.
const maxMessage = 4096

// maxRate is the highest request rate of an open loop, in 1/s.
const maxRate = 1_000_000

// The parameters that the request/response probes share.
const (
	paramSize = "size"
	paramRate = "rate"
	paramBusy = "busy"
)

// TCPRR measures round trips of requests and responses over one TCP connection.
func TCPRR() *probes.Probe {
	return rr("tcp-rr", "round trip time of one small request and response over TCP", tcpRRServer, dialTCPRR)
}

// UDPRR measures round trips of requests and responses over UDP.
func UDPRR() *probes.Probe {
	return rr("udp-rr", "round trip time of one small request and response over UDP", udpRRServer, dialUDPRR)
}

// dial opens the client's connection, ready for its first round.
type dial func(ctx context.Context, args *RRArgs, r *LatencyResult) (*hot.Socket, error)

func rr(name, title string, server worker.Role, connect dial) *probes.Probe {
	return &probes.Probe{
		Name: name, Title: title, Metrics: latencyMetrics(),
		Params: []probes.Param{
			{Name: paramSize, Title: "bytes in a request and in a response", Default: "1", Min: 1, Max: maxMessage},
			{Name: paramRate, Title: "requests per second, each with a due time from which its latency counts (default: each is sent when the previous one is answered)", Min: 1, Max: maxRate},
			{Name: paramBusy, Title: "ends poll their sockets instead of sleeping on them"},
		},
		Placement: probes.Same,
		Roles: map[string]worker.Role{"server": server, "client": func(ctx context.Context, r *worker.Request) (any, error) {
			return rrClient(ctx, r, connect)
		}},
		Measure: func(ctx context.Context, s *probes.Site) (*probes.Measurement, error) { return measureRR(ctx, s, name) },
	}
}

type RRArgs struct {
	Addr     netip.Addr     `json:"addr,omitzero"`  // address that the server binds to
	Port     uint16         `json:"port,omitempty"` // port that the server binds to, 0 for any
	Peer     netip.AddrPort `json:"peer,omitzero"`  // address that the client connects to
	CPU      int            `json:"cpu"`
	Size     int            `json:"size"`
	Rate     int            `json:"rate,omitempty"` // 1/s, 0 for a closed loop
	Busy     bool           `json:"busy,omitempty"`
	Trial    bool           `json:"trial,omitempty"` // whether the first connection may find nobody that answers; see [hot.ConnectTCPApart]
	Most     int64          `json:"most,omitempty"`  // connections that tcp-crr opens at most in its warm-up, and again in the counted part; 0 for no bound
	Duration time.Duration  `json:"duration"`        // ns
	Delay    time.Duration  `json:"delay,omitempty"` // ns, known one-way delay of the underlay
}

// Patience returns how long an answer may take before it counts as lost.
func (a *RRArgs) Patience() time.Duration { return probes.AnswerPatience + 2*a.Delay }

func (a *RRArgs) check() error {
	if a.Size < 1 || a.Size > maxMessage || a.Duration < probes.MinDuration || a.Rate < 0 || a.Rate > maxRate || a.Most < 0 {
		return fmt.Errorf("measuring requests of %d bytes at %d/s for %s is not supported", a.Size, a.Rate, a.Duration)
	}
	return nil
}

// flags returns the flags for every receive.
func (a *RRArgs) flags() int {
	if a.Busy {
		return unix.MSG_DONTWAIT
	}
	return 0
}

// rrArgsOf reads the probe's parameters.
func rrArgsOf(s *probes.Site) (RRArgs, error) {
	size, err := s.Number(paramSize, 1)
	if err != nil {
		return RRArgs{}, err
	}
	rate, err := s.Number(paramRate, 0)
	if err != nil {
		return RRArgs{}, err
	}
	return RRArgs{Size: size, Rate: rate, Busy: s.Params[paramBusy] != "", Duration: s.Duration, Delay: s.Delay}, nil
}

func measureRR(ctx context.Context, s *probes.Site, probe string) (*probes.Measurement, error) {
	args, err := rrArgsOf(s)
	if err != nil {
		return nil, err
	}
	toServer, toClient := args, args
	toServer.Addr, toServer.CPU = s.Server.Addr, s.Server.CPU
	toClient.CPU = s.Client.CPU
	var server ServerResult
	var client LatencyResult
	err = s.Drive(ctx, probe, toServer, func(peer netip.AddrPort) any {
		toClient.Peer = peer
		return toClient
	}, &server, &client)
	if err != nil {
		return nil, err
	}
	m, err := client.measurement(&server)
	if err != nil {
		return nil, err
	}
	m.Params = map[string]string{paramSize: strconv.Itoa(args.Size)}
	if client.Congestion != "" {
		m.Params["congestion"] = client.Congestion
	}
	for _, name := range []string{paramRate, paramBusy} {
		if v := s.Params[name]; v != "" {
			m.Params[name] = v
		}
	}
	return m, nil
}

// tcpRRServer answers until the client closes the connection.
func tcpRRServer(ctx context.Context, r *worker.Request) (any, error) {
	args, err := readRRArgs(r)
	if err != nil {
		return nil, err
	}
	listener, port, err := hot.ListenTCP(ctx, args.Addr, args.Port, 1)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	if err := r.Ready(probes.Listening{Port: port}); err != nil {
		return nil, err
	}
	conn, err := listener.Accept(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	listener.Close()
	if err := conn.SetNoDelay(); err != nil {
		return nil, err
	}
	var result ServerResult
	if _, result.Warnings, err = conn.SetCongestionControl(); err != nil {
		return nil, err
	}
	return result, result.answer(ctx, conn, args)
}

// udpRRServer answers the first peer that sends a request, until it is cancelled.
func udpRRServer(ctx context.Context, r *worker.Request) (any, error) {
	args, err := readRRArgs(r)
	if err != nil {
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
	b := make([]byte, maxMessage)
	n, from, err := unix.Recvfrom(s.FD, b, 0)
	if err != nil || ctx.Err() != nil || from == nil {
		return nil, fmt.Errorf("waiting for the first request: %w", errors.Join(context.Cause(ctx), err))
	}
	if err := unix.Connect(s.FD, from); err != nil {
		return nil, fmt.Errorf("connecting to the peer of the first request: %w", os.NewSyscallError("connect", err))
	}
	if err := unix.Send(s.FD, b[:n], 0); err != nil {
		return nil, fmt.Errorf("answering the first request: %w", os.NewSyscallError("send", err))
	}
	var result ServerResult
	return result, result.answer(ctx, s, args)
}

func readRRArgs(r *worker.Request) (*RRArgs, error) {
	var args RRArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	return &args, args.check()
}

// answer echoes until the client closes the connection or, over UDP, until the
// role is cancelled.
func (r *ServerResult) answer(ctx context.Context, s *hot.Socket, args *RRArgs) error {
	clock := hot.StartClockwork(probes.WarmUp(args.Duration))
	err := hot.OnCPU(args.CPU, func() error {
		defer hot.OwnFile(s.FD)()
		b := make([]byte, args.Size)
		defer hot.Keep(b)
		_, errno := hot.Echo(s.FD, b, args.flags(), &s.Stopped)
		return answered(context.Cause(ctx), errno)
	})
	if err != nil {
		return err
	}
	r.Machine, err = clock.End()
	return err
}

// answered returns the error of a server whose loop has ended, or nil if the client
// ended the sample; the client itself reports if it did so too early. cause is the
// context's cause, which the caller reads only once: the cancellation that follows
// the client's end may come at any moment.
func answered(cause error, errno syscall.Errno) error {
	switch {
	case errors.Is(cause, worker.ErrCancelled):
		return nil
	case cause != nil:
		return fmt.Errorf("answering: %w", cause)
	case errno != hot.Ended && errno != unix.ECONNRESET:
		return fmt.Errorf("answering: %w", errno)
	}
	return nil
}

func dialTCPRR(ctx context.Context, args *RRArgs, r *LatencyResult) (*hot.Socket, error) {
	connect := hot.ConnectTCP
	if args.Trial {
		connect = hot.ConnectTCPApart
	}
	conn, err := connect(ctx, args.Peer)
	if err != nil {
		return nil, err
	}
	var warnings []words.Text
	if r.Congestion, warnings, err = conn.SetCongestionControl(); err == nil {
		r.Warnings = append(r.Warnings, warnings...)
		err = conn.SetNoDelay()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// dialUDPRR connects and completes a first round, resending as needed, so that the
// server knows its peer.
func dialUDPRR(ctx context.Context, args *RRArgs, _ *LatencyResult) (*hot.Socket, error) {
	s, err := hot.NewSocket(ctx, args.Peer.Addr(), unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	if err != nil {
		return nil, err
	}
	if err := s.Connect(ctx, args.Peer); err != nil {
		s.Close()
		return nil, err
	}
	patience := unix.NsecToTimeval(args.Patience().Nanoseconds())
	none := unix.Timeval{}
	err = unix.SetsockoptTimeval(s.FD, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience)
	b := make([]byte, args.Size)
	for err == nil {
		if err = unix.Send(s.FD, b, 0); err != nil {
			break
		}
		if _, _, err = unix.Recvfrom(s.FD, b, 0); err == nil {
			return s, unix.SetsockoptTimeval(s.FD, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &none)
		}
		if ctx.Err() == nil && (errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR)) {
			err = nil
		}
	}
	s.Close()
	return nil, fmt.Errorf("exchanging a first datagram with %s: %w", args.Peer, errors.Join(context.Cause(ctx), err))
}

func rrClient(ctx context.Context, r *worker.Request, connect dial) (any, error) {
	args, err := readRRArgs(r)
	if err != nil {
		return nil, err
	}
	var result LatencyResult
	conn, err := connect(ctx, args, &result)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	loop := hot.RoundTrips{FD: conn.FD, Flags: args.flags(), Stopped: &conn.Stopped, Request: make([]byte, args.Size), Answer: make([]byte, args.Size)}
	defer hot.Keep(loop.Request)
	defer hot.Keep(loop.Answer)
	if args.Rate > 0 {
		loop.Interval = int64(time.Second) / int64(args.Rate)
	}
	if connectionless(conn.FD) {
		// An open loop may be idle for as long as its interval.
		defer loop.Watch(args.Patience() + 2*time.Duration(loop.Interval))()
	}
	err = hot.OnCPU(args.CPU, func() error {
		defer hot.OwnFile(conn.FD)()
		return result.sample(args.Duration, func(l *hot.Latencies, end int64) (int64, int64, error) {
			n, last, errno := loop.Run(l, end)
			if errno != 0 {
				return 0, 0, unanswered(ctx, n, errno)
			}
			return n, last, nil
		})
	})
	if lost := loop.Lost.Load(); lost > 0 {
		result.Warnings = append(result.Warnings, words.RequestsSentAgain.With(lost))
	}
	return result, err
}

// connectionless reports whether a socket carries datagrams, which the kernel does
// not resend if they are lost.
func connectionless(fd int) bool {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	return err == nil && kind == unix.SOCK_DGRAM
}

// unanswered returns the error of a round that did not end.
func unanswered(ctx context.Context, n int64, errno syscall.Errno) error {
	return hot.IOError(ctx, fmt.Sprintf("waiting for the answer to request %d", n+1), errno)
}

// sample runs a hot loop for a warm-up, which is not counted, and then for d, and
// fills in the result. The loop counts into l until the clock passes end and
// returns the number of rounds and when the last one ended. The counted part
// begins when the warm-up has ended, however much other load on the CPU delayed
// that, and keeps its length.
func (r *LatencyResult) sample(d time.Duration, loop func(l *hot.Latencies, end int64) (int64, int64, error)) error {
	l := new(hot.Latencies)
	if _, _, err := loop(l, hot.Nanotime()+int64(probes.WarmUp(d))); err != nil {
		return err
	}
	l.Reset()
	before, err := hot.ReadMachineTime()
	if err != nil {
		return err
	}
	start := hot.Nanotime()
	n, last, err := loop(l, start+int64(d))
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("measuring round trips: none was completed within %s", time.Duration(hot.Nanotime()-start).Round(time.Millisecond))
	}
	after, err := hot.ReadMachineTime()
	if err != nil {
		return err
	}
	r.Machine, r.Rounds, r.Seconds = after.Since(before), n, time.Duration(last-start).Seconds()
	r.Hist, err = l.Encoded()
	return err
}
