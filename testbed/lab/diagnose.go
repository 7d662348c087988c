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
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/words"
)

// pathWithin bounds the wait for the first packet once the agents are ready and
// the pods exist. Real agents then need well under a second.
const pathWithin = 6 * time.Second

// pathAfter bounds the wait after a direction has failed: the agents have had their
// time. It is divided by the number of directions that have failed.
const pathAfter = 500 * time.Millisecond

// awaitPath waits for the first packet between the client's pod and the pod on
// every other node, in both directions. A network works only if packets arrive in
// both directions between the two measured pods. If they do not, the error names the
// direction, and the cause if the fabric or the agents' logs show one. Other nodes that
// are not reached are a finding: one node does not decide about a network.
func (n *network) awaitPath(ctx context.Context) error {
	var unreached error
	var others []unreachedNode
	failed := 0
	for i := range n.pods[1:] {
		other := unreachedNode{name: n.nodes[i+1].name}
		for _, direction := range [][2]int{{0, i + 1}, {i + 1, 0}} {
			limit := pathWithin
			if failed > 0 {
				limit = pathAfter / time.Duration(failed)
			}
			err := n.awaitDirection(ctx, direction[0], direction[1], limit*time.Duration(n.slower))
			var no *unreachedError
			switch {
			case err == nil:
				continue
			case !errors.As(err, &no):
				return err
			case i > 0:
				other.causes = append(other.causes, no)
			case unreached == nil:
				unreached = err
			default:
				unreached = fmt.Errorf("%w; %w", unreached, err)
			}
			failed++
		}
		if len(other.causes) > 0 {
			others = append(others, other)
		}
	}
	if len(others) > 0 && unreached == nil {
		n.found = append(n.found, foundUnreached(n.nodes[0].name, others))
	}
	return unreached
}

// unreachedNode is a node whose pod is not reached from the client's, or does not reach it.
type unreachedNode struct {
	name   string
	causes []*unreachedError
}

// foundUnreached names the nodes, and quotes the cause of the first.
func foundUnreached(from string, nodes []unreachedNode) probes.Finding {
	var names []string
	for _, n := range nodes {
		names = append(names, n.name)
	}
	return probes.Finding{Name: results.FindingNodeUnreached, Text: words.NodesUnreached.With(from, words.AndNames(names), nodes[0].causes[0])}
}

// Findings returns what became known while the network came up.
func (n *network) Findings() []probes.Finding { return n.found }

// awaitDirection waits for the first packet from one node's pod to another's.
func (n *network) awaitDirection(ctx context.Context, from, to int, limit time.Duration) error {
	before, err := n.fabric.drops()
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeoutCause(ctx, limit, testbed.NotWithin(limit))
	defer cancel()
	err = firstPacket(limited, n.pods[from], n.pods[to])
	if err == nil || ctx.Err() != nil || n.ctx.Err() != nil {
		return err
	}
	after, dropsErr := n.fabric.drops()
	return &unreachedError{cause: n.cause(n.nodes[from], n.nodes[to], probes.NewDrops(before, after)), err: errors.Join(err, dropsErr)}
}

// unreachedError says that the agents of a network run and its pods have
// addresses, but the pods cannot reach each other.
type unreachedError struct {
	cause words.Text // empty if there is no evidence of a cause
	err   error
}

func (e *unreachedError) Error() string { return e.Words().String() }

// Words returns the cause, and what the network waited for.
func (e *unreachedError) Words() words.Text { return words.Clauses(e.cause, words.OfError(e.err)) }

func (e *unreachedError) Unwrap() error { return e.err }

// cause says why packets from a pod on one node do not reach a pod on another. The
// evidence is what the fabric dropped meanwhile, and which routes the agents were
// refused.
func (n *network) cause(from, to *node, drops []probes.Drop) words.Text {
	var parts []words.Text
	if !from.addr.Masked().Contains(to.addr.Addr()) && n.fabric.topology.Kind == testbed.Routed && len(drops) > 0 {
		parts = append(parts, words.NextHopNotOnLink.With(to.name, to.addr.Addr(), n.fabric.gateway(n.fabric.topology.SubnetOf(0)).Addr()))
	}
	for _, d := range drops {
		parts = append(parts, d.Text())
	}
	if n.plugin.Encapsulation.SubnetsOnly && n.fabric.topology.Kind == testbed.VPC && from.addr.Masked().Contains(to.addr.Addr()) {
		parts = append(parts, words.SubnetIsNoL2)
	}
	if line := refusal(n.nodes); !line.Empty() {
		parts = append(parts, line)
	}
	return words.Clauses(parts...)
}

// refusals lists the kernel's messages for a next hop that is on no interface's
// subnet (ENETUNREACH, fib_check_nh).
var refusals = []string{"network is unreachable", "invalid gateway"}

// refusal quotes the line of an agent's log that says that the kernel refused a
// route. flanneld does not exit then but retries forever.
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
				return words.AgentRefusedRoute.With(a.Name, node.name, line)
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
	unowned := words.NoVPCRoute
	if f.topology.Checked() {
		unowned = words.DestinationUnowned
	}
	var drops []probes.Drop
	for _, sink := range []struct {
		device string
		why    words.Text
	}{
		{sinkCheck, words.SourceNotOwn},
		{sinkUnowned, unowned},
		{sinkIPIP, words.VPCDropsIPIP},
	} {
		link, err := f.nl.LinkByName(sink.device)
		if err != nil {
			continue // this topology drops nothing for this reason
		}
		c := link.Attrs().Statistics
		drops = append(drops, probes.Drop{Where: words.VPC, Why: sink.why, Packets: c.TxPackets + c.TxDropped})
	}
	return drops, nil
}

// routerDrops counts packets for which the router has no route, or which the
// gateway of a switch does not forward (RFC 4293: ipSystemStatsInNoRoutes,
// InAddrErrors; proc_pid_net(5), snmp and netstat).
func (f *fabric) routerDrops() ([]probes.Drop, error) {
	var drops []probes.Drop
	err := f.Do(func() error {
		for _, c := range []struct {
			file, group, counter string
			why                  words.Text
		}{
			{"netstat", "IpExt", "InNoRoutes", words.NoRoute},
			{"snmp", "Ip", "InAddrErrors", words.GatewayDoesNotForward},
		} {
			text, err := os.ReadFile(filepath.Join("/proc/thread-self/net", c.file))
			if err != nil {
				return fmt.Errorf("reading the drop counters of %s: %w", f.name, err)
			}
			drops = append(drops, probes.Drop{Where: words.Router, Why: c.why, Packets: counter(string(text), c.group, c.counter)})
		}
		return nil
	})
	return drops, err
}

// counter finds a value in the format of /proc/net/snmp: a line of names and a
// line of values, both beginning with the group. It returns 0 if there is none.
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
