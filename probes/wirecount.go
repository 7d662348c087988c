package probes

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// count is what an interface has received since it exists.
type count struct {
	bytes, packets, drops uint64
}

// counterRole is a role that belongs to no probe: it reads the counters of
// the worker's network namespace.
const counterRole = "wire/counters"

// readCounters returns the content of /proc/net/dev as the worker sees it.
func readCounters(context.Context, *Request) (any, error) {
	// Of the thread's network namespace, which is the process's.
	text, err := os.ReadFile("/proc/thread-self/net/dev")
	if err != nil {
		return nil, fmt.Errorf("reading the interfaces' counters: %w", err)
	}
	return string(text), nil
}

// wireCount reads what an interface of a worker's network namespace has
// received; "" stands for all of them but loopback.
func wireCount(ctx context.Context, w *Worker, nic string) (count, error) {
	call, err := w.Start(ctx, counterRole, nil)
	if err != nil {
		return count{}, err
	}
	var text string
	if err := call.Wait(ctx, &text); err != nil {
		return count{}, err
	}
	return parseNetDev([]byte(text), nic)
}

// streamCount is the state of everything that a stream to the server's pod
// moves on and that is no part of its ends.
type streamCount struct {
	wire   *count // of the node's NIC; nil without a worker on the node
	pod    *count // of the pod's interfaces; nil for the baseline, which has none
	agents time.Duration
}

func countStream(ctx context.Context, s *Site) (*streamCount, error) {
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
	c.wire = &wire
	if e.Addr != e.NodeAddr {
		pod, err := wireCount(ctx, e.Worker, "")
		if err != nil {
			return nil, err
		}
		c.pod = &pod
	}
	return &c, nil
}

// since adds what happened since an earlier state to a sample's values. The
// gigabytes are those that arrived meanwhile, the warm-up's included, because
// the counters know no window.
func (c *streamCount) since(before *streamCount, values map[string]float64) {
	if c.wire == nil {
		return
	}
	bytes := c.wire.bytes - before.wire.bytes
	if bytes == 0 {
		return
	}
	gigabytes := float64(bytes) / 1e9
	values["packets"] = float64(c.wire.packets-before.wire.packets) / gigabytes
	values["drops"] = float64(c.wire.drops - before.wire.drops)
	if c.pod != nil {
		values["segments"] = float64(c.pod.packets-before.pod.packets) / gigabytes
		values["drops"] += float64(c.pod.drops - before.pod.drops)
		values["agents"] = (c.agents - before.agents).Seconds() / gigabytes
	}
}

// parseNetDev adds up receive counters in /proc/net/dev (proc_pid_net(5)):
// bytes, packets, errors, drops.
func parseNetDev(text []byte, nic string) (count, error) {
	var sum count
	found := false
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, rest, ok := strings.Cut(lines.Text(), ":")
		name = strings.TrimSpace(name)
		if !ok || name != nic && (nic != "" || name == "lo") {
			continue
		}
		fields := strings.Fields(rest)
		if len(fields) < 4 {
			return count{}, fmt.Errorf("reading the counters of %s: the line has %d figures", name, len(fields))
		}
		var figures [3]uint64
		for i, field := range []string{fields[0], fields[1], fields[3]} {
			var err error
			if figures[i], err = strconv.ParseUint(field, 10, 64); err != nil {
				return count{}, fmt.Errorf("reading the counters of %s: %w", name, err)
			}
		}
		sum.bytes += figures[0]
		sum.packets += figures[1]
		sum.drops += figures[2]
		found = true
	}
	if !found {
		return count{}, fmt.Errorf("reading counters: there is no interface %s", nic)
	}
	return sum, nil
}
