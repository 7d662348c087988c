package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// comparison compares one of our probes with a peer.
type comparison struct {
	title   string
	network string
	probe   string
	metric  string
	same    bool // both ends on one CPU
	peer    func(b *bench, ctx context.Context, p path) (float64, error)
	goal    string // what the ratio ours/theirs should be
}

// path is a network and the CPUs of its ends.
type path struct {
	network        string
	client, server probes.End
}

// sampleLength is the duration of every sample, ours and the peers'.
const sampleLength = time.Second

func (b *bench) compareAll(ctx context.Context) error {
	fmt.Fprintf(b.out, "%-58s %12s %12s  %-24s %s\n", "", "ours", "theirs", "ratio [95 %]", "goal")
	for _, c := range []comparison{
		{"tcp-stream on host against iperf3 (bit/s)", "host", "tcp-stream", "goodput", false, (*bench).iperfTCP, "≥ 1.00"},
		{"tcp-stream on flannel-vxlan against iperf3 (bit/s)", "flannel-vxlan", "tcp-stream", "goodput", false, (*bench).iperfTCP, "≥ 1.00"},
		{"tcp-rr p50 against sockperf ping-pong --tcp (s)", "host", "tcp-rr:size=14", "p50", true, (*bench).sockperfTCP, "≤ 1.00"},
		{"udp-rr p50 against sockperf ping-pong (s)", "host", "udp-rr:size=14", "p50", true, (*bench).sockperfUDP, "≤ 1.00"},
		{"tcp-rr p50 against Go's net.Conn (s)", "host", "tcp-rr:size=14", "p50", true, (*bench).netConnRR, "≤ 0.50"},
		{"tcp-rr p50 against net.Conn, its process on the one CPU (s)", "host", "tcp-rr:size=14", "p50", true, (*bench).netConnWhole, ""},
		{"udp-pps received against iperf3 -u -b 0 -l 64 (1/s)", "host", "udp-pps", "rate", false, (*bench).iperfUDP, "≥ 2.00"},
		{"udp-pps:segments=32 against the same (1/s)", "host", "udp-pps:segments=32", "rate", false, (*bench).iperfUDP, ""},
		{"tcp-stream on host at 1gbit against iperf3 (bit/s)", "host@1gbit", "tcp-stream", "goodput", false, (*bench).iperfTCP, "0.95–1.05"},
	} {
		if !strings.Contains(c.title, b.only) {
			continue
		}
		if err := b.compare(ctx, c); err != nil {
			return fmt.Errorf("%s: %w", c.title, err)
		}
	}
	return nil
}

// compare takes pairs of samples, each pair in a newly drawn order.
func (b *bench) compare(ctx context.Context, c comparison) error {
	name, wire, shaped := strings.Cut(c.network, "@")
	if !shaped {
		wire = results.WireNone
	}
	if err := b.networks[name].SetWire(wire); err != nil {
		return err
	}
	p := b.path(name, c.same)
	ours, theirs := map[int]float64{}, map[int]float64{}
	for pair := range b.pairs {
		order := []func() error{
			func() (err error) { ours[pair], err = b.probe(ctx, p, c.probe, c.metric); return err },
			func() (err error) { theirs[pair], err = c.peer(b, ctx, p); return err },
		}
		rand.Shuffle(2, func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, take := range order {
			if err := take(); err != nil {
				return err
			}
		}
	}
	r := stats.Paired(ours, theirs)
	fmt.Fprintf(b.out, "%-58s %12.4g %12.4g  %.3f [%.3f, %.3f]%5s %s\n", c.title, median(ours), median(theirs), r.Ratio, r.CI.Low, r.CI.High, "", c.goal)
	return b.networks[name].SetWire(results.WireNone)
}

func median(byPair map[int]float64) float64 {
	var all []float64
	for _, v := range byPair {
		all = append(all, v)
	}
	return stats.Summarize(all).Median
}

func (b *bench) path(name string, same bool) path {
	client, server := b.networks[name].Ends()
	last := runtime.NumCPU() - 1
	client.CPU, server.CPU = 0, last
	if same {
		client.CPU = last
	}
	return path{name, client, server}
}

// probe takes one sample of our own.
func (b *bench) probe(ctx context.Context, p path, spec, metric string) (float64, error) {
	probe, params, err := catalogue.Parse(spec)
	if err != nil {
		return 0, err
	}
	m, err := probe.Measure(ctx, &probes.Site{Client: p.client, Server: p.server, Duration: sampleLength, Params: params})
	if err != nil {
		return 0, err
	}
	return m.Values[metric], nil
}

// compareExpected compares the goodput at a rate limit with the calculated value.
func (b *bench) compareExpected(ctx context.Context) error {
	if b.only != "" {
		return nil
	}
	const wire, rate, tcpIP, ethernet = "1gbit", 1e9, 52, 14
	fmt.Fprintf(b.out, "\ngoodput at %s over expected, goal 0.995–1.005\n", wire)
	for _, name := range []string{"host", "flannel-vxlan", "flannel-host-gw", "calico-bgp", "calico-vxlan"} {
		n := b.networks[name]
		if err := n.SetWire(wire); err != nil {
			return err
		}
		facts, _ := n.Facts()
		overhead := 1500 - facts.PodMTU
		expected := rate * float64(facts.PodMTU-tcpIP) / float64(facts.PodMTU+overhead+ethernet)
		var shares []float64
		for range b.pairs {
			v, err := b.probe(ctx, b.path(name, false), "tcp-stream", "goodput")
			if err != nil {
				return err
			}
			shares = append(shares, v/expected)
		}
		s := stats.Summarize(shares)
		fmt.Fprintf(b.out, "  %-18s %.4f [%.4f, %.4f]\n", name, s.Median, s.CI.Low, s.CI.High)
		if err := n.SetWire(results.WireNone); err != nil {
			return err
		}
	}
	return nil
}

// workerMemory prints the largest resident memory of a worker after all measurements.
func (b *bench) workerMemory() error {
	most := 0
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		return err
	}
	for _, path := range lines {
		text, _ := os.ReadFile(path)
		if !strings.HasSuffix(string(text), "\x00worker\x00") {
			continue
		}
		statm, err := os.ReadFile(filepath.Join(filepath.Dir(path), "statm"))
		if err != nil {
			continue
		}
		if fields := strings.Fields(string(statm)); len(fields) > 1 {
			pages, _ := strconv.Atoi(fields[1])
			most = max(most, pages*os.Getpagesize())
		}
	}
	fmt.Fprintf(b.out, "\nresident memory of the largest worker: %.1f MB, goal ≤ 25\n", float64(most)/1e6)
	return nil
}
