package load

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

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// The sizes of a stream's writes and reads, in bytes, are large enough to make the
// cost of a system call negligible and small enough for the CPU caches at both
// ends. Of the four combinations of 64 and 128 KiB, this one matched iperf3 (128
// and 128) both on a bare path and through vxlan.
const (
	writeSize = 128 << 10
	readSize  = 64 << 10
)

// maxStreams is the maximum number of parallel streams. Each has a thread at both
// ends, and both directions may run at once.
const maxStreams = hot.MaxHotThreads / 2

// The parameters of tcp-stream.
const (
	paramStreams  = "streams"
	paramReverse  = "reverse"
	paramBoth     = "both"
	paramZerocopy = "zerocopy"
)

// TCPStream sends as much data as the path allows from the client to the server.
func TCPStream() *probes.Probe {
	return &probes.Probe{
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
		Params: []probes.Param{
			{Name: paramStreams, Title: "connections at once", Default: "1", Min: 1, Max: maxStreams},
			{Name: paramReverse, Title: "data flows from the server's pod to the client's"},
			{Name: paramBoth, Title: "data flows both ways at once; goodput is the sum"},
			{Name: paramZerocopy, Title: "send with MSG_ZEROCOPY"},
		},
		Placement: probes.Split,
		Roles:     map[string]worker.Role{"server": tcpStreamServer, "client": tcpStreamClient, "counters": readCounters},
		Measure:   measureTCPStream,
	}
}

type StreamArgs struct {
	Addr     netip.Addr     `json:"addr,omitzero"`
	Port     uint16         `json:"port,omitempty"` // port that the server binds to, 0 for any
	Peer     netip.AddrPort `json:"peer,omitzero"`
	CPU      int            `json:"cpu"`
	Streams  int            `json:"streams"`
	Zerocopy bool           `json:"zerocopy,omitempty"`
	Duration time.Duration  `json:"duration"` // ns
}

func (a *StreamArgs) check() error {
	if a.Streams < 1 || a.Streams > maxStreams || a.Duration < probes.MinDuration {
		return fmt.Errorf("measuring %d streams for %s is not supported", a.Streams, a.Duration)
	}
	return nil
}

// Received is what the receiver of the streams counted in its window.
type Received struct {
	Bytes    int64           `json:"bytes"`
	Calls    int64           `json:"calls"`
	Rate     float64         `json:"rate"`    // byte/s, sum of all streams
	Seconds  float64         `json:"seconds"` // the first stream's window
	Machine  hot.MachineTime `json:"machine"`
	Warnings []words.Text    `json:"warnings,omitempty"`
}

// Transmitted is the state of the sender's connections.
type Transmitted struct {
	Retransmits int64           `json:"retransmits"` // segments in the window, sum of all streams
	RTT         float64         `json:"rtt"`         // s, smoothed, at the end, longest of all streams
	MSS         int             `json:"mss"`         // byte
	Congestion  string          `json:"congestion"`
	Machine     hot.MachineTime `json:"machine"`
	Warnings    []words.Text    `json:"warnings,omitempty"`
}

// OneWay is the result of one direction.
type OneWay struct {
	Server Received
	client Transmitted
}

func measureTCPStream(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
	streams, err := s.Number(paramStreams, 1)
	if err != nil {
		return nil, err
	}
	back := *s
	back.Client, back.Server = s.Server, s.Client
	sites := []*probes.Site{s}
	switch {
	case s.Params[paramBoth] != "":
		sites = []*probes.Site{s, &back}
	case s.Params[paramReverse] != "":
		sites = []*probes.Site{&back}
	}
	before, err := countStream(ctx, sites[0])
	if err != nil {
		return nil, err
	}
	ways := make([]OneWay, len(sites))
	errs := make([]error, len(sites))
	var wg sync.WaitGroup
	for i, site := range sites {
		wg.Go(func() { errs[i] = ways[i].Measure(ctx, site, streams) })
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

// Measure runs the streams of one direction.
func (w *OneWay) Measure(ctx context.Context, s *probes.Site, streams int) error {
	args := StreamArgs{Streams: streams, Zerocopy: s.Params[paramZerocopy] != "", Duration: s.Duration}
	toServer, toClient := args, args
	toServer.Addr, toServer.CPU = s.Server.Addr, s.Server.CPU
	toClient.CPU = s.Client.CPU
	err := s.Drive(ctx, "tcp-stream", toServer, func(peer netip.AddrPort) any {
		toClient.Peer = peer
		return toClient
	}, &w.Server, &w.client)
	if err == nil && (w.Server.Bytes <= 0 || w.Server.Rate <= 0) {
		err = errors.New("no data arrived after the warm-up")
	}
	return err
}

// streamMeasurement adds up the directions.
func streamMeasurement(ways []OneWay) *probes.Measurement {
	var bytes, rate, retransmits, rtt float64
	var times []hot.MachineTime
	m := &probes.Measurement{Seconds: ways[0].Server.Seconds,
		Params: map[string]string{"congestion": ways[0].client.Congestion, "mss": strconv.Itoa(ways[0].client.MSS)}}
	for _, w := range ways {
		bytes += float64(w.Server.Bytes)
		rate += w.Server.Rate
		retransmits += float64(w.client.Retransmits)
		rtt = max(rtt, w.client.RTT)
		times = append(times, w.Server.Machine, w.client.Machine)
		m.Warnings = append(m.Warnings, append(w.client.Warnings, w.Server.Warnings...)...)
	}
	m.CPU = hot.Together(times...)
	m.Warnings = append(m.Warnings, hot.Stolen(m.CPU)...)
	gigabytes := bytes / 1e9
	m.Values = map[string]float64{
		"goodput": 8 * rate, "cpu": m.CPU.Busy() / gigabytes, "retransmits": retransmits, "rtt": rtt,
		"switches": float64(m.CPU.ContextSwitches) / gigabytes,
	}
	return m
}

// tcpStreamServer is the receiver. It decides when the sample is over and resets
// the connections, so that queued data does not run into the next sample.
func tcpStreamServer(ctx context.Context, r *worker.Request) (any, error) {
	var args StreamArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	if err := args.check(); err != nil {
		return nil, err
	}
	listener, port, err := hot.ListenTCP(ctx, args.Addr, args.Port, args.Streams)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	if err := r.Ready(probes.Listening{Port: port}); err != nil {
		return nil, err
	}
	conns := make([]*hot.Socket, args.Streams)
	for i := range conns {
		if conns[i], err = listener.Accept(ctx); err != nil {
			return nil, err
		}
		defer conns[i].Close()
	}
	listener.Close()
	parts := make([]Received, args.Streams)
	begin := hot.Nanotime()
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
		errs = append(errs, c.Reset())
	}
	return sum, errors.Join(errs...)
}

// onEach runs f on n pinned threads at once.
func onEach(cpu, n int, f func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = hot.OnCPU(cpu, func() error { return f(i) }) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// sample receives for a whole sample and counts everything after the warm-up.
func (r *Received) sample(ctx context.Context, conn *hot.Socket, begin int64, d time.Duration) error {
	b := make([]byte, readSize)
	defer hot.Keep(b)
	if _, _, _, errno := hot.Receive(conn.FD, b, begin+int64(probes.WarmUp(d))); errno != 0 {
		return hot.IOError(ctx, "receiving during the warm-up", errno)
	}
	before, err := hot.ReadMachineTime()
	if err != nil {
		return err
	}
	start := hot.Nanotime()
	// The counted part keeps its length, however late the warm-up ended.
	bytes, calls, last, errno := hot.Receive(conn.FD, b, start+int64(d-probes.WarmUp(d)))
	if errno != 0 {
		return hot.IOError(ctx, fmt.Sprintf("receiving, after %d bytes in %s", bytes, time.Duration(hot.Nanotime()-start).Round(time.Millisecond)), errno)
	}
	after, err := hot.ReadMachineTime()
	if err != nil {
		return err
	}
	r.Bytes, r.Calls, r.Seconds, r.Machine = bytes, calls, time.Duration(last-start).Seconds(), after.Since(before)
	if r.Seconds > 0 {
		r.Rate = float64(bytes) / r.Seconds
	}
	return nil
}

// tcpStreamClient sends until the receiver resets the connections.
func tcpStreamClient(ctx context.Context, r *worker.Request) (any, error) {
	var args StreamArgs
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
	clock := hot.StartClockwork(probes.WarmUp(args.Duration))
	begin := hot.Nanotime()
	err := onEach(args.CPU, args.Streams, func(i int) error { return senders[i].send(ctx, begin, &args) })
	machine, clockErr := clock.End()
	if err := errors.Join(err, clockErr); err != nil {
		return nil, err
	}
	result := Transmitted{Machine: machine, Congestion: senders[0].congestion, Warnings: senders[0].warnings}
	for i := range senders {
		if err := senders[i].addTo(&result); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// sender is the sending end of one connection.
type sender struct {
	conn       *hot.Socket
	congestion string
	warnings   []words.Text

	timed   chan struct{} // closed once atStart or infoErr is set
	atStart *unix.TCPInfo // state at the end of the warm-up
	infoErr error
}

func (s *sender) open(ctx context.Context, args *StreamArgs) (err error) {
	if s.conn, err = hot.ConnectTCP(ctx, args.Peer); err != nil {
		return err
	}
	if s.congestion, s.warnings, err = s.conn.SetCongestionControl(); err == nil && args.Zerocopy {
		if err = unix.SetsockoptInt(s.conn.FD, unix.SOL_SOCKET, unix.SO_ZEROCOPY, 1); err != nil {
			err = fmt.Errorf("enabling MSG_ZEROCOPY: %w", os.NewSyscallError("setsockopt", err))
		}
	}
	if err != nil {
		s.conn.Close()
	}
	return err
}

// send sends for a whole sample.
func (s *sender) send(ctx context.Context, begin int64, args *StreamArgs) error {
	s.timed = make(chan struct{})
	timer := time.AfterFunc(probes.WarmUp(args.Duration), func() {
		defer close(s.timed)
		s.atStart, s.infoErr = s.conn.TCPInfo()
	})
	b := make([]byte, writeSize)
	defer hot.Keep(b)
	loop := hot.Transmit
	if args.Zerocopy {
		loop = hot.TransmitZerocopy
	}
	_, _, errno := loop(s.conn.FD, b)
	// The receiver ends a sample with a reset. If it comes early, the sample failed:
	// the two ends started at most one connection setup apart.
	early := hot.Nanotime()-begin < int64(args.Duration)*9/10
	if !timer.Stop() {
		<-s.timed
	}
	if errno != unix.ECONNRESET && errno != unix.EPIPE || early || ctx.Err() != nil {
		return hot.IOError(ctx, "sending", errno)
	}
	return s.infoErr
}

// addTo adds the connection's final state to t.
func (s *sender) addTo(t *Transmitted) error {
	info, err := s.conn.TCPInfo()
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
