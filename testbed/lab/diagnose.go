package lab

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/words"
)

// pathWithin bounds the wait for the first packet once the agents are ready
// and the pods are there. Real agents need well under a second from there.
const pathWithin = 6 * time.Second

// pathAfter bounds each further wait once one direction is not open: the agents
// have had their time.
const pathAfter = 500 * time.Millisecond

// awaitPath waits for the first packet between the client's pod and that of
// every other node, both ways: that the network works is said of all of them.
// When none comes, the error names the direction, and the cause that the fabric
// and the agents' logs give evidence of.
func (n *network) awaitPath(ctx context.Context) error {
	var unreached error
	for i := range n.pods[1:] {
		for _, direction := range [][2]int{{0, i + 1}, {i + 1, 0}} {
			limit := pathWithin
			if unreached != nil {
				limit = pathAfter
			}
			err := n.awaitDirection(ctx, direction[0], direction[1], limit*time.Duration(n.slower))
			switch {
			case err == nil:
			case !errors.As(err, new(*unreachedError)):
				return err
			case unreached == nil:
				unreached = err
			default:
				unreached = fmt.Errorf("%w; %w", unreached, err)
			}
		}
	}
	return unreached
}

// awaitDirection waits for the first packet from one node's pod to another's.
func (n *network) awaitDirection(ctx context.Context, from, to int, limit time.Duration) error {
	before, err := n.fabric.drops()
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeoutCause(ctx, limit, notWithin(limit))
	defer cancel()
	err = firstPacket(limited, n.pods[from], n.pods[to])
	if err == nil || ctx.Err() != nil || n.ctx.Err() != nil {
		return err
	}
	after, dropsErr := n.fabric.drops()
	return &unreachedError{cause: n.cause(n.nodes[from], n.nodes[to], probes.NewDrops(before, after)), err: errors.Join(err, dropsErr)}
}

// unreachedError is a network whose agents run and whose pods have addresses,
// but cannot reach each other.
type unreachedError struct {
	cause words.Text // empty if there is no evidence of any
	err   error
}

func (e *unreachedError) Error() string { return e.Words().String() }

// Words is the cause, and what was waited for.
func (e *unreachedError) Words() words.Text { return words.Clauses(e.cause, words.OfError(e.err)) }

func (e *unreachedError) Unwrap() error { return e.err }

// cause says why packets from a pod on one node do not reach a pod on another:
// what the fabric dropped meanwhile, and what the agents were refused.
func (n *network) cause(from, to *node, drops []probes.Drop) words.Text {
	var parts []words.Text
	if !from.addr.Masked().Contains(to.addr.Addr()) && n.fabric.topology.Kind == testbed.Routed && len(drops) > 0 {
		parts = append(parts, words.NextHopNotOn.With(to.name, to.addr.Addr(), n.fabric.gateway(n.fabric.topology.SubnetOf(0)).Addr()))
	}
	for _, d := range drops {
		parts = append(parts, d.Text())
	}
	if n.plugin.Encapsulation.SubnetsOnly && n.fabric.topology.Kind == testbed.VPC && from.addr.Masked().Contains(to.addr.Addr()) {
		parts = append(parts, words.MistakeInVPCThis)
	}
	if line := refusal(n.nodes); !line.Empty() {
		parts = append(parts, line)
	}
	return words.Clauses(parts...)
}

// refusals are the kernel's words for a next hop that no interface leads to
// (ENETUNREACH, fib_check_nh).
var refusals = []string{"network is unreachable", "invalid gateway"}

// refusal quotes an agent's log where the kernel refused a route; flanneld
// tries for ever and stays alive.
func refusal(nodes []*node) words.Text {
	for _, node := range nodes {
		for _, a := range node.agents {
			f, err := os.Open(node.logPath(a.Name))
			if err != nil {
				continue
			}
			line := refusedLine(bufio.NewScanner(f))
			f.Close()
			if line != "" {
				return words.OnWasRefusedRoute.With(a.Name, node.name, line)
			}
		}
	}
	return words.Text{}
}

func refusedLine(lines *bufio.Scanner) string {
	for lines.Scan() {
		for _, r := range refusals {
			if strings.Contains(lines.Text(), r) {
				return lines.Text()
			}
		}
	}
	return ""
}

// drops counts what the fabric has dropped so far.
func (f *fabric) drops() ([]probes.Drop, error) {
	if f.topology.Kind != testbed.VPC {
		return f.routerDrops()
	}
	unowned := words.NoVPCRouteLeads
	if f.topology.Checked() {
		unowned = words.DroppedBySourceDest
	}
	var drops []probes.Drop
	for _, sink := range []struct {
		device string
		why    words.Text
	}{
		{sinkCheck, words.DroppedBySourceDestCheck},
		{sinkUnowned, unowned},
		{sinkIPIP, words.VPCDropsIPProtocol},
	} {
		link, err := f.nl.LinkByName(sink.device)
		if err != nil {
			continue // this topology drops nothing for that reason
		}
		c := link.Attrs().Statistics
		drops = append(drops, probes.Drop{Where: words.VPC, Why: sink.why, Packets: c.TxPackets + c.TxDropped})
	}
	return drops, nil
}

// routerDrops counts packets for which the router has no route, or that a
// switch's gateway does not forward (RFC 4293: ipSystemStatsInNoRoutes,
// InAddrErrors; proc_pid_net(5), snmp and netstat).
func (f *fabric) routerDrops() ([]probes.Drop, error) {
	var drops []probes.Drop
	err := f.Do(func() error {
		for _, c := range []struct {
			file, group, counter string
			why                  words.Text
		}{
			{"netstat", "IpExt", "InNoRoutes", words.NoRouteToDestination},
			{"snmp", "Ip", "InAddrErrors", words.GatewayForwardsNothing},
		} {
			text, err := os.ReadFile(filepath.Join("/proc/thread-self/net", c.file))
			if err != nil {
				return fmt.Errorf("reading what %s dropped: %w", f.name, err)
			}
			drops = append(drops, probes.Drop{Where: words.Router, Why: c.why, Packets: counter(string(text), c.group, c.counter)})
		}
		return nil
	})
	return drops, err
}

// counter finds a figure in the format of /proc/net/snmp: a line of names and
// a line of values, both beginning with the group; 0 if it is not there.
func counter(text, group, name string) uint64 {
	var names []string
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != group+":" {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		for i := range min(len(names), len(fields)) {
			if names[i] == name {
				v, _ := strconv.ParseUint(fields[i], 10, 64)
				return v
			}
		}
	}
	return 0
}

// notWithin is why a wait ended.
func notWithin(limit time.Duration) error {
	return words.Error(words.Of(words.NotWithin.With(limit), words.Quote(context.DeadlineExceeded.Error())), context.DeadlineExceeded)
}
