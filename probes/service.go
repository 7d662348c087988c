package probes

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/cnibench/cnibench/results"
)

const (
	// serviceParts are what one sample of the probe takes one after the other.
	serviceParts = 4
	// serviceWithin is how long a new Service may take until connections pass:
	// kube-proxy writes its rules once a second at most.
	serviceWithin = 6 * time.Second
)

// Service is a ClusterIP with the server's pod behind it.
type Service struct {
	Addr netip.AddrPort // of the Service
	Port uint16         // that the pod listens on
	// Works is set once a connection has passed.
	Works bool
}

// service measures the way through a Service against the way straight to the
// pod behind it, in the same sample, so that what slows the machine meets both.
func service() *Probe {
	return &Probe{
		Name: "service", Title: "new connections and bulk data through a Service (ClusterIP), against the same pod's address",
		Metrics: []results.Metric{
			{Name: "rate", Unit: "1/s", Better: "higher"},
			{Name: "pod-rate", Unit: "1/s", Better: "higher"},
			{Name: "goodput", Unit: "bit/s", Better: "higher"},
			{Name: "pod-goodput", Unit: "bit/s", Better: "higher"},
		},
		Placement: Split, Pods: true,
		Measure: measureService, takes: serviceTakes,
	}
}

func measureService(ctx context.Context, s *Site) (*Measurement, error) {
	if s.Service == nil {
		return nil, &NotHereError{"there are no Services on this testbed"}
	}
	through, err := s.Service(ctx)
	if err != nil {
		return nil, err
	}
	part := servicePart(s)
	straight := netip.AddrPortFrom(s.Server.Addr, through.Port)
	if !through.Works {
		if err := part.awaitService(ctx, through); err != nil {
			return nil, err
		}
	}
	begin := time.Now()
	m := &Measurement{Values: map[string]float64{}, Params: map[string]string{"service": through.Addr.String(), "port": strconv.Itoa(int(through.Port))}}
	for _, way := range []struct {
		prefix string
		to     netip.AddrPort
	}{{"", through.Addr}, {"pod-", straight}} {
		if err := part.serviceWay(ctx, through.Port, way.to, way.prefix, m); err != nil {
			return nil, fmt.Errorf("to %s: %w", way.to, err)
		}
	}
	m.Seconds = time.Since(begin).Seconds()
	return m, nil
}

// serviceWay measures one way to the server.
func (s *Site) serviceWay(ctx context.Context, port uint16, to netip.AddrPort, prefix string, m *Measurement) error {
	connections, err := s.connect(ctx, port, to)
	if err != nil {
		return err
	}
	m.Values[prefix+"rate"] = float64(connections.Rounds) / connections.Seconds
	args := streamArgs{Streams: 1, Duration: s.Duration}
	toServer, toClient := args, args
	toServer.Addr, toServer.Port, toServer.CPU = s.Server.Addr, port, s.Server.CPU
	toClient.Peer, toClient.CPU = to, s.Client.CPU
	var got received
	var sent transmitted
	if err := s.drive(ctx, "tcp-stream", toServer, func(netip.AddrPort) any { return toClient }, &got, &sent); err != nil {
		return err
	}
	if got.Rate <= 0 {
		return errors.New("no data arrived after the warm-up")
	}
	m.Values[prefix+"goodput"] = 8 * got.Rate
	m.Warnings = append(append(m.Warnings, got.Warnings...), sent.Warnings...)
	return nil
}

// connect opens connections for the site's duration.
func (s *Site) connect(ctx context.Context, port uint16, to netip.AddrPort) (*latencyResult, error) {
	args := rrArgs{Size: 1, Duration: s.Duration}
	toServer, toClient := args, args
	toServer.Addr, toServer.Port, toServer.CPU = s.Server.Addr, port, s.Server.CPU
	toClient.Peer, toClient.CPU = to, s.Client.CPU
	var server serverResult
	var client latencyResult
	err := s.drive(ctx, "tcp-crr", toServer, func(netip.AddrPort) any { return toClient }, &server, &client)
	if err == nil && client.Seconds <= 0 {
		err = errors.New("the client measured for no time")
	}
	return &client, err
}

// awaitService waits until a connection passes. Where none does, nobody
// carries what is sent to Services.
func (s *Site) awaitService(ctx context.Context, through *Service) error {
	short := *s
	short.Duration = MinDuration
	begin := time.Now()
	for {
		_, err := short.connect(ctx, through.Port, through.Addr)
		switch {
		case err == nil:
			through.Works = true
			return nil
		case ctx.Err() != nil:
			return err
		case time.Since(begin) > serviceWithin:
			return &NotHereError{fmt.Sprintf("no connection passed the Service %s within %s (does kube-proxy or what replaces it run?): %v", through.Addr, serviceWithin, err)}
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}
