package probes

import (
	"context"
	"errors"

	"github.com/cnibench/cnibench/results"
)

// loadLatency measures round trips while a stream fills the path in the same
// direction as the requests: what a small request waits for in the queues that
// bulk data builds up.
func loadLatency() *Probe {
	return &Probe{
		Name: "load-latency", Title: "round trip time of small requests while a TCP stream loads the path",
		Metrics:   append(latencyMetrics()[:4:4], results.Metric{Name: "goodput", Unit: "bit/s", Better: "higher"}),
		Placement: Split,
		Measure:   measureLoadLatency,
	}
}

// measureLoadLatency runs the two probes at once; both drop the same first
// part, in which the stream grows.
func measureLoadLatency(ctx context.Context, s *Site) (*Measurement, error) {
	load, loadErr := make(chan *Measurement, 1), make(chan error, 1)
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
	m, err := measureRR(ctx, s, "tcp-rr")
	if err != nil {
		cancel()
	}
	stream := <-load
	if err := errors.Join(<-loadErr, err); err != nil {
		return nil, err
	}
	delete(m.Values, "rate") // of a loop that waits in the queue: says nothing new
	m.Values["goodput"] = stream.Values["goodput"]
	m.CPU = stream.CPU
	m.Warnings = append(m.Warnings, stream.Warnings...)
	return m, nil
}
