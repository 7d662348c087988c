package probes

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
)

// maxMessage is the largest request of the request/response probes in bytes:
// it fits the least socket buffer that Linux gives (tcp(7), tcp_wmem), so both
// ends can write before they read.
const maxMessage = 4096

// maxRate bounds the open loop's requests, in 1/s.
const maxRate = 1_000_000

// Names of the parameters that the request/response probes share.
const (
	paramSize = "size"
	paramRate = "rate"
	paramBusy = "busy"
)

// tcpRR is a loop of requests and responses over one TCP connection.
func tcpRR() *Probe {
	return rr("tcp-rr", "round trip time of one small request and response over TCP", tcpRRServer, dialTCPRR)
}

// udpRR is the same over UDP.
func udpRR() *Probe {
	return rr("udp-rr", "round trip time of one small request and response over UDP", udpRRServer, dialUDPRR)
}

// dial makes the client's connection, ready for its first round.
type dial func(ctx context.Context, args *rrArgs, r *latencyResult) (*socket, error)

func rr(name, title string, server Role, connect dial) *Probe {
	return &Probe{
		Name: name, Title: title, Metrics: latencyMetrics(),
		Params: []Param{
			{Name: paramSize, Title: "bytes of a request and of a response", Default: "1", Min: 1, Max: maxMessage},
			{Name: paramRate, Title: "requests a second, sent when they are due: latency counts from then (default: each when the one before is answered)", Min: 1, Max: maxRate},
			{Name: paramBusy, Title: "ends poll their sockets instead of sleeping on them"},
		},
		Placement: Same,
		Roles: map[string]Role{"server": server, "client": func(ctx context.Context, r *Request) (any, error) {
			return rrClient(ctx, r, connect)
		}},
		Measure: func(ctx context.Context, s *Site) (*Measurement, error) { return measureRR(ctx, s, name) },
	}
}

type rrArgs struct {
	Addr     netip.Addr     `json:"addr,omitzero"`  // the server binds to it
	Port     uint16         `json:"port,omitempty"` // that the server binds to, 0 for any
	Peer     netip.AddrPort `json:"peer,omitzero"`  // the client connects to it
	CPU      int            `json:"cpu"`
	Size     int            `json:"size"`
	Rate     int            `json:"rate,omitempty"` // 1/s, 0 for a closed loop
	Busy     bool           `json:"busy,omitempty"`
	Duration time.Duration  `json:"duration"`        // ns
	Delay    time.Duration  `json:"delay,omitempty"` // ns, that the underlay is known to add each way
}

// patience is how long an answer may take before it counts as lost.
func (a *rrArgs) patience() time.Duration { return answerPatience + 2*a.Delay }

func (a *rrArgs) check() error {
	if a.Size < 1 || a.Size > maxMessage || a.Duration < MinDuration || a.Rate < 0 || a.Rate > maxRate {
		return fmt.Errorf("a size of %d bytes at %d/s for %s cannot be measured", a.Size, a.Rate, a.Duration)
	}
	return nil
}

// flags are those of every receive.
func (a *rrArgs) flags() int {
	if a.Busy {
		return unix.MSG_DONTWAIT
	}
	return 0
}

// rrArgsOf reads the probe's parameters.
func rrArgsOf(s *Site) (rrArgs, error) {
	size, err := s.number(paramSize, 1)
	if err != nil {
		return rrArgs{}, err
	}
	rate, err := s.number(paramRate, 0)
	if err != nil {
		return rrArgs{}, err
	}
	return rrArgs{Size: size, Rate: rate, Busy: s.Params[paramBusy] != "", Duration: s.Duration, Delay: s.Delay}, nil
}

func measureRR(ctx context.Context, s *Site, probe string) (*Measurement, error) {
	args, err := rrArgsOf(s)
	if err != nil {
		return nil, err
	}
	toServer, toClient := args, args
	toServer.Addr, toServer.CPU = s.Server.Addr, s.Server.CPU
	toClient.CPU = s.Client.CPU
	var server serverResult
	var client latencyResult
	err = s.drive(ctx, probe, toServer, func(peer netip.AddrPort) any {
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
func tcpRRServer(ctx context.Context, r *Request) (any, error) {
	args, err := readRRArgs(r)
	if err != nil {
		return nil, err
	}
	listener, port, err := listenTCP(ctx, args.Addr, args.Port, 1)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	if err := r.Ready(listening{Port: port}); err != nil {
		return nil, err
	}
	conn, err := listener.accept(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	listener.Close()
	if err := conn.setNoDelay(); err != nil {
		return nil, err
	}
	var result serverResult
	if _, result.Warnings, err = conn.setCongestionControl(); err != nil {
		return nil, err
	}
	return result, result.answer(ctx, conn, args)
}

// udpRRServer answers the first peer that asks, until it is cancelled.
func udpRRServer(ctx context.Context, r *Request) (any, error) {
	args, err := readRRArgs(r)
	if err != nil {
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
	b := make([]byte, maxMessage)
	n, from, err := unix.Recvfrom(s.fd, b, 0)
	if err != nil || ctx.Err() != nil || from == nil {
		return nil, fmt.Errorf("waiting for the first request: %w", errors.Join(context.Cause(ctx), err))
	}
	if err := unix.Connect(s.fd, from); err != nil {
		return nil, fmt.Errorf("answering one peer only: %w", os.NewSyscallError("connect", err))
	}
	if err := unix.Send(s.fd, b[:n], 0); err != nil {
		return nil, fmt.Errorf("answering the first request: %w", os.NewSyscallError("send", err))
	}
	var result serverResult
	return result, result.answer(ctx, s, args)
}

func readRRArgs(r *Request) (*rrArgs, error) {
	var args rrArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	return &args, args.check()
}

// answer echoes until the client has gone or, without a connection, the role
// is cancelled.
func (r *serverResult) answer(ctx context.Context, s *socket, args *rrArgs) error {
	clock := startClockwork(warmUp(args.Duration))
	err := onCPU(args.CPU, func() error {
		defer ownFile(s.fd)()
		b := make([]byte, args.Size)
		defer keep(b)
		_, errno := echo(s.fd, b, args.flags(), &s.stopped)
		return answered(context.Cause(ctx), errno)
	})
	if err != nil {
		return err
	}
	r.Machine, err = clock.end()
	return err
}

// answered is the error of a server whose loop has ended, if it is one: the
// client ends the sample, and whether it did so too early is its own to say.
// cause is that of the context, read once: the cancellation that follows the
// client's end may come at any moment.
func answered(cause error, errno syscall.Errno) error {
	switch {
	case errors.Is(cause, errCancelled):
		return nil
	case cause != nil:
		return fmt.Errorf("answering: %w", cause)
	case errno != ended && errno != unix.ECONNRESET:
		return fmt.Errorf("answering: %w", errno)
	}
	return nil
}

func dialTCPRR(ctx context.Context, args *rrArgs, r *latencyResult) (*socket, error) {
	conn, err := connectTCP(ctx, args.Peer)
	if err != nil {
		return nil, err
	}
	var warnings []string
	if r.Congestion, warnings, err = conn.setCongestionControl(); err == nil {
		r.Warnings = append(r.Warnings, warnings...)
		err = conn.setNoDelay()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// dialUDPRR connects and passes a first round, lost or not, so that the server
// knows its peer.
func dialUDPRR(ctx context.Context, args *rrArgs, _ *latencyResult) (*socket, error) {
	s, err := newSocket(ctx, args.Peer.Addr(), unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	if err != nil {
		return nil, err
	}
	if err := s.connect(ctx, args.Peer); err != nil {
		s.Close()
		return nil, err
	}
	patience := unix.NsecToTimeval(args.patience().Nanoseconds())
	none := unix.Timeval{}
	err = unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience)
	b := make([]byte, args.Size)
	for err == nil {
		if err = unix.Send(s.fd, b, 0); err != nil {
			break
		}
		if _, _, err = unix.Recvfrom(s.fd, b, 0); err == nil {
			return s, unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &none)
		}
		if ctx.Err() == nil && (errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EINTR)) {
			err = nil
		}
	}
	s.Close()
	return nil, fmt.Errorf("passing a first datagram to %s and back: %w", args.Peer, errors.Join(context.Cause(ctx), err))
}

func rrClient(ctx context.Context, r *Request, connect dial) (any, error) {
	args, err := readRRArgs(r)
	if err != nil {
		return nil, err
	}
	var result latencyResult
	conn, err := connect(ctx, args, &result)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	loop := roundTrips{fd: conn.fd, flags: args.flags(), stopped: &conn.stopped, request: make([]byte, args.Size), answer: make([]byte, args.Size)}
	defer keep(loop.request)
	defer keep(loop.answer)
	if args.Rate > 0 {
		loop.interval = int64(time.Second) / int64(args.Rate)
	}
	if connectionless(conn.fd) {
		// An open loop may rest for as long as its interval.
		defer loop.watch(args.patience() + 2*time.Duration(loop.interval))()
	}
	err = onCPU(args.CPU, func() error {
		defer ownFile(conn.fd)()
		return result.sample(args.Duration, func(l *latencies, end int64) (int64, int64, error) {
			n, last, errno := loop.run(l, end)
			if errno != 0 {
				return 0, 0, unanswered(ctx, n, errno)
			}
			return n, last, nil
		})
	})
	if lost := loop.lost.Load(); lost > 0 {
		result.Warnings = append(result.Warnings, fmt.Sprintf("%d requests or answers were lost and sent again", lost))
	}
	return result, err
}

// connectionless reports whether a socket carries datagrams, which may be
// lost for good.
func connectionless(fd int) bool {
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	return err == nil && kind == unix.SOCK_DGRAM
}

// unanswered is the error of a round that did not end.
func unanswered(ctx context.Context, n int64, errno syscall.Errno) error {
	return ioError(ctx, fmt.Sprintf("waiting for the answer to request %d", n+1), errno)
}

// sample runs a hot loop for a whole sample, the first part for nothing, and
// fills in the result. The loop counts into l until the clock passes end and
// returns the number of rounds and when the last one ended. The counted part
// begins when the warm-up has ended, however late others on the CPU made that,
// and keeps its length.
func (r *latencyResult) sample(d time.Duration, loop func(l *latencies, end int64) (int64, int64, error)) error {
	l := new(latencies)
	if _, _, err := loop(l, nanotime()+int64(warmUp(d))); err != nil {
		return err
	}
	l.reset()
	before, err := readMachineTime()
	if err != nil {
		return err
	}
	start := nanotime()
	n, last, err := loop(l, start+int64(d-warmUp(d)))
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("no round ended within %s", time.Duration(nanotime()-start).Round(time.Millisecond))
	}
	after, err := readMachineTime()
	if err != nil {
		return err
	}
	r.Machine, r.Rounds, r.Seconds = after.since(before), n, time.Duration(last-start).Seconds()
	r.Hist, err = l.encoded()
	return err
}
