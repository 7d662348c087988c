package probes

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/cnibench/cnibench/results"
)

// listening is what a server role tells when it is ready.
type listening struct {
	Port uint16 `json:"port"`
}

// drive takes a sample that has a server and a client role: it starts the
// server, starts the client towards the port that the server has bound, and
// reads both results. When one role fails the other is ended.
func (s *Site) drive(ctx context.Context, probe string, serverArgs any, clientArgs func(peer netip.AddrPort) any, serverResult, clientResult any) error {
	if s.Client.Worker == nil || s.Server.Worker == nil {
		return fmt.Errorf("taking a sample of %s: an end has no worker", probe)
	}
	if s.Duration < MinDuration {
		return fmt.Errorf("taking a sample of %s: its duration is %s, less than %s", probe, s.Duration, MinDuration)
	}
	limit := s.driveLimit()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("time limit of %s passed", limit))
	defer cancel()
	server, err := s.Server.Worker.Start(ctx, probe+"/server", serverArgs)
	if err != nil {
		return err
	}
	var bound listening
	if err := server.Ready(ctx, &bound); err != nil {
		return err
	}
	client, err := s.Client.Worker.Start(ctx, probe+"/client", clientArgs(netip.AddrPortFrom(s.Server.Addr, bound.Port)))
	if err != nil {
		server.Cancel()
		return err
	}
	return waitBoth(ctx, server, client, serverResult, clientResult)
}

// waitBoth waits for a server and its client. When one fails the other is
// cancelled; both errors are told, the first to come first. A server that
// does not see its client go (over UDP) ends with the client.
func waitBoth(ctx context.Context, server, client *Call, serverResult, clientResult any) error {
	serverDone := make(chan error, 1)
	clientDone := make(chan error, 1)
	go func() { serverDone <- server.Wait(ctx, serverResult) }()
	go func() { clientDone <- client.Wait(ctx, clientResult) }()
	var first, second error
	select {
	case first = <-serverDone:
		if first != nil {
			client.Cancel()
		}
		second = <-clientDone
	case first = <-clientDone:
		server.Cancel()
		second = <-serverDone
	}
	switch {
	case first == nil:
		return second
	case second == nil || strings.Contains(second.Error(), errCancelled.Error()):
		return first
	}
	return fmt.Errorf("%w; %w", first, second)
}

// latencyResult is what the client of a latency probe returns.
type latencyResult struct {
	Hist       []byte      `json:"hist"` // HDR V2 compressed, ns
	Rounds     int64       `json:"rounds"`
	Seconds    float64     `json:"seconds"`
	Machine    machineTime `json:"machine"`
	Congestion string      `json:"congestion,omitempty"`
	Warnings   []string    `json:"warnings,omitempty"`
}

// serverResult is what the server of a latency probe returns.
type serverResult struct {
	Machine  machineTime `json:"machine"`
	Warnings []string    `json:"warnings,omitempty"`
}

// latencyMetrics are what every probe with a histogram yields.
func latencyMetrics() []results.Metric {
	var all []results.Metric
	for _, name := range []string{"p50", "p90", "p99", "p999"} {
		all = append(all, results.Metric{Name: name, Unit: "s", Better: "lower"})
	}
	return append(all, results.Metric{Name: "rate", Unit: "1/s", Better: "higher"})
}

// measurement makes a measurement of what both ends returned.
func (r *latencyResult) measurement(server *serverResult) (*Measurement, error) {
	h, err := decodeHistogram(r.Hist)
	if err != nil {
		return nil, err
	}
	if r.Seconds <= 0 {
		return nil, errors.New("the client measured for no time")
	}
	values := quantiles(h)
	values["rate"] = float64(r.Rounds) / r.Seconds
	cpu := together(r.Machine, server.Machine)
	warnings := append(append(r.Warnings, server.Warnings...), stolen(cpu)...)
	return &Measurement{Values: values, Seconds: r.Seconds, CPU: cpu, Hist: h, Warnings: warnings}, nil
}

// clockwork reads the machine's time at the end of the warm-up and once more
// when asked, for a role whose own thread is in a hot loop at that moment.
type clockwork struct {
	timer *time.Timer
	ready chan struct{}
	start machineTime
	err   error
}

func startClockwork(after time.Duration) *clockwork {
	c := &clockwork{ready: make(chan struct{})}
	c.timer = time.AfterFunc(after, func() {
		c.start, c.err = readMachineTime()
		close(c.ready)
	})
	return c
}

// end is the time spent since the end of the warm-up.
func (c *clockwork) end() (machineTime, error) {
	if c.timer.Stop() {
		return machineTime{}, errors.New("the sample ended within its warm-up")
	}
	<-c.ready
	if c.err != nil {
		return machineTime{}, c.err
	}
	now, err := readMachineTime()
	return now.since(c.start), err
}
