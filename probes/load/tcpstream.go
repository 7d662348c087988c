package load

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"time"

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

// mostPatience is the longest that a flow is waited for; a longer time is a mistake.
const mostPatience = time.Hour

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
	Duration time.Duration  `json:"duration"`           // ns, of the counted window
	WarmUp   time.Duration  `json:"warm_up"`            // ns, the least before the window
	Patience time.Duration  `json:"patience,omitempty"` // ns until the window begins although the flow is not steady
	Trail    time.Duration  `json:"trail,omitempty"`    // ns that the streams go on after the window
}

// NewStreamArgs returns the arguments that both ends of streams at a site share.
func NewStreamArgs(s *probes.Site, streams int) StreamArgs {
	return StreamArgs{Streams: streams, Zerocopy: s.Params[paramZerocopy] != "", Duration: s.Duration,
		WarmUp: probes.WarmUp(s.Duration), Patience: s.SteadyLimit()}
}

func (a *StreamArgs) check() error {
	if a.Streams < 1 || a.Streams > maxStreams || a.Duration < probes.MinDuration || a.WarmUp < 0 || a.Patience < 0 || a.Patience > mostPatience {
		return fmt.Errorf("measuring %d streams for %s is not supported", a.Streams, a.Duration)
	}
	return nil
}

// Received is what the receiver of the streams counted in its window.
type Received struct {
	Bytes    int64           `json:"bytes"`
	Rate     float64         `json:"rate"`    // byte/s, sum of all streams
	Seconds  float64         `json:"seconds"` // length of the window
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
	return measureStreams(ctx, s, 0)
}

// measureStreams runs streams that go on for trail after their window.
func measureStreams(ctx context.Context, s *probes.Site, trail time.Duration) (*probes.Measurement, error) {
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
		trail = max(trail, probes.WarmUp(s.Duration)) // one direction may become steady before the other
	case s.Params[paramReverse] != "":
		sites = []*probes.Site{&back}
	}
	before, err := countStream(ctx, sites[0])
	if err != nil {
		return nil, err
	}
	ways, ended := make([]OneWay, len(sites)), make([]time.Time, len(sites))
	errs := make([]error, len(sites))
	var wg sync.WaitGroup
	for i, site := range sites {
		wg.Go(func() {
			errs[i] = ways[i].Measure(ctx, site, streams, trail)
			ended[i] = time.Now()
		})
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
	if apart := ended[len(ended)-1].Sub(ended[0]).Abs(); apart > trail && len(ended) > 1 {
		m.Warnings = append(m.Warnings, words.DirectionEndedEarly.With((apart - trail).Round(time.Millisecond)))
	}
	after.since(before, m.Values)
	m.Params[paramStreams] = strconv.Itoa(streams)
	for _, name := range []string{paramReverse, paramBoth, paramZerocopy} {
		if v := s.Params[name]; v != "" {
			m.Params[name] = v
		}
	}
	return m, nil
}

// Measure runs the streams of one direction. They go on for trail after the window.
func (w *OneWay) Measure(ctx context.Context, s *probes.Site, streams int, trail time.Duration) error {
	args := NewStreamArgs(s, streams)
	args.Trail = trail
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
	busy, untimed := hot.Busy(m.CPU)
	m.Warnings = append(append(m.Warnings, hot.Stolen(m.CPU)...), untimed...)
	gigabytes := bytes / 1e9
	m.Values = map[string]float64{
		"goodput": 8 * rate, "cpu": busy / gigabytes, "retransmits": retransmits, "rtt": rtt,
		"switches": float64(m.CPU.ContextSwitches) / gigabytes,
	}
	return m
}
