package load

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// LoadLatency measures round trips while a stream fills the path in the same
// direction as the requests, which shows how long a small request waits in the
// queues that bulk data builds up. If there are enough CPUs, the round trips use
// other CPUs than the stream. Otherwise a request also waits for the CPU that it
// shares with the stream, as it would on a busy node, and the sample says so.
func LoadLatency() *probes.Probe {
	return &probes.Probe{
		Name: "load-latency", Title: "round trip time of small requests while a TCP stream loads the path (with fewer than 3 CPUs also the CPUs of its ends)",
		Metrics:   append(latencyMetrics()[:4:4], results.Metric{Name: "goodput", Unit: "bit/s", Better: "higher"}),
		Placement: probes.Split,
		Measure:   measureLoadLatency, Longest: loadLatencyTakes,
	}
}

// The parameter paramRoundTrips says where the round trips of load-latency run.
const (
	paramRoundTrips = "round-trips"
	// roundTripsApart means on CPUs of their own.
	roundTripsApart = "apart"
	// roundTripsBeside means on the CPUs of the stream's ends.
	roundTripsBeside = "beside the stream"
)

// besideStream returns the site for round trips beside a stream at s, and where
// they run: on other CPUs if there are any. Both ends share one CPU if only one is
// spare or if the stream's ends share one.
func besideStream(s *probes.Site) (probes.Site, string) {
	apart := *s
	switch n := len(s.Spare); {
	case s.Client.CPU < 0 || s.Server.CPU < 0:
		return apart, probes.Unpinned
	case n == 0:
		return apart, roundTripsBeside
	case s.Client.CPU == s.Server.CPU:
		apart.Client.CPU, apart.Server.CPU = s.Spare[n-1], s.Spare[n-1]
	default:
		apart.Client.CPU, apart.Server.CPU = s.Spare[0], s.Spare[n-1]
	}
	return apart, roundTripsApart
}

// measureLoadLatency begins the round trips when the stream is steady. The stream's
// window is theirs with their warm-up, and the stream goes on for as long as their
// connection and their results may take on top.
func measureLoadLatency(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	load := startLoad(ctx, s)
	select {
	case <-load.begun:
	case <-load.ended:
		if load.err != nil {
			return nil, load.err
		}
	}
	site, placed := besideStream(s)
	m, err := measureRR(ctx, &site, "tcp-rr")
	if err != nil {
		cancel()
	}
	early := load.over()
	<-load.ended
	if err := errors.Join(load.err, err); err != nil {
		return nil, err
	}
	stream := load.m
	if early {
		m.Warnings = append(m.Warnings, words.StreamEndedEarly)
	}
	delete(m.Values, "rate") // follows from the latency of a closed loop
	m.Values["goodput"] = stream.Values["goodput"]
	m.CPU = stream.CPU
	m.Warnings = append(m.Warnings, stream.Warnings...)
	m.Params[paramRoundTrips] = placed
	if placed == roundTripsBeside {
		m.Warnings = append(m.Warnings, sharedCPU)
	}
	if placed == roundTripsApart {
		m.Params["round-trip-cpus"] = fmt.Sprintf("%d,%d", site.Client.CPU, site.Server.CPU)
	}
	return m, nil
}

// load is a stream that runs beside something else.
type load struct {
	begun chan struct{} // closed when it is steady
	ended chan struct{} // closed when m or err is set
	m     *probes.Measurement
	err   error
}

func startLoad(ctx context.Context, s *probes.Site) *load {
	l := &load{begun: make(chan struct{}), ended: make(chan struct{})}
	site := *s
	site.Duration += probes.WarmUp(s.Duration)
	site.Begun = func() { close(l.begun) }
	go func() {
		defer close(l.ended)
		l.m, l.err = measureStreams(ctx, &site, loadTrail+3*s.RoundTrip())
	}()
	return l
}

// over reports whether the stream has ended.
func (l *load) over() bool {
	select {
	case <-l.ended:
		return true
	default:
		return false
	}
}

// loadTrail is how long a stream goes on after its window, for round trips beside it
// to connect and to end, on top of the path's round trips.
const loadTrail = 50 * time.Millisecond

// loadLatencyTakes returns the time limits of the stream and of the round trips.
func loadLatencyTakes(s *probes.Site) time.Duration {
	return 2*s.DriveLimit() + 2*probes.WarmUp(s.Duration) + loadTrail
}

// sharedCPU is the warning for round trips that share CPUs with the stream.
var sharedCPU = words.RoundTripsShareCPUs
