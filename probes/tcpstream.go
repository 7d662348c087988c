package probes

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/results"
)

// Sizes of a stream's writes and reads in bytes: large enough that a system
// call's cost vanishes, small enough for a CPU's caches at both ends. Of the
// four pairs of 64 and 128 KiB this one was level with iperf3 (128 and 128)
// both on a bare path and through vxlan.
const (
	writeSize = 128 << 10
	readSize  = 64 << 10
)

// maxStreams bounds parallel streams; each has a thread at both ends, and both
// directions may run at once.
const maxStreams = maxHotThreads / 2

// Names of the parameters of tcp-stream.
const (
	paramStreams  = "streams"
	paramReverse  = "reverse"
	paramBoth     = "both"
	paramZerocopy = "zerocopy"
)

// tcpStream sends as much as the path takes from the client to the server.
func tcpStream() *Probe {
	return &Probe{
		Name: "tcp-stream", Title: "goodput of bulk data over TCP, counted at the receiver",
		Metrics: []results.Metric{
			{Name: "goodput", Unit: "bit/s", Better: "higher"},
			{Name: "cpu", Unit: "s/GB", Better: "lower"},
			{Name: "retransmits", Unit: "1", Better: "lower"},
			{Name: "rtt", Unit: "s", Better: "lower"},
			{Name: "switches", Unit: "1/GB", Better: "lower", Evidence: true},
			{Name: "packets", Unit: "1/GB", Evidence: true},
			{Name: "segments", Unit: "1/GB", Evidence: true},
			{Name: "drops", Unit: "1", Better: "lower", Evidence: true},
			{Name: "agents", Unit: "s/GB", Better: "lower", Evidence: true},
		},
		Params: []Param{
			{Name: paramStreams, Title: "connections at once", Default: "1", Min: 1, Max: maxStreams},
			{Name: paramReverse, Title: "data flows from the server's pod to the client's"},
			{Name: paramBoth, Title: "data flows both ways at once; goodput is the sum"},
			{Name: paramZerocopy, Title: "send with MSG_ZEROCOPY"},
		},
		Placement: Split,
		Roles:     map[string]Role{"server": tcpStreamServer, "client": tcpStreamClient},
		Measure:   measureTCPStream,
	}
}

type streamArgs struct {
	Addr     netip.Addr     `json:"addr,omitzero"`
	Port     uint16         `json:"port,omitempty"` // that the server binds to, 0 for any
	Peer     netip.AddrPort `json:"peer,omitzero"`
	CPU      int            `json:"cpu"`
	Streams  int            `json:"streams"`
	Zerocopy bool           `json:"zerocopy,omitempty"`
	Duration time.Duration  `json:"duration"` // ns
}

func (a *streamArgs) check() error {
	if a.Streams < 1 || a.Streams > maxStreams || a.Duration < MinDuration {
		return fmt.Errorf("%d streams for %s cannot be measured", a.Streams, a.Duration)
	}
	return nil
}

// received is what the receiver of streams counted in its window.
type received struct {
	Bytes    int64       `json:"bytes"`
	Calls    int64       `json:"calls"`
	Rate     float64     `json:"rate"`    // byte/s, the sum of the streams'
	Seconds  float64     `json:"seconds"` // the first stream's window
	Machine  machineTime `json:"machine"`
	Warnings []string    `json:"warnings,omitempty"`
}

// transmitted is what the sender of streams saw of its connections.
type transmitted struct {
	Retransmits int64       `json:"retransmits"` // segments, in the window, of all
	RTT         float64     `json:"rtt"`         // s, smoothed, at the end, the longest
	MSS         int         `json:"mss"`         // byte
	Congestion  string      `json:"congestion"`
	Machine     machineTime `json:"machine"`
	Warnings    []string    `json:"warnings,omitempty"`
}

// oneWay is what one direction yielded.
type oneWay struct {
	server received
	client transmitted
}

func measureTCPStream(ctx context.Context, s *Site) (*Measurement, error) {
	streams, err := s.number(paramStreams, 1)
	if err != nil {
		return nil, err
	}
	back := *s
	back.Client, back.Server = s.Server, s.Client
	sites := []*Site{s}
	switch {
	case s.Params[paramBoth] != "":
		sites = []*Site{s, &back}
	case s.Params[paramReverse] != "":
		sites = []*Site{&back}
	}
	before, err := countStream(ctx, sites[0])
	if err != nil {
		return nil, err
	}
	ways := make([]oneWay, len(sites))
	errs := make([]error, len(sites))
	var wg sync.WaitGroup
	for i, site := range sites {
		wg.Go(func() { errs[i] = ways[i].measure(ctx, site, streams) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	after, err := countStream(ctx, sites[0])
	if err != nil {
		return nil, err
	}
	m := streamMeasurement(ways)
	after.since(before, m.Values)
	m.Params[paramStreams] = strconv.Itoa(streams)
	for _, name := range []string{paramReverse, paramBoth, paramZerocopy} {
		if v := s.Params[name]; v != "" {
			m.Params[name] = v
		}
	}
	return m, nil
}

// measure drives the streams of one direction.
func (w *oneWay) measure(ctx context.Context, s *Site, streams int) error {
	args := streamArgs{Streams: streams, Zerocopy: s.Params[paramZerocopy] != "", Duration: s.Duration}
	toServer, toClient := args, args
	toServer.Addr, toServer.CPU = s.Server.Addr, s.Server.CPU
	toClient.CPU = s.Client.CPU
	err := s.drive(ctx, "tcp-stream", toServer, func(peer netip.AddrPort) any {
		toClient.Peer = peer
		return toClient
	}, &w.server, &w.client)
	if err == nil && (w.server.Bytes <= 0 || w.server.Rate <= 0) {
		err = errors.New("no data arrived after the warm-up")
	}
	return err
}

// streamMeasurement adds the directions up.
func streamMeasurement(ways []oneWay) *Measurement {
	var bytes, rate, retransmits, rtt float64
	var times []machineTime
	m := &Measurement{Seconds: ways[0].server.Seconds,
		Params: map[string]string{"congestion": ways[0].client.Congestion, "mss": strconv.Itoa(ways[0].client.MSS)}}
	for _, w := range ways {
		bytes += float64(w.server.Bytes)
		rate += w.server.Rate
		retransmits += float64(w.client.Retransmits)
		rtt = max(rtt, w.client.RTT)
		times = append(times, w.server.Machine, w.client.Machine)
		m.Warnings = append(m.Warnings, append(w.client.Warnings, w.server.Warnings...)...)
	}
	m.CPU = together(times...)
	m.Warnings = append(m.Warnings, stolen(m.CPU)...)
	gigabytes := bytes / 1e9
	m.Values = map[string]float64{
		"goodput": 8 * rate, "cpu": m.CPU.Busy() / gigabytes, "retransmits": retransmits, "rtt": rtt,
		"switches": float64(m.CPU.ContextSwitches) / gigabytes,
	}
	return m
}

// tcpStreamServer receives. It decides when the sample is over and ends the
// connections with a reset, so that nothing queued runs into the next sample.
func tcpStreamServer(ctx context.Context, r *Request) (any, error) {
	var args streamArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	if err := args.check(); err != nil {
		return nil, err
	}
	listener, port, err := listenTCP(ctx, args.Addr, args.Port, args.Streams)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	if err := r.Ready(listening{Port: port}); err != nil {
		return nil, err
	}
	conns := make([]*socket, args.Streams)
	for i := range conns {
		if conns[i], err = listener.accept(ctx); err != nil {
			return nil, err
		}
		defer conns[i].Close()
	}
	listener.Close()
	parts := make([]received, args.Streams)
	begin := nanotime()
	err = onEach(args.CPU, args.Streams, func(i int) error { return parts[i].sample(ctx, conns[i], begin, args.Duration) })
	if err != nil {
		return nil, err
	}
	sum := parts[0]
	for _, p := range parts[1:] {
		sum.Bytes += p.Bytes
		sum.Calls += p.Calls
		sum.Rate += p.Rate
	}
	var errs []error
	for _, c := range conns {
		errs = append(errs, c.reset())
	}
	return sum, errors.Join(errs...)
}

// onEach runs f on n pinned threads at once.
func onEach(cpu, n int, f func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = onCPU(cpu, func() error { return f(i) }) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// sample receives for a whole sample and counts all but its first part.
func (r *received) sample(ctx context.Context, conn *socket, begin int64, d time.Duration) error {
	b := make([]byte, readSize)
	defer keep(b)
	if _, _, _, errno := receive(conn.fd, b, begin+int64(warmUp(d))); errno != 0 {
		return ioError(ctx, "receiving during the warm-up", errno)
	}
	before, err := readMachineTime()
	if err != nil {
		return err
	}
	start := nanotime()
	// However late the warm-up ended, the counted part keeps its length.
	bytes, calls, last, errno := receive(conn.fd, b, start+int64(d-warmUp(d)))
	if errno != 0 {
		return ioError(ctx, fmt.Sprintf("receiving, after %d bytes in %s", bytes, time.Duration(nanotime()-start).Round(time.Millisecond)), errno)
	}
	after, err := readMachineTime()
	if err != nil {
		return err
	}
	r.Bytes, r.Calls, r.Seconds, r.Machine = bytes, calls, time.Duration(last-start).Seconds(), after.since(before)
	if r.Seconds > 0 {
		r.Rate = float64(bytes) / r.Seconds
	}
	return nil
}

// tcpStreamClient sends until the receiver ends the connections.
func tcpStreamClient(ctx context.Context, r *Request) (any, error) {
	var args streamArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	if err := args.check(); err != nil {
		return nil, err
	}
	senders := make([]sender, args.Streams)
	for i := range senders {
		if err := senders[i].open(ctx, &args); err != nil {
			return nil, err
		}
		defer senders[i].conn.Close()
	}
	clock := startClockwork(warmUp(args.Duration))
	begin := nanotime()
	err := onEach(args.CPU, args.Streams, func(i int) error { return senders[i].send(ctx, begin, &args) })
	machine, clockErr := clock.end()
	if err := errors.Join(err, clockErr); err != nil {
		return nil, err
	}
	result := transmitted{Machine: machine, Congestion: senders[0].congestion, Warnings: senders[0].warnings}
	for i := range senders {
		if err := senders[i].addTo(&result); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// sender is one connection that sends.
type sender struct {
	conn       *socket
	congestion string
	warnings   []string

	timed   chan struct{} // closed once atStart is there
	atStart *unix.TCPInfo // at the end of the warm-up
	infoErr error
}

func (s *sender) open(ctx context.Context, args *streamArgs) (err error) {
	if s.conn, err = connectTCP(ctx, args.Peer); err != nil {
		return err
	}
	if s.congestion, s.warnings, err = s.conn.setCongestionControl(); err == nil && args.Zerocopy {
		if err = unix.SetsockoptInt(s.conn.fd, unix.SOL_SOCKET, unix.SO_ZEROCOPY, 1); err != nil {
			err = fmt.Errorf("allowing MSG_ZEROCOPY: %w", os.NewSyscallError("setsockopt", err))
		}
	}
	if err != nil {
		s.conn.Close()
	}
	return err
}

// send sends for a whole sample.
func (s *sender) send(ctx context.Context, begin int64, args *streamArgs) error {
	s.timed = make(chan struct{})
	timer := time.AfterFunc(warmUp(args.Duration), func() {
		defer close(s.timed)
		s.atStart, s.infoErr = s.conn.tcpInfo()
	})
	b := make([]byte, writeSize)
	defer keep(b)
	loop := transmit
	if args.Zerocopy {
		loop = transmitZerocopy
	}
	_, _, errno := loop(s.conn.fd, b)
	// A reset is how the receiver ends a sample, but not before its time; the
	// ends' clocks differ by no more than the connection took.
	early := nanotime()-begin < int64(args.Duration)*9/10
	if !timer.Stop() {
		<-s.timed
	}
	if errno != unix.ECONNRESET && errno != unix.EPIPE || early || ctx.Err() != nil {
		return ioError(ctx, "sending", errno)
	}
	return s.infoErr
}

// addTo adds what the kernel knows of the connection at the end.
func (s *sender) addTo(t *transmitted) error {
	info, err := s.conn.tcpInfo()
	if err != nil {
		return err
	}
	t.Retransmits += int64(info.Total_retrans - s.atStart.Total_retrans)
	rtt := s.atStart.Rtt
	if info.Rtt != 0 {
		rtt = info.Rtt
	}
	t.RTT = max(t.RTT, (time.Duration(rtt) * time.Microsecond).Seconds())
	t.MSS = int(s.atStart.Snd_mss)
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
