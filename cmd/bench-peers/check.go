package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// Bounds on the difference from independently measured figures.
const (
	agreeGoodput = 0.05
	agreePackets = 0.001
)

// check compares our figures with iperf3's and with the kernel's own counters. This is not about
// speed: the link has a rate limit that both reach.
func (b *bench) check(ctx context.Context) error {
	var errs []error
	for _, name := range []string{"host", "flannel-vxlan"} {
		errs = append(errs, b.checkGoodput(ctx, name), b.checkPackets(ctx, name))
	}
	return errors.Join(errs...)
}

// checkGoodput compares a stream's goodput at 1gbit with iperf3's.
func (b *bench) checkGoodput(ctx context.Context, name string) error {
	n := b.networks[name]
	if err := n.SetWire("1gbit"); err != nil {
		return err
	}
	p := b.path(name, false)
	var ours, theirs, ratios []float64
	for range 5 {
		v, err := b.probe(ctx, p, "tcp-stream", "goodput")
		if err != nil {
			return err
		}
		w, err := b.iperfTCP(ctx, p)
		if err != nil {
			return err
		}
		ours, theirs, ratios = append(ours, v), append(theirs, w), append(ratios, v/w)
	}
	v, w := stats.Summarize(ours).Median, stats.Summarize(theirs).Median
	fmt.Fprintf(b.out, "%s at 1gbit: %.1f Mbit/s, iperf3 %.1f Mbit/s\n", name, v/1e6, w/1e6)
	// Compare pairs, because whatever slows the machine slows both samples of a pair.
	if math.Abs(stats.Summarize(ratios).Median-1) > agreeGoodput {
		return fmt.Errorf("on %s the probe measured %.0f bit/s, but iperf3 %.0f", name, v, w)
	}
	return n.SetWire(results.WireNone)
}

// checkPackets compares the number of datagrams that the receiver counts with what the node's NIC
// counts meanwhile.
func (b *bench) checkPackets(ctx context.Context, name string) error {
	p := b.path(name, false)
	before, err := nicPackets(ctx, p.server)
	if err != nil {
		return err
	}
	args := map[string]any{"cpu": p.server.CPU, "addr": p.server.Addr, "size": 64, "segments": 1, "rate": 30_000, "duration": time.Second}
	server, err := p.server.Worker.Start(ctx, "udp-pps/server", args)
	if err != nil {
		return err
	}
	var bound struct{ Port uint16 }
	if err := server.Ready(ctx, &bound); err != nil {
		return err
	}
	args["cpu"], args["peer"] = p.client.CPU, fmt.Sprintf("%s:%d", p.server.Addr, bound.Port)
	delete(args, "addr")
	client, err := p.client.Worker.Start(ctx, "udp-pps/client", args)
	if err != nil {
		return err
	}
	var sent, received struct{ Sent, Received float64 }
	if err := client.Wait(ctx, &sent); err != nil {
		return err
	}
	server.Cancel()
	if err := server.Wait(ctx, &received); err != nil {
		return err
	}
	after, err := nicPackets(ctx, p.server)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "%s: %.0f datagrams sent, %.0f received, %.0f packets on the NIC\n", name, sent.Sent, received.Received, after-before)
	if math.Abs(received.Received/(after-before)-1) > agreePackets {
		return fmt.Errorf("on %s the probe received %.0f datagrams, but the NIC %.0f packets", name, received.Received, after-before)
	}
	return nil
}

// nicPackets returns the number of packets that an end's node has received on its NIC so far.
func nicPackets(ctx context.Context, e probes.End) (float64, error) {
	call, err := e.Node.Start(ctx, "tcp-stream/counters", nil)
	if err != nil {
		return 0, err
	}
	var text string
	if err := call.Wait(ctx, &text); err != nil {
		return 0, err
	}
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, ":")
		if fields := strings.Fields(rest); strings.TrimSpace(name) == e.NIC && len(fields) > 1 {
			return strconv.ParseFloat(fields[1], 64)
		}
	}
	return 0, fmt.Errorf("%s has no counters", e.NIC)
}
