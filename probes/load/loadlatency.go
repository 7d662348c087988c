package load

import (
	"context"
	"errors"
	"fmt"

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
		Measure:   measureLoadLatency,
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

// measureLoadLatency runs the two probes at once. Both drop the same warm-up, in
// which the stream ramps up.
func measureLoadLatency(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
	load, loadErr := make(chan *probes.Measurement, 1), make(chan error, 1)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		m, err := measureTCPStream(ctx, s)
		if err != nil {
			cancel()
		}
		load <- m
		loadErr <- err
	}()
	site, placed := besideStream(s)
	m, err := measureRR(ctx, &site, "tcp-rr")
	if err != nil {
		cancel()
	}
	stream := <-load
	if err := errors.Join(<-loadErr, err); err != nil {
		return nil, err
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

// sharedCPU is the warning for round trips that share CPUs with the stream.
var sharedCPU = words.RoundTripsShareCPUs
