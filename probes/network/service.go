package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/load"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

const (
	// serviceParts is the number of measurements that one sample takes in sequence.
	serviceParts = 4
	// serviceWithin is how long a new Service may take until connections succeed:
	// kube-proxy writes its rules at most once a second.
	serviceWithin = 6 * time.Second
)

// Service measures the path through a Service and the path directly to the pod
// behind it in the same sample, so that anything that slows the machine affects
// both.
func Service() *probes.Probe {
	return &probes.Probe{
		Name: "service", Title: "new connections and bulk data through a Service (ClusterIP), compared with the pod's own address",
		Metrics: []results.Metric{
			{Name: "rate", Unit: "1/s", Better: "higher"},
			{Name: "pod-rate", Unit: "1/s", Better: "higher"},
			{Name: "goodput", Unit: "bit/s", Better: "higher"},
			{Name: "pod-goodput", Unit: "bit/s", Better: "higher"},
		},
		Placement: probes.Split, Pods: true,
		Measure: measureService, Longest: serviceTakes,
	}
}

func measureService(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
	if s.Service == nil {
		return nil, &probes.NotHereError{Why: words.NoServices}
	}
	through, err := s.Service(ctx)
	if err != nil {
		return nil, err
	}
	part := servicePart(s)
	straight := netip.AddrPortFrom(s.Server.Addr, through.Port)
	if !through.Works {
		if err := awaitService(ctx, &part, through); err != nil {
			return nil, err
		}
	}
	begin := time.Now()
	m := &probes.Measurement{Values: map[string]float64{}, Params: map[string]string{"service": through.Addr.String(), "port": strconv.Itoa(int(through.Port))}}
	for _, way := range []struct {
		prefix string
		to     netip.AddrPort
	}{{"", through.Addr}, {"pod-", straight}} {
		if err := measureTo(ctx, &part, through.Port, way.to, way.prefix, m); err != nil {
			return nil, fmt.Errorf("to %s: %w", way.to, err)
		}
	}
	m.Seconds = time.Since(begin).Seconds()
	return m, nil
}

// measureTo measures one path to the server.
func measureTo(ctx context.Context, s *probes.Site, port uint16, to netip.AddrPort, prefix string, m *probes.Measurement) error {
	connections, err := connectFor(ctx, s, port, to)
	if err != nil {
		return err
	}
	m.Values[prefix+"rate"] = float64(connections.Rounds) / connections.Seconds
	args := load.NewStreamArgs(s, 1)
	toServer, toClient := args, args
	toServer.Addr, toServer.Port, toServer.CPU = s.Server.Addr, port, s.Server.CPU
	toClient.Peer, toClient.CPU = to, s.Client.CPU
	var got load.Received
	var sent load.Transmitted
	if err := s.Drive(ctx, "tcp-stream", toServer, func(netip.AddrPort) any { return toClient }, &got, &sent); err != nil {
		return err
	}
	if got.Rate <= 0 {
		return errors.New("no data arrived after the warm-up")
	}
	m.Values[prefix+"goodput"] = 8 * got.Rate
	m.Warnings = append(append(m.Warnings, got.Warnings...), sent.Warnings...)
	return nil
}

// connectFor opens connections for the site's duration.
func connectFor(ctx context.Context, s *probes.Site, port uint16, to netip.AddrPort) (*load.LatencyResult, error) {
	args := load.RRArgs{Size: 1, Duration: s.Duration}
	toServer, toClient := args, args
	toServer.Addr, toServer.Port, toServer.CPU = s.Server.Addr, port, s.Server.CPU
	toClient.Peer, toClient.CPU = to, s.Client.CPU
	var server load.ServerResult
	var client load.LatencyResult
	err := s.Drive(ctx, "tcp-crr", toServer, func(netip.AddrPort) any { return toClient }, &server, &client)
	if err == nil && client.Seconds <= 0 {
		err = errors.New("the client measured for 0 seconds")
	}
	return &client, err
}

// awaitService waits until a connection through the Service succeeds. If none does,
// nothing in the cluster implements Services.
func awaitService(ctx context.Context, s *probes.Site, through *probes.Service) error {
	short := *s
	short.Duration = probes.MinDuration
	begin := time.Now()
	for {
		_, err := connectFor(ctx, &short, through.Port, through.Addr)
		switch {
		case err == nil:
			through.Works = true
			return nil
		case ctx.Err() != nil:
			return err
		case time.Since(begin) > serviceWithin:
			return &probes.NotHereError{Why: words.ServiceUnreached.With(through.Addr, serviceWithin, err)}
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// servicePart returns the site with the duration of one part of the sample.
func servicePart(s *probes.Site) probes.Site {
	part := *s
	part.Duration = max(s.Duration/serviceParts, probes.MinDuration)
	return part
}

// serviceTakes returns the time limit for the wait for the first connection, the
// last attempt at one, and the parts.
func serviceTakes(s *probes.Site) time.Duration {
	short, part := *s, servicePart(s)
	short.Duration = probes.MinDuration
	return serviceWithin + short.DriveLimit() + serviceParts*part.DriveLimit()
}
