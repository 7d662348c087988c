// Package lab is the testbed on this machine: every node, pod, switch and
// router is a set of namespaces, and the plugins' real agents run in them. It
// needs no root, no containers and no Kubernetes, never touches the machine's
// own network or files, and leaves nothing behind however it ends.
//
// [Spawn] runs the program again as the lab's init, PID 1 of namespaces of its
// own; [Enter] is init's side of that; [New] is the testbed inside.
package lab

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"time"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
)

// readyWithin bounds the time from a plugin's start to its first packet. Real
// agents need one to three seconds here; ten times that is a network that will
// not come up.
const readyWithin = 30 * time.Second

// Config says what labs look like.
type Config struct {
	Bin   string // folder of the agents and CNI plugins
	Logs  string // folder for the agents' logs
	Nodes int    // of each network, at least 2
	MTU   int    // of the underlay
	// Event receives what happens to agents; it may be called from any
	// goroutine.
	Event func(results.Event)
	// Versions names the version of every program.
	Versions map[string]string
}

// Lab is the testbed.
type Lab struct {
	config Config
	up     []*network
}

var _ testbed.Testbed = (*Lab)(nil)

// New prepares a lab. It must run in the lab's init.
func New(c Config) (*Lab, error) {
	if c.Nodes < 2 {
		return nil, fmt.Errorf("a lab network needs at least 2 nodes, not %d", c.Nodes)
	}
	cniEnvironment()
	return &Lab{config: c}, nil
}

// Up brings a plugin's network up; see [testbed.Testbed].
func (l *Lab) Up(ctx context.Context, p *plugins.Plugin, instance, topology string) (testbed.Network, error) {
	if cause := Unsupported(p.Features); cause != "" {
		return nil, &testbed.UnsupportedError{Cause: cause}
	}
	name := instance + "-" + topology
	n := &network{plugin: p, name: name}
	n.ctx, n.fail = context.WithCancelCause(context.Background())
	n.facts = results.Network{Plugin: instance, Topology: topology, Status: results.StatusOK,
		Fidelity: string(p.Fidelity), Kernel: kernelRelease(), Versions: l.versions(p)}
	n.setup = results.Setup{Plugin: instance, Topology: topology}

	ctx, cancel := context.WithTimeoutCause(ctx, readyWithin, fmt.Errorf("not ready within %s: %w", readyWithin, context.DeadlineExceeded))
	defer cancel()
	err := l.build(n, topology)
	if err == nil {
		err = n.deploy(ctx)
	}
	if err != nil {
		n.release()
		return nil, err
	}
	l.up = append(l.up, n)
	return n, nil
}

// build makes the fabric and the nodes on it.
func (l *Lab) build(n *network, topology string) error {
	if topology != "l2" {
		return fmt.Errorf("the lab has no topology %q", topology)
	}
	gateway := host(underlay, gatewayHost)
	sw, err := newSwitch(n.name+"-switch", l.config.MTU, gateway)
	if err != nil {
		return err
	}
	n.spaces = append(n.spaces, sw)
	attach := func(name string, number int) (*node, error) {
		node, err := newNode(name, l.config.Bin)
		if err != nil {
			return nil, err
		}
		n.spaces = append(n.spaces, node.space)
		node.logDir = filepath.Join(l.config.Logs, n.name)
		node.fail = n.fail
		node.report = func(exit agentExit) { l.agentExited(n, exit) }
		port := "port" + strconv.Itoa(number)
		if err := node.attach(sw, port, host(underlay, number), gateway.Addr()); err != nil {
			return nil, err
		}
		return node, n.addLink(sw, port, node)
	}
	if !n.plugin.HostNetwork() {
		if n.control, err = attach("control", controlHost); err != nil {
			return err
		}
	}
	for i := range l.config.Nodes {
		node, err := attach("node"+strconv.Itoa(i+1), firstNode+i)
		if err != nil {
			return err
		}
		n.nodes = append(n.nodes, node)
	}
	return nil
}

// addLink notes both ends of a node's link; the node's end is shaped.
func (n *network) addLink(sw *space, port string, node *node) error {
	for _, end := range []struct {
		space  *space
		name   string
		shaped bool
	}{{node.space, nicName, true}, {sw, port, false}} {
		l, err := newLink(end.space, end.name, end.shaped)
		if err != nil {
			return err
		}
		n.links = append(n.links, l)
	}
	return nil
}

func (l *Lab) agentExited(n *network, exit agentExit) {
	text := fmt.Sprintf("%s on %s exited (%v) and was started again", exit.agent, exit.node, exit.err)
	if exit.final {
		text = fmt.Sprintf("%s on %s exited (%v) for good", exit.agent, exit.node, exit.err)
	}
	l.config.Event(results.Event{Name: results.EventAgentExit, Plugin: n.facts.Plugin, Topology: n.facts.Topology, Text: text})
}

// versions picks those of the plugin's own programs.
func (l *Lab) versions(p *plugins.Plugin) map[string]string {
	versions := map[string]string{}
	for _, program := range append(append([]string{}, p.Binaries...), p.System...) {
		if v, ok := l.config.Versions[program]; ok {
			versions[program] = v
		}
	}
	return versions
}

// Close takes down every network without asking its plugin; the end of the
// lab's init removes all that is left.
func (l *Lab) Close() error {
	for _, n := range l.up {
		for _, w := range n.workers {
			w.stop()
		}
		n.release()
	}
	l.up = nil
	return nil
}
