package load

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/worker"
)

// count is what an interface has received since it was created.
type count struct {
	bytes, packets, drops uint64
}

// counts are the counts of several interfaces, by name.
type counts map[string]count

// since returns what all interfaces together have received between two readings.
// An interface whose counters have decreased was recreated in between; it counts
// from 0, as does an interface that did not exist before.
func (c counts) since(before counts) count {
	var sum count
	for name, is := range c {
		was := before[name]
		if is.bytes < was.bytes || is.packets < was.packets || is.drops < was.drops {
			was = count{}
		}
		sum.bytes += is.bytes - was.bytes
		sum.packets += is.packets - was.packets
		sum.drops += is.drops - was.drops
	}
	return sum
}

// readCounters is a role that returns /proc/net/dev as the worker sees it.
func readCounters(context.Context, *worker.Request) (any, error) {
	// The thread is in the network namespace of the process.
	text, err := os.ReadFile("/proc/thread-self/net/dev")
	if err != nil {
		return nil, fmt.Errorf("reading the interfaces' counters: %w", err)
	}
	return string(text), nil
}

// wireCount reads what an interface in a worker's network namespace has received.
// "" stands for all interfaces except loopback.
func wireCount(ctx context.Context, w *worker.Worker, nic string) (counts, error) {
	call, err := w.Start(ctx, "tcp-stream/counters", nil)
	if err != nil {
		return nil, err
	}
	var text string
	if err := call.Wait(ctx, &text); err != nil {
		return nil, err
	}
	return parseNetDev([]byte(text), nic)
}

// streamCount holds the counters that a stream to the server's pod advances outside
// of its two ends.
type streamCount struct {
	wire   counts // of the node's NIC; nil if the node has no worker
	pod    counts // of the pod's interfaces; nil for the baseline, which has no pods
	agents time.Duration
}

func countStream(ctx context.Context, s *probes.Site) (*streamCount, error) {
	var c streamCount
	if s.AgentTime != nil {
		c.agents = s.AgentTime()
	}
	e := s.Server
	if e.Node == nil || e.NIC == "" {
		return &c, nil
	}
	wire, err := wireCount(ctx, e.Node, e.NIC)
	if err != nil {
		return nil, err
	}
	c.wire = wire
	if e.Addr != e.NodeAddr {
		pod, err := wireCount(ctx, e.Worker, "")
		if err != nil {
			return nil, err
		}
		c.pod = pod
	}
	return &c, nil
}

// since adds what happened since an earlier state to a sample's values. It divides
// by the gigabytes that arrived since then, including the warm-up, because the
// counters are not limited to the sample's window.
func (c *streamCount) since(before *streamCount, values map[string]float64) {
	if c.wire == nil {
		return
	}
	wire := c.wire.since(before.wire)
	if wire.bytes == 0 {
		return
	}
	gigabytes := float64(wire.bytes) / 1e9
	values["packets"] = float64(wire.packets) / gigabytes
	values["drops"] = float64(wire.drops)
	if c.pod != nil {
		pod := c.pod.since(before.pod)
		values["segments"] = float64(pod.packets) / gigabytes
		values["drops"] += float64(pod.drops)
		values["agents"] = (c.agents - before.agents).Seconds() / gigabytes
	}
}

// parseNetDev reads the receive counters in /proc/net/dev (proc_pid_net(5)), which
// are bytes, packets, errors and drops.
func parseNetDev(text []byte, nic string) (counts, error) {
	all := counts{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, rest, ok := strings.Cut(lines.Text(), ":")
		name = strings.TrimSpace(name)
		if !ok || name != nic && (nic != "" || name == "lo") {
			continue
		}
		fields := strings.Fields(rest)
		if len(fields) < 4 {
			return nil, fmt.Errorf("reading the counters of %s: the line has %d figures", name, len(fields))
		}
		var figures [3]uint64
		for i, field := range []string{fields[0], fields[1], fields[3]} {
			var err error
			if figures[i], err = strconv.ParseUint(field, 10, 64); err != nil {
				return nil, fmt.Errorf("reading the counters of %s: %w", name, err)
			}
		}
		all[name] = count{figures[0], figures[1], figures[2]}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("reading /proc/net/dev: there is no interface %s", nic)
	}
	return all, nil
}
