package network

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/probes/load"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// way is one way to a listener.
type way struct {
	client, server probes.End
	to             netip.AddrPort // that the client connects to; invalid for the listener's own address and port
	port           uint16         // that the server listens on; 0 for any
}

// route is a path that applications use, and the straight path that it is compared
// with: from pod to pod, by the pod's own address.
type route struct {
	path, straight way
	// trials are the ways over which a connection has to succeed before anything is
	// measured, in this order.
	trials []trial
	params map[string]string // of the sample
}

// trial is a way that may not exist in a network.
type trial struct {
	way
	within    time.Duration
	unreached func(within time.Duration, err error) words.Text
}

// straightPrefix begins the names of the figures of the straight path.
const straightPrefix = "pod-"

// figure is one of the figures that are measured over both paths.
type figure struct {
	name, unit, better string
	measure            func(ctx context.Context, s *probes.Site, w *way, m *probes.Measurement) (float64, error)
}

// figures are taken over both paths in each sample.
func figures() []figure {
	return []figure{{"rate", "1/s", "higher", connectionRate}, {"goodput", "bit/s", "higher", goodput}, {"p50", "s", "lower", roundTrip}}
}

// routeParts is the number of measurements that one sample takes in sequence.
var routeParts = 2 * len(figures())

// podsAddress is the straight path of most probes, for people.
const podsAddress = "the pod's own address"

// routed returns a probe that measures a path and the straight path in the same sample,
// so that anything that slows the machine affects both. most is the longest that the
// trials of a route may take.
func routed(name, path, straight string, most time.Duration, find func(ctx context.Context, s *probes.Site) (*route, error)) *probes.Probe {
	p := &probes.Probe{Name: name, Title: path + ": connections, bulk data and round trips, compared with " + straight, Placement: probes.Split, Pods: true, Parts: routeParts}
	for _, f := range figures() {
		p.Metrics = append(p.Metrics, results.Metric{Name: f.name, Unit: f.unit, Better: f.better, Straight: straightPrefix + f.name})
	}
	for _, f := range figures() {
		p.Metrics = append(p.Metrics, results.Metric{Name: straightPrefix + f.name, Unit: f.unit, Better: f.better, Evidence: true})
	}
	p.Measure = func(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
		r, err := find(ctx, s)
		if err != nil {
			return nil, err
		}
		return r.measure(ctx, s)
	}
	p.Longest = func(s *probes.Site) time.Duration {
		short, part := shortened(s), routePart(s)
		return most + maxTrials*short.DriveLimit() + time.Duration(routeParts)*part.DriveLimit()
	}
	return p
}

// maxTrials is the maximum number of trials of a route. The last attempt of each may begin
// just before its time is over.
const maxTrials = 2

// mostConnections bounds the connections of a part, in its warm-up and again when it
// counts. The nodes' connection tracking remembers each for two minutes
// (nf_conntrack_tcp_timeout_time_wait) and drops packets of everybody when its table is
// full, which has room for 131072 at least under kube-proxy (conntrack.min). All paths
// together open some 9000 a round of 12 s, which are 90000 in two minutes.
const mostConnections = 250

// measure takes a sample. Both paths are measured one directly after the other for each
// figure, in an order that is drawn, because the second may find warmer caches.
func (r *route) measure(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
	part := routePart(s)
	for _, t := range r.trials {
		if err := t.await(ctx, s); err != nil {
			return nil, err
		}
	}
	begin := time.Now()
	m := &probes.Measurement{Values: map[string]float64{}, Params: r.params}
	for _, f := range figures() {
		order := []string{"", straightPrefix}
		rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		m.Params["first-"+f.name] = order[0] + f.name
		for _, prefix := range order {
			w := &r.path
			if prefix == straightPrefix {
				w = &r.straight
			}
			value, err := f.measure(ctx, &part, w, m)
			if err != nil {
				return nil, fmt.Errorf("%s to %s: %w", prefix+f.name, w.target(), err)
			}
			m.Values[prefix+f.name] = value
		}
	}
	m.Seconds = time.Since(begin).Seconds()
	return m, nil
}

// await waits until a connection succeeds, unless one has before.
func (t *trial) await(ctx context.Context, s *probes.Site) error {
	path := t.client.Addr.String() + " " + t.target()
	if s.Passed[path] {
		return nil
	}
	short := shortened(s)
	begin := time.Now()
	for {
		_, err := t.rounds(ctx, &short, "tcp-crr", load.RRArgs{Most: mostConnections, Trial: true})
		switch {
		case err == nil:
			s.Passed.Note(path)
			return nil
		case ctx.Err() != nil:
			return err
		case errors.Join(t.client.Worker.Answers(ctx), t.server.Worker.Answers(ctx)) != nil:
			return err // it says nothing of the path
		case time.Since(begin) > t.within:
			return &probes.NotHereError{Why: t.unreached(t.within, err)}
		}
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// target names what the client connects to.
func (w *way) target() string {
	if w.to.IsValid() {
		return w.to.String()
	}
	return w.server.Addr.String()
}

// drive runs a probe's two roles at the ends of the way.
func (w *way) drive(ctx context.Context, s *probes.Site, probe string, toServer any, toClient func(peer netip.AddrPort) any, server, client any) error {
	site := *s
	site.Client, site.Server = w.client, w.server
	return site.Drive(ctx, probe, toServer, func(peer netip.AddrPort) any {
		if w.to.IsValid() {
			peer = w.to
		}
		return toClient(peer)
	}, server, client)
}

// rounds runs a request/response probe with one byte for the site's duration.
func (w *way) rounds(ctx context.Context, s *probes.Site, probe string, args load.RRArgs) (*load.LatencyResult, error) {
	args.Size, args.Duration, args.Delay = 1, s.Duration, s.Delay
	toServer, toClient := args, args
	toServer.Addr, toServer.Port, toServer.CPU = w.server.Addr, w.port, w.server.CPU
	toClient.CPU = w.client.CPU
	var server load.ServerResult
	var client load.LatencyResult
	err := w.drive(ctx, s, probe, toServer, func(peer netip.AddrPort) any {
		toClient.Peer = peer
		return toClient
	}, &server, &client)
	if err == nil && client.Seconds <= 0 {
		err = errors.New("the client measured for 0 seconds")
	}
	return &client, err
}

// connectionRate returns the number of new connections per second.
func connectionRate(ctx context.Context, s *probes.Site, w *way, m *probes.Measurement) (float64, error) {
	connections, err := w.rounds(ctx, s, "tcp-crr", load.RRArgs{Most: mostConnections})
	if err != nil {
		return 0, err
	}
	m.Warnings = append(m.Warnings, connections.Warnings...)
	return float64(connections.Rounds) / connections.Seconds, nil
}

// goodput returns the rate of bulk data in bit/s.
func goodput(ctx context.Context, s *probes.Site, w *way, m *probes.Measurement) (float64, error) {
	args := load.NewStreamArgs(s, 1)
	toServer, toClient := args, args
	toServer.Addr, toServer.Port, toServer.CPU = w.server.Addr, w.port, w.server.CPU
	toClient.CPU = w.client.CPU
	var got load.Received
	var sent load.Transmitted
	err := w.drive(ctx, s, "tcp-stream", toServer, func(peer netip.AddrPort) any {
		toClient.Peer = peer
		return toClient
	}, &got, &sent)
	if err == nil && got.Rate <= 0 {
		err = errors.New("no data arrived after the warm-up")
	}
	m.Warnings = append(append(m.Warnings, got.Warnings...), sent.Warnings...)
	return 8 * got.Rate, err
}

// roundTrip returns the median round trip of one byte on an open connection, in seconds.
func roundTrip(ctx context.Context, s *probes.Site, w *way, m *probes.Measurement) (float64, error) {
	rounds, err := w.rounds(ctx, s, "tcp-rr", load.RRArgs{})
	if err != nil {
		return 0, err
	}
	h, err := hot.DecodeHistogram(rounds.Hist)
	if err != nil {
		return 0, err
	}
	m.Warnings = append(m.Warnings, rounds.Warnings...)
	return hot.Quantiles(h)["p50"], nil
}

// routePart returns the site with the duration of one part of the sample.
func routePart(s *probes.Site) probes.Site {
	part := *s
	part.Duration = max(s.Duration/time.Duration(routeParts), probes.MinDuration)
	return part
}

// shortened returns the site with the shortest duration, for an attempt to connect.
func shortened(s *probes.Site) probes.Site {
	short := *s
	short.Duration = probes.MinDuration
	return short
}
