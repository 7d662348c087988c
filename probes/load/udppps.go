package load

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
)

const (
	// lossBound is the share of datagrams that may be lost at the reported rate.
	// RFC 2544's throughput allows no loss, which a shared machine cannot sustain.
	lossBound = 0.001
	// leastDatagram has room for the sequence number only.
	leastDatagram = 8
	mostDatagram  = 1400 // fits the pod MTU of every plugin on an underlay of 1500
	// mostSegments datagrams of mostDatagram bytes fit into one IP packet.
	mostSegments = 32
	// ppsBuffer is the receiver's socket buffer in bytes.
	ppsBuffer = 8 << 20
	// A trial is just long enough to detect a loss of a tenth of lossBound at
	// 100,000 datagrams per second. The last trial, which is reported, gets the
	// rest of the sample but at least confirmShare of it.
	trialLength  = 50 * time.Millisecond
	confirmShare = 0.4
	// leastSearch is the least time for the trials of one sample: six bisect the rate to 2 %, and
	// the last one must be long enough to see one lost datagram in a thousand.
	leastSearch = time.Second
	// settle is how long the receiver keeps counting after the last datagram, on
	// top of the known delay of the underlay.
	settle = 5 * time.Millisecond
)

const paramSegments = "segments"

// UDPPPS searches for the highest rate at which at most lossBound of small
// datagrams are lost. It reports the rate that arrived, never the rate that was
// sent.
func UDPPPS() *probes.Probe {
	return &probes.Probe{
		Name: "udp-pps", SeeksLoss: true, Title: "small UDP datagrams that arrive per second, at the highest rate with at most 0.1 % loss",
		Metrics: []results.Metric{
			{Name: "rate", Unit: "1/s", Better: "higher"},
			{Name: "loss", Unit: "1", Better: "lower"},
			{Name: "reordered", Unit: "1", Better: "lower"},
			{Name: "cpu", Unit: "s/kpkt", Better: "lower"},
		},
		Params: []probes.Param{
			{Name: paramSize, Title: "bytes of payload", Default: "64", Min: leastDatagram, Max: mostDatagram},
			{Name: paramSegments, Title: "datagrams passed to the kernel as one, which splits them as late as it can (UDP_SEGMENT, as QUIC senders do)", Default: "1", Min: 1, Max: mostSegments},
		},
		Placement: probes.Split,
		Roles:     map[string]worker.Role{"server": udpPPSServer, "client": udpPPSClient},
		Measure:   measureUDPPPS, Longest: ppsTakes,
	}
}

type ppsArgs struct {
	Addr     netip.Addr     `json:"addr,omitzero"`
	Peer     netip.AddrPort `json:"peer,omitzero"`
	CPU      int            `json:"cpu"`
	Size     int            `json:"size"`
	Segments int            `json:"segments"`
	Poll     bool           `json:"poll,omitempty"` // the receiver polls; it has a CPU of its own
	Rate     float64        `json:"rate,omitempty"` // 1/s, 0 for as fast as possible
	Duration time.Duration  `json:"duration"`       // ns
	Settle   time.Duration  `json:"settle"`         // ns from the last datagram until all have arrived
}

func (a *ppsArgs) check() error {
	if a.Size < leastDatagram || a.Size > mostDatagram || a.Segments < 1 || a.Segments > mostSegments || a.Rate < 0 {
		return fmt.Errorf("measuring %d datagrams of %d bytes at once at %g/s is not supported", a.Segments, a.Size, a.Rate)
	}
	return nil
}

func readPPSArgs(r *worker.Request) (*ppsArgs, error) {
	var args ppsArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	return &args, args.check()
}

// arrived is what the receiver of a trial counted.
type arrived struct {
	Received  int64           `json:"received"` // datagrams, not counting duplicates
	Repeated  int64           `json:"repeated"`
	Reordered int64           `json:"reordered"` // arrived after one with a higher number (RFC 4737, 3.4)
	Seconds   float64         `json:"seconds"`   // first to last datagram
	Machine   hot.MachineTime `json:"machine"`
}

// sent is what the sender of a trial sent.
type sent struct {
	Sent    int64           `json:"sent"`
	Seconds float64         `json:"seconds"`
	Machine hot.MachineTime `json:"machine"`
}

// trial is one burst at one rate.
type trial struct {
	in  arrived
	out sent
}

func (t *trial) loss() float64 { return 1 - float64(t.in.Received)/float64(t.out.Sent) }

// rate returns the rate of the datagrams that arrived. The sender's time is the
// longer and steadier base; the datagrams still queued when it ends are only
// thousandths of a trial.
func (t *trial) rate() float64 { return float64(t.in.Received) / max(t.out.Seconds, t.in.Seconds) }

func measureUDPPPS(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
	s = ppsSite(s)
	size, err := s.Number(paramSize, 64)
	if err != nil {
		return nil, err
	}
	segments, err := s.Number(paramSegments, 1)
	if err != nil {
		return nil, err
	}
	limit := ppsTakes(s)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("time limit of %s passed", limit))
	defer cancel()
	begin := time.Now()
	args := ppsArgs{Size: size, Segments: segments, Settle: settle + s.Delay, Poll: s.Client.CPU != s.Server.CPU}
	best, tried, err := searchRate(ctx, s, args, begin)
	if err != nil {
		return nil, err
	}
	cpu := hot.Together(best.in.Machine, best.out.Machine)
	busy, untimed := hot.Busy(cpu)
	return &probes.Measurement{
		Values: map[string]float64{
			"rate": best.rate(), "loss": max(best.loss(), 0), "reordered": float64(best.in.Reordered) / float64(best.in.Received),
			"cpu": busy / (float64(best.in.Received) / 1e3),
		},
		Seconds: best.out.Seconds, CPU: cpu, Warnings: append(hot.Stolen(cpu), untimed...),
		Params: map[string]string{paramSize: strconv.Itoa(size), paramSegments: strconv.Itoa(segments), "trials": strconv.Itoa(tried)},
	}, nil
}

// searchRate bisects between a rate that passed and one that did not, and confirms
// the best rate in a longer trial, stepping down until one passes. It returns that
// trial and the number of trials.
func searchRate(ctx context.Context, s *probes.Site, args ppsArgs, begin time.Time) (*trial, int, error) {
	confirm := time.Duration(confirmShare * float64(s.Duration))
	tried := 0
	try := func(rate float64, d time.Duration) (*trial, error) {
		tried++
		args.Rate, args.Duration = rate, d
		return runTrial(ctx, s, args)
	}
	t, err := try(0, min(trialLength, s.Duration/4))
	if err != nil {
		return nil, tried, err
	}
	low, high := 0.0, float64(t.out.Sent)/t.out.Seconds
	if t.loss() > lossBound { // otherwise unpaced, which 0 stands for, is the highest possible rate
		rate := t.rate() // what arrived when too much was sent
		for time.Since(begin) < s.Duration-confirm-trialLength && high-low > 0.02*high {
			if t, err = try(rate, trialLength); err != nil {
				return nil, tried, err
			}
			if t.loss() <= lossBound {
				low = max(low, rate)
			} else {
				high = min(high, rate)
			}
			rate = (low + high) / 2
		}
		if low == 0 {
			low = high / 2
		}
	}
	for rate := low; ; rate *= 0.9 {
		length := max(confirm, s.Duration-time.Since(begin))
		if t, err = try(rate, length); err != nil {
			return nil, tried, err
		}
		if t.loss() <= lossBound {
			return t, tried, nil
		}
		if rate == 0 {
			rate = t.rate()
		}
		if tried >= maxTrials {
			return nil, tried, fmt.Errorf("searching for the highest rate: even at %.0f datagrams per second %.2f %% were lost", rate, 100*t.loss())
		}
		confirm = trialLength * 2 // shorter trials, because it is already late
	}
}

// ppsSite returns the site with enough time for a search.
func ppsSite(s *probes.Site) *probes.Site {
	longer := *s
	longer.Duration = max(s.Duration, leastSearch)
	return &longer
}

// maxTrials bounds the search on a path that loses datagrams at every rate.
const maxTrials = 40

// runTrial sends at one rate for args.Duration.
func runTrial(ctx context.Context, s *probes.Site, args ppsArgs) (*trial, error) {
	var t trial
	toServer, toClient := args, args
	toServer.Addr, toServer.CPU = s.Server.Addr, s.Server.CPU
	toClient.CPU = s.Client.CPU
	err := s.Drive(ctx, "udp-pps", toServer, func(peer netip.AddrPort) any {
		toClient.Peer = peer
		return toClient
	}, &t.in, &t.out)
	if err != nil {
		return nil, err
	}
	if t.out.Sent == 0 || t.in.Received == 0 {
		return nil, fmt.Errorf("%d of %d datagrams arrived", t.in.Received, t.out.Sent)
	}
	return &t, nil
}

// udpPPSServer counts datagrams until it is cancelled.
func udpPPSServer(ctx context.Context, r *worker.Request) (any, error) {
	args, err := readPPSArgs(r)
	if err != nil {
		return nil, err
	}
	s, port, err := hot.BoundUDP(ctx, args.Addr)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if unix.SetsockoptInt(s.FD, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, ppsBuffer) != nil {
		_ = unix.SetsockoptInt(s.FD, unix.SOL_SOCKET, unix.SO_RCVBUF, ppsBuffer) // as much as the system allows
	}
	before, err := hot.ReadMachineTime()
	if err != nil {
		return nil, err
	}
	if err := r.Ready(probes.Listening{Port: port}); err != nil {
		return nil, err
	}
	flags := unix.MSG_WAITFORONE
	if args.Poll {
		flags = unix.MSG_DONTWAIT
	}
	var result arrived
	err = hot.OnCPU(args.CPU, func() error {
		batch := hot.NewBatch(args.Size, 1)
		defer batch.Keep()
		var c hot.Sequence
		errno := c.Receive(s.FD, batch, flags, &s.Stopped)
		if !errors.Is(context.Cause(ctx), worker.ErrCancelled) {
			return hot.IOError(ctx, "counting datagrams", errno)
		}
		result.Received, result.Repeated, result.Reordered = c.Received, c.Repeated, c.Reordered
		result.Seconds = time.Duration(c.Last - c.First).Seconds()
		return nil
	})
	if err != nil {
		return nil, err
	}
	after, err := hot.ReadMachineTime()
	result.Machine = after.Since(before)
	return result, err
}

// udpPPSClient sends numbered datagrams at a rate and then waits until the last
// one must have arrived.
func udpPPSClient(ctx context.Context, r *worker.Request) (any, error) {
	args, err := readPPSArgs(r)
	if err != nil {
		return nil, err
	}
	s, err := hot.NewSocket(ctx, args.Peer.Addr(), unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := s.Connect(ctx, args.Peer); err != nil {
		return nil, err
	}
	before, err := hot.ReadMachineTime()
	if err != nil {
		return nil, err
	}
	if args.Segments > 1 {
		if err := unix.SetsockoptInt(s.FD, unix.IPPROTO_UDP, unix.UDP_SEGMENT, args.Size); err != nil {
			return nil, fmt.Errorf("enabling UDP_SEGMENT: %w", os.NewSyscallError("setsockopt", err))
		}
	}
	var result sent
	err = hot.OnCPU(args.CPU, func() error {
		batch := hot.NewBatch(args.Size, args.Segments)
		defer batch.Keep()
		start := hot.Nanotime()
		n, last, errno := batch.Send(s.FD, args.Rate, start, start+int64(args.Duration), &s.Stopped)
		if errno != 0 {
			return hot.IOError(ctx, fmt.Sprintf("sending datagram %d", n+1), errno)
		}
		result.Sent, result.Seconds = n, time.Duration(last-start).Seconds()
		return nil
	})
	if err != nil {
		return nil, err
	}
	after, err := hot.ReadMachineTime()
	result.Machine = after.Since(before)
	select {
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for the last datagrams to arrive: %w", context.Cause(ctx))
	case <-time.After(args.Settle):
	}
	return result, err
}

// ppsTakes returns the time limit for the search, its last trial and the trials
// that step down from it.
func ppsTakes(s *probes.Site) time.Duration {
	s = ppsSite(s)
	stepping := maxTrials * (2*trialLength + settle + 2*s.RoundTrip())
	return s.Duration + time.Duration(confirmShare*float64(s.Duration)) + stepping + s.Limit(probes.SampleGrace) + probes.DriveRoundTrips*s.RoundTrip()
}
