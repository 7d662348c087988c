package probes

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
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

// wireCount reads what the underlay NIC of an end has received. A site without
// a worker on the node has no such count, and none is told.
func wireCount(ctx context.Context, e End) (count, error) {
	if e.Node == nil || e.NIC == "" {
		return count{}, nil
	}
	call, err := e.Node.Start(ctx, counterRole, nil)
	if err != nil {
		return count{}, err
	}
	var text string
	if err := call.Wait(ctx, &text); err != nil {
		return count{}, err
	}
	return parseNetDev([]byte(text), e.NIC)
}

// parseNetDev finds an interface's receive counters in /proc/net/dev
// (proc_pid_net(5)): bytes, packets, errors, drops.
func parseNetDev(text []byte, nic string) (count, error) {
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, rest, ok := strings.Cut(lines.Text(), ":")
		if !ok || strings.TrimSpace(name) != nic {
			continue
		}
		fields := strings.Fields(rest)
		if len(fields) < 4 {
			return count{}, fmt.Errorf("reading the counters of %s: the line has %d figures", nic, len(fields))
		}
		var c count
		var errs [3]error
		c.bytes, errs[0] = strconv.ParseUint(fields[0], 10, 64)
		c.packets, errs[1] = strconv.ParseUint(fields[1], 10, 64)
		c.drops, errs[2] = strconv.ParseUint(fields[3], 10, 64)
		if err := errors.Join(errs[:]...); err != nil {
			return count{}, fmt.Errorf("reading the counters of %s: %w", nic, err)
		}
		return c, nil
	}
	return count{}, fmt.Errorf("reading counters: there is no interface %s", nic)
}
