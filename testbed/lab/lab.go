// Package lab is the testbed on this machine. Every node, pod, switch and router
// is a set of namespaces in which the plugins' real agents run. The lab needs
// neither root nor containers nor Kubernetes, never changes the machine's own
// network or files, and leaves nothing behind however it ends.
//
// [Spawn] runs the program again as the lab's init, PID 1 of new namespaces.
// There, init calls [Enter] to set them up and [New] to create the testbed.
package lab

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/words"
)

// readyWithin bounds the time from a plugin's start to its first packet. Real
// agents need one to three seconds here; a network that takes ten times as long
// will not come up.
const readyWithin = 30 * time.Second

// readyEach is the additional time for each node beyond the second. An agent and a CNI
// ADD take a fifth of it.
const readyEach = time.Second

// Config describes a lab.
type Config struct {
	Bin   string // directory of the agents and CNI plugins
	Logs  string // directory for the agents' logs
	Nodes int    // of each network, at least 2
	MTU   int    // of the underlay
	Link  results.Link
	// Event receives the agents' events. It may be called from any goroutine.
	Event func(results.Event)
	// Guest says that the lab runs in a kernel of its own, see [Boot].
	Guest bool
	// Hint is the command that installs another kernel, which may have the
	// features that this one lacks; "" if there is none to install.
	Hint string
	// Versions maps the name of every program to its version.
	Versions map[string]string
}

// Lab is the testbed.
type Lab struct {
	config Config
	up     []*network
	before map[string]int // how often a network has been brought up, by name
}

var (
	_ testbed.Testbed = (*Lab)(nil)
	_ testbed.Kernel  = (*Lab)(nil)
	_ testbed.Finder  = (*network)(nil)
)

// New prepares a lab. It must run in the lab's init.
func New(c Config) (*Lab, error) {
	if c.Nodes < 2 {
		return nil, fmt.Errorf("a lab network needs at least 2 nodes, not %d", c.Nodes)
	}
	cniEnvironment()
	return &Lab{config: c, before: map[string]int{}}, nil
}

// Up brings up a plugin's network; see [testbed.Testbed].
func (l *Lab) Up(ctx context.Context, p *plugins.Plugin, instance, topology string) (testbed.Network, error) {
	shape, err := testbed.ParseTopology(topology)
	if err != nil {
		return nil, err
	}
	if p.NeedsVPC && shape.Kind != testbed.VPC {
		return nil, &testbed.UnsupportedError{Cause: words.NeedsVPC.With(topology)}
	}
	if cause := Unsupported(Needs(p, l.config.Link)); !cause.Empty() {
		lacks := l.Lacks(p)
		if lacks != "" && !l.config.Guest {
			cause = words.Aside(cause, Remedy(lacks))
		}
		if lacks != "" && l.config.Hint != "" {
			cause = words.Clauses(cause, words.UMLMayHave.With(l.config.Hint))
		}
		return nil, &testbed.UnsupportedError{Cause: cause, Lacks: lacks}
	}
	l.up = slices.DeleteFunc(l.up, func(n *network) bool { return n.gone() })
	name := instance + "-" + topology
	n := &network{plugin: p, name: name, before: l.before[name], slower: l.Slower(), impairment: l.config.Link}
	l.before[name]++
	n.ctx, n.fail = context.WithCancelCause(context.Background())
	n.facts = results.Network{Plugin: instance, Topology: results.On(topology), Status: results.StatusOK,
		Fidelity: string(p.Fidelity), Kernel: l.kernel(), Versions: l.versions(p)}
	n.setup = results.Setup{Plugin: instance, Topology: results.On(topology)}

	limit := l.readyLimit()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not ready within %s: %w", limit, context.DeadlineExceeded))
	defer cancel()
	err = l.build(n, shape)
	if err == nil {
		err = n.deploy(ctx)
	}
	if err != nil && !errors.As(err, new(*unreachedError)) {
		return nil, errors.Join(err, n.release())
	}
	l.up = append(l.up, n)
	if err != nil {
		n.facts.Status, n.facts.Cause = results.StatusFailed, words.OfError(err)
		return n, err
	}
	return n, nil
}

// kernel returns the record's name for the nodes' kernel.
func (l *Lab) kernel() string {
	if l.config.Guest {
		return GuestName()
	}
	return kernelRelease()
}

// Slower returns the factor by which time limits are longer in User-Mode Linux.
func (l *Lab) Slower() int {
	if l.config.Guest {
		return guestSlower
	}
	return 1
}

// readyLimit bounds the start of the next network. In a guest, all networks that
// are up share its one CPU.
func (l *Lab) readyLimit() time.Duration {
	limit := (readyWithin + time.Duration(l.config.Nodes-2)*readyEach) * time.Duration(l.Slower())
	if l.config.Guest {
		limit += readyWithin * time.Duration(len(l.up))
	}
	return limit
}

// build creates the fabric and the nodes on it.
func (l *Lab) build(n *network, topology testbed.Topology) (err error) {
	if n.fabric, err = newFabric(n.name+"-fabric", topology, l.config.MTU); err != nil {
		return err
	}
	n.spaces = append(n.spaces, n.fabric.space)
	attach := func(name string, subnet, number int) (*node, error) {
		node, err := newNode(name, l.config.Bin)
		if err != nil {
			return nil, err
		}
		n.spaces = append(n.spaces, node.space)
		node.logDir = filepath.Join(l.config.Logs, n.logName())
		node.fail = n.fail
		node.report = func(exit agentExit) { l.agentExited(n, exit) }
		p, err := node.attach(n.fabric, subnet, number)
		if err != nil {
			return nil, err
		}
		return node, n.addLink(p)
	}
	if n.outside, err = attach("outside", len(n.fabric.subnets)-1, outsideHost); err != nil {
		return err
	}
	if !n.plugin.HostNetwork() {
		if n.control, err = attach("control", 0, controlHost); err != nil {
			return err
		}
	}
	first := firstHost(n.before, l.config.Nodes)
	for i := range l.config.Nodes {
		node, err := attach("node"+strconv.Itoa(i+1), topology.SubnetOf(i), first+i)
		if err != nil {
			return err
		}
		n.nodes = append(n.nodes, node)
	}
	return n.knowNeighbours()
}

// firstHost returns the host number of a network's first node. A network that is brought up again
// gets other addresses than the times before, until they run out: what depends on an address, such
// as the hash that chooses a queue, should differ between deployments.
func firstHost(before, nodes int) int {
	return firstNode + before%((lastNode-firstNode+1)/nodes)*nodes
}

// addLink records both ends of an interface's link. The rate limit of a node's own
// NIC applies at the node's end. The rate limit of an interface that the cloud
// adds applies at the fabric's end, because a plugin may move the other end into
// a pod.
func (n *network) addLink(p *port) error {
	own := p.nic == nicName
	machine, err := newLink(p.owner.space, p.nic, true, own)
	if err != nil {
		return err
	}
	other, err := newLink(n.fabric.space, p.name, false, !own)
	if err != nil {
		return err
	}
	n.links = append(n.links, machine, other)
	return nil
}

func (l *Lab) agentExited(n *network, exit agentExit) {
	text := words.AgentRestartedAgain.With(exit.agent, exit.node, exit.err)
	if exit.final {
		text = words.AgentExitedForGood.With(exit.agent, exit.node, exit.err)
	}
	l.config.Event(results.Event{Name: results.EventAgentExit, Plugin: n.facts.Plugin, Topology: n.facts.Topology, Text: text})
}

// versions returns the versions of the programs that the plugin uses.
func (l *Lab) versions(p *plugins.Plugin) map[string]string {
	versions := map[string]string{}
	for _, program := range append(append([]string{}, p.Binaries...), p.System...) {
		if v, ok := l.config.Versions[program]; ok {
			versions[program] = v
		}
	}
	return versions
}

// Close takes down every network without involving its plugin. When the lab's init
// ends, everything else is removed.
func (l *Lab) Close() error {
	var err error
	for _, n := range l.up {
		for _, w := range n.workers {
			err = errors.Join(err, w.stop())
		}
		err = errors.Join(err, n.release())
	}
	l.up = nil
	return err
}

// StartIn starts a program in one of the two measured pods (0 is the client's, 1
// the server's), with the mounts of the lab's init. It serves comparisons with
// other tools.
func (l *Lab) StartIn(n testbed.Network, end int, cmd *exec.Cmd) error {
	p := n.(*network).pods[end]
	// In a scheduling group of its own, like the workers.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return (&space{name: p.name, net: p.net}).Do(cmd.Start)
}
