package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
)

// network is one plugin on a fabric of its own, with a pod on each node.
type network struct {
	plugin *plugins.Plugin
	name   string
	before int // how often the network had been brought up before
	slower int // factor compared to the machine's own kernel, at least 1
	fabric *fabric
	links  []*link
	// impairment is the delay and loss of the links while samples are taken.
	impairment results.Link
	spaces     []*space
	control    *node
	outside    *node // not a node of the cluster
	nodes      []*node
	pods       []*pod
	workers    []*workerProcess
	ends       [2]probes.End
	around     *probes.Surroundings // nil until it is asked for
	found      []probes.Finding

	deployment *plugins.Deployment
	added      int // pods added for samples so far
	facts      results.Network
	setup      results.Setup

	ctx  context.Context // ends when the network can no longer be used
	fail context.CancelCauseFunc
}

// deploy deploys the plugin on the nodes, adds the pods and waits for the first
// packets between them. It measures how long that takes.
func (n *network) deploy(ctx context.Context) error {
	ctx, cancel := n.bound(ctx)
	defer cancel()
	start := time.Now()
	if n.plugin.HostNetwork() {
		for _, node := range n.nodes {
			n.pods = append(n.pods, &pod{space: node.space, id: node.name, addr: node.addr.Addr(), node: node})
		}
	} else if err := n.deployPlugin(ctx); err != nil {
		return n.because(ctx, err)
	}
	unreached := n.awaitPath(ctx)
	n.setup.NetworkReadyMS = float64(time.Since(start).Microseconds()) / 1000
	if unreached != nil && !errors.As(unreached, new(*unreachedError)) {
		return n.because(ctx, unreached)
	}
	n.facts.PodMTU = (&link{space: n.pods[0].space, name: podIfName}).mtu()
	n.setup.Agents, n.setup.AgentRSSBytes = countAgents(n.machines())
	if unreached == nil && n.slower > 1 {
		if err := settle(ctx, n.AgentTime); err != nil {
			return n.because(ctx, err)
		}
	}
	return n.because(ctx, errors.Join(unreached, n.startWorkers()))
}

// The agents have settled when they use less than the fraction settled of a CPU
// over settleWindow. On a machine with several CPUs, their work after the first
// packet is done before anything is measured. On one CPU, where every system call
// is intercepted, it takes seconds, in which probes get too little time. After
// settleMost, agents that have not settled are measured with their load.
const (
	settled      = 0.2
	settleWindow = time.Second
	settleMost   = 10 * time.Second
)

// settle waits until the agents have settled. agentTime returns the CPU time that
// they have used so far.
func settle(ctx context.Context, agentTime func() time.Duration) error {
	begin, before := time.Now(), agentTime()
	for time.Since(begin) < settleMost {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(settleWindow):
		}
		now := agentTime()
		if (now - before).Seconds() < settled*settleWindow.Seconds() {
			return nil
		}
		before = now
	}
	return nil
}

func (n *network) deployPlugin(ctx context.Context) error {
	on := plugins.Network{Name: n.name, PodCIDR: podCIDR, MTU: n.links[0].mtu(), Control: n.control}
	for _, node := range n.nodes {
		on.Nodes = append(on.Nodes, node)
	}
	if n.fabric.topology.Kind == testbed.VPC {
		on.Cloud = cloud{n}
	}
	deployment, err := n.plugin.Deploy(ctx, on)
	if err != nil {
		return err
	}
	n.deployment = deployment
	return n.addPods(ctx)
}

// addPods adds one pod on each node, one after the other, so that each ADD's time
// is its own. Besides, Calico's first ADD creates a profile, which two at once
// would both try to create.
func (n *network) addPods(ctx context.Context) error {
	for i, node := range n.nodes {
		p, err := newPod(node, "pod"+strconv.Itoa(i+1))
		if err != nil {
			return err
		}
		n.pods = append(n.pods, p)
		took, err := p.cniAdd(ctx, n.deployment)
		if err != nil {
			return err
		}
		n.setup.CNIAddMS = append(n.setup.CNIAddMS, float64(took.Microseconds())/1000)
	}
	return nil
}

// each calls f for all items concurrently and joins the errors.
func each[T any](items []T, f func(i int, item T) error) error {
	errs := make([]error, len(items))
	var wg sync.WaitGroup
	for i, item := range items {
		wg.Go(func() { errs[i] = f(i, item) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// bound returns a context that also ends when the network can no longer be used.
func (n *network) bound(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(n.ctx, func() { cancel(context.Cause(n.ctx)) })
	return ctx, func() { stop(); cancel(nil) }
}

// because returns why the network ended, if it did, in place of the error that a
// step returned as a consequence.
func (n *network) because(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if n.ctx.Err() != nil {
		return context.Cause(n.ctx)
	}
	if ctx.Err() != nil && errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return fmt.Errorf("%w%s", err, agentTails(n.machines()))
	}
	return err
}

// agentTails quotes the last lines of the agents' logs, for a network that did not
// become ready although no agent exited.
func agentTails(nodes []*node) string {
	var b strings.Builder
	for _, node := range nodes {
		for _, a := range node.agents {
			if tail := lastLines(node.logPath(a.Name)); tail != "" {
				fmt.Fprintf(&b, "; %s on %s%s", a.Name, node.name, strings.TrimPrefix(tail, ";"))
			}
		}
	}
	return b.String()
}

// machines returns all nodes, including the control host.
func (n *network) machines() []*node {
	if n.control == nil {
		return n.nodes
	}
	return append([]*node{n.control}, n.nodes...)
}

// countAgents counts the agents and adds up their resident memory (VmRSS,
// proc(5)).
func countAgents(nodes []*node) (agents int, residentMemory int64) {
	for _, node := range nodes {
		for _, a := range node.agents {
			agents++
			residentMemory += residentBytes(a.pid())
		}
	}
	return agents, residentMemory
}

func residentBytes(pid int) int64 {
	statm, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "statm"))
	if err != nil {
		return 0 // it has just ended; supervise reports that
	}
	var size, resident int64
	if _, err := fmt.Sscan(string(statm), &size, &resident); err != nil {
		return 0
	}
	return resident * int64(os.Getpagesize())
}

// Ends returns the pods on the first two nodes.
func (n *network) Ends() (client, server probes.End) { return n.ends[0], n.ends[1] }

// Facts describes the network.
func (n *network) Facts() (results.Network, results.Setup) { return n.facts, n.setup }

// Err returns the cause once an agent has failed for good.
func (n *network) Err() error {
	if n.ctx.Err() == nil {
		return nil
	}
	return context.Cause(n.ctx)
}

// SetWire limits the rate of every underlay link. From the first call on, it also
// applies the delay and loss that the run asks for.
func (n *network) SetWire(wire string) error {
	for _, l := range n.links {
		if err := l.setWire(wire, n.impairment); err != nil {
			return err
		}
	}
	return nil
}

// Down stops the workers and removes the pods through their plugin, as the kubelet
// would, then stops the agents and closes the namespaces. Each step has a time
// limit; the error names the steps that exceeded it.
func (n *network) Down(ctx context.Context) error {
	var err error
	for _, w := range n.workers {
		err = errors.Join(err, w.stop())
	}
	if n.deployment != nil && n.Err() == nil {
		err = errors.Join(err, each(n.pods, func(_ int, p *pod) error { return n.giveBack(ctx, p) }))
	}
	return errors.Join(err, n.release())
}

// delWithin bounds one CNI DEL on the machine's own kernel, where it takes about a
// tenth of a second.
const delWithin = 10 * time.Second

// giveBack removes a pod through the plugin within delWithin. A pod whose ADD
// failed may already hold an address, so it is removed too, as container runtimes
// do. A pod without an ADD holds nothing.
func (n *network) giveBack(ctx context.Context, p *pod) error {
	if p.list == nil {
		return nil
	}
	limit := delWithin * time.Duration(n.slower)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, testbed.NotWithin(limit))
	defer cancel()
	return p.cniDel(ctx, n.deployment)
}

// release stops the agents and closes the namespaces. The error names the agents
// that did not stop.
func (n *network) release() error {
	var err error
	for _, node := range n.machines() {
		for _, a := range node.agents {
			err = errors.Join(err, a.stop())
		}
	}
	for _, p := range n.pods {
		if p.space != p.node.space {
			p.close()
		}
	}
	for _, s := range n.spaces {
		s.close()
	}
	n.spaces = nil
	n.fail(errors.New("the network has been taken down"))
	return err
}

// gone reports whether the network was taken down.
func (n *network) gone() bool { return n.spaces == nil }

// logName returns the name of the directory for the network's logs. Each time that it is brought
// up it has its own.
func (n *network) logName() string {
	if n.before == 0 {
		return n.name
	}
	return fmt.Sprintf("%s-%d", n.name, n.before+1)
}

// kernelRelease returns the running kernel's version.
func kernelRelease() string {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(uts.Release[:])
}
