package probes

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/results"
)

// streamBuffer is the size of a stream's reads and writes in bytes: large
// enough that a system call's cost vanishes, small enough to stay in a CPU's
// second-level cache at both ends.
const streamBuffer = 128 << 10

// tcpStream sends as much as the path takes from the client to the server.
func tcpStream() *Probe {
	return &Probe{
		Name: "tcp-stream", Title: "goodput of bulk data over TCP, counted at the receiver",
		Metrics: []results.Metric{
			{Name: "goodput", Unit: "bit/s", Better: "higher"},
			{Name: "cpu", Unit: "s/GB", Better: "lower"},
			{Name: "retransmits", Unit: "1", Better: "lower"},
			{Name: "rtt", Unit: "s", Better: "lower"},
		},
		Placement: Split,
		Roles:     map[string]Role{"server": tcpStreamServer, "client": tcpStreamClient},
		Measure:   measureTCPStream,
	}
}

type streamArgs struct {
	Addr     netip.Addr     `json:"addr,omitzero"`
	Peer     netip.AddrPort `json:"peer,omitzero"`
	CPU      int            `json:"cpu"`
	Duration time.Duration  `json:"duration"` // ns
}

// received is what the receiver of a stream counted in its window.
type received struct {
	Bytes    int64       `json:"bytes"`
	Calls    int64       `json:"calls"`
	Seconds  float64     `json:"seconds"`
	Machine  machineTime `json:"machine"`
	Warnings []string    `json:"warnings,omitempty"`
}

// transmitted is what the sender of a stream saw of its connection.
type transmitted struct {
	Retransmits int64       `json:"retransmits"` // segments, in the window
	RTT         float64     `json:"rtt"`         // s, smoothed, at the end
	MSS         int         `json:"mss"`         // byte
	Congestion  string      `json:"congestion"`
	Machine     machineTime `json:"machine"`
	Warnings    []string    `json:"warnings,omitempty"`
}

func measureTCPStream(ctx context.Context, s *Site) (*Measurement, error) {
	var server received
	var client transmitted
	err := s.drive(ctx, "tcp-stream",
		streamArgs{Addr: s.Server.Addr, CPU: s.Server.CPU, Duration: s.Duration},
		func(peer netip.AddrPort) any {
			return streamArgs{Peer: peer, CPU: s.Client.CPU, Duration: s.Duration}
		}, &server, &client)
	if err != nil {
		return nil, err
	}
	if server.Bytes <= 0 || server.Seconds <= 0 {
		return nil, errors.New("no data arrived after the warm-up")
	}
	cpu := together(server.Machine, client.Machine)
	return &Measurement{
		Values: map[string]float64{
			"goodput":     8 * float64(server.Bytes) / server.Seconds,
			"cpu":         cpu.Busy() / (float64(server.Bytes) / 1e9),
			"retransmits": float64(client.Retransmits),
			"rtt":         client.RTT,
		},
		Seconds:  server.Seconds,
		CPU:      cpu,
		Warnings: append(append(client.Warnings, server.Warnings...), stolen(cpu)...),
		Params:   map[string]string{"congestion": client.Congestion, "mss": fmt.Sprint(client.MSS)},
	}, nil
}

// tcpStreamServer receives. It decides when the sample is over and ends the
// connection with a reset, so that nothing queued runs into the next sample.
func tcpStreamServer(ctx context.Context, r *Request) (any, error) {
	var args streamArgs
	if err := r.Args(&args); err != nil {
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
	var result received
	err = onCPU(args.CPU, func() error { return result.sample(ctx, conn, args.Duration) })
	if err != nil {
		return nil, err
	}
	return result, conn.reset()
}

// sample receives for a whole sample and counts all but its first part.
func (r *received) sample(ctx context.Context, conn *socket, d time.Duration) error {
	b := make([]byte, streamBuffer)
	defer keep(b)
	begin := nanotime()
	if _, _, _, errno := receive(conn.fd, b, begin+int64(warmUp(d))); errno != 0 {
		return ioError(ctx, "receiving during the warm-up", errno)
	}
	before, err := readMachineTime()
	if err != nil {
		return err
	}
	start := nanotime()
	bytes, calls, last, errno := receive(conn.fd, b, begin+int64(d))
	if errno != 0 {
		return ioError(ctx, fmt.Sprintf("receiving, after %d bytes in %s", bytes, time.Duration(nanotime()-start).Round(time.Millisecond)), errno)
	}
	after, err := readMachineTime()
	if err != nil {
		return err
	}
	r.Bytes, r.Calls, r.Seconds, r.Machine = bytes, calls, time.Duration(last-start).Seconds(), after.since(before)
	return nil
}

// tcpStreamClient sends until the receiver ends the connection.
func tcpStreamClient(ctx context.Context, r *Request) (any, error) {
	var args streamArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	conn, err := connectTCP(ctx, args.Peer)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	var result transmitted
	if result.Congestion, result.Warnings, err = conn.setCongestionControl(); err != nil {
		return nil, err
	}
	var atStart *unix.TCPInfo
	var infoErr error
	timed := make(chan struct{})
	timer := time.AfterFunc(warmUp(args.Duration), func() {
		defer close(timed)
		atStart, infoErr = conn.tcpInfo()
	})
	clock := startClockwork(warmUp(args.Duration))
	begin := nanotime()
	err = onCPU(args.CPU, func() error {
		b := make([]byte, streamBuffer)
		defer keep(b)
		_, _, errno := transmit(conn.fd, b)
		// A reset is how the receiver ends a sample, but not before its time;
		// the ends' clocks differ by no more than the connection took.
		early := nanotime()-begin < int64(args.Duration)*9/10
		if errno != unix.ECONNRESET && errno != unix.EPIPE || early || ctx.Err() != nil {
			return ioError(ctx, "sending", errno)
		}
		return nil
	})
	if !timer.Stop() {
		<-timed
	}
	machine, clockErr := clock.end()
	if err := errors.Join(err, infoErr); err != nil {
		return nil, err
	}
	if clockErr != nil {
		return nil, clockErr
	}
	result.Machine = machine
	return result, result.fill(conn, atStart)
}

// fill takes what the kernel knows of the connection at the end.
func (t *transmitted) fill(conn *socket, atStart *unix.TCPInfo) error {
	info, err := conn.tcpInfo()
	if err != nil {
		return err
	}
	t.Retransmits = int64(info.Total_retrans - atStart.Total_retrans)
	t.RTT = (time.Duration(atStart.Rtt) * time.Microsecond).Seconds()
	if info.Rtt != 0 {
		t.RTT = (time.Duration(info.Rtt) * time.Microsecond).Seconds()
	}
	t.MSS = int(atStart.Snd_mss)
	return nil
}

// tcpInfo reads the connection's state (TCP_INFO, tcp(7); RTT in µs).
func (s *socket) tcpInfo() (*unix.TCPInfo, error) {
	info, err := unix.GetsockoptTCPInfo(s.fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return nil, fmt.Errorf("reading the state of a connection: %w", os.NewSyscallError("getsockopt", err))
	}
	return info, nil
}
