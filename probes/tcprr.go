package probes

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// maxMessage is the largest request of the request/response probes in bytes:
// it fits the least socket buffer that Linux gives (tcp(7), tcp_wmem), so both
// ends can write before they read.
const maxMessage = 4096

// tcpRR is a closed loop of requests and responses over one TCP connection.
func tcpRR() *Probe {
	return &Probe{
		Name: "tcp-rr", Title: "round trip time of one small request and response over TCP",
		Metrics:   latencyMetrics(),
		Params:    []Param{{Name: "size", Title: "bytes of a request and of a response", Default: "1", Min: 1, Max: maxMessage}},
		Placement: Same,
		Roles:     map[string]Role{"server": tcpRRServer, "client": tcpRRClient},
		Measure:   measureTCPRR,
	}
}

type rrArgs struct {
	Addr     netip.Addr     `json:"addr,omitzero"` // the server binds to it
	Peer     netip.AddrPort `json:"peer,omitzero"` // the client connects to it
	CPU      int            `json:"cpu"`
	Size     int            `json:"size"`
	Duration time.Duration  `json:"duration"` // ns
}

func (a *rrArgs) check() error {
	if a.Size < 1 || a.Size > maxMessage || a.Duration < MinDuration {
		return fmt.Errorf("a size of %d bytes for %s cannot be measured", a.Size, a.Duration)
	}
	return nil
}

func measureTCPRR(ctx context.Context, s *Site) (*Measurement, error) {
	size, err := s.number("size", 1)
	if err != nil {
		return nil, err
	}
	var server serverResult
	var client latencyResult
	err = s.drive(ctx, "tcp-rr",
		rrArgs{Addr: s.Server.Addr, CPU: s.Server.CPU, Size: size, Duration: s.Duration},
		func(peer netip.AddrPort) any {
			return rrArgs{Peer: peer, CPU: s.Client.CPU, Size: size, Duration: s.Duration}
		}, &server, &client)
	if err != nil {
		return nil, err
	}
	m, err := client.measurement(&server)
	if err != nil {
		return nil, err
	}
	m.Params = map[string]string{"size": strconv.Itoa(size), "congestion": client.Congestion}
	return m, nil
}

func tcpRRServer(ctx context.Context, r *Request) (any, error) {
	var args rrArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	if err := args.check(); err != nil {
		return nil, err
	}
	listener, port, err := listenTCP(ctx, args.Addr, 1)
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
	clock := startClockwork(warmUp(args.Duration))
	err = onCPU(args.CPU, func() error {
		b := make([]byte, args.Size)
		defer keep(b)
		// The client ends the sample by closing the connection; whether it
		// did so too early is its own to say.
		if _, errno := echo(conn.fd, b); errno != ended && errno != unix.ECONNRESET || ctx.Err() != nil {
			return ioError(ctx, "answering", errno)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	result.Machine, err = clock.end()
	return result, err
}

func tcpRRClient(ctx context.Context, r *Request) (any, error) {
	var args rrArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	if err := args.check(); err != nil {
		return nil, err
	}
	conn, err := connectTCP(ctx, args.Peer)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.setNoDelay(); err != nil {
		return nil, err
	}
	var result latencyResult
	if result.Congestion, result.Warnings, err = conn.setCongestionControl(); err != nil {
		return nil, err
	}
	err = onCPU(args.CPU, func() error {
		b := make([]byte, args.Size)
		defer keep(b)
		return result.sample(args.Duration, func(l *latencies, end int64) (int64, int64, error) {
			n, last, errno := rounds(conn.fd, b, l, end)
			if errno != 0 {
				return 0, 0, unanswered(ctx, n, errno)
			}
			return n, last, nil
		})
	})
	return result, err
}

// unanswered is the error of a round that did not end.
func unanswered(ctx context.Context, n int64, errno syscall.Errno) error {
	return ioError(ctx, fmt.Sprintf("waiting for the answer to request %d", n+1), errno)
}

// sample runs a hot loop for a whole sample, the first part for nothing, and
// fills in the result. The loop counts into l until the clock passes end and
// returns the number of rounds and when the last one ended.
func (r *latencyResult) sample(d time.Duration, loop func(l *latencies, end int64) (int64, int64, error)) error {
	l := new(latencies)
	begin := nanotime()
	if _, _, err := loop(l, begin+int64(warmUp(d))); err != nil {
		return err
	}
	l.reset()
	before, err := readMachineTime()
	if err != nil {
		return err
	}
	start := nanotime()
	n, last, err := loop(l, begin+int64(d))
	if err != nil {
		return err
	}
	after, err := readMachineTime()
	if err != nil {
		return err
	}
	r.Machine, r.Rounds, r.Seconds = after.since(before), n, time.Duration(last-start).Seconds()
	r.Hist, err = l.encoded()
	return err
}
