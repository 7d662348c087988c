package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/plugins"
)

// nicName is the name of every node's underlay interface.
const nicName = "eth0"

// binDir is where a node sees the programs in bin/. It is below /run, which is
// private to every node.
const binDir = "/run/cnibench/bin"

// ownDirs lists the directories that are private to every node: empty at first,
// and in memory. Agents keep their state there and would otherwise find each
// other's.
var ownDirs = []string{"/run", "/var/lib", "/var/log", "/tmp"}

// node is a machine in a lab network: a network, mount and UTS namespace connected
// to the fabric, and the programs that run in them.
type node struct {
	*space
	addr   netip.Prefix
	logDir string
	agents []*agent
	fail   context.CancelCauseFunc // marks the network as failed
	report func(exit agentExit)
}

var _ plugins.Node = (*node)(nil)

// newNode creates a node that is not connected to any network yet.
func newNode(name string, bin string) (*node, error) {
	s, err := newSpace(name, unix.CLONE_NEWNET|unix.CLONE_NEWNS|unix.CLONE_NEWUTS, func() error {
		if err := unix.Sethostname([]byte(name)); err != nil {
			return fmt.Errorf("setting the host name: %w", err)
		}
		if err := mountNode(bin); err != nil {
			return err
		}
		return setSysctls(map[string]string{
			"net/ipv4/ip_forward": "1",
			// No reverse path filter: only the plugin may decide a packet's path,
			// not the distribution's default.
			"net/ipv4/conf/all/rp_filter":     "0",
			"net/ipv4/conf/default/rp_filter": "0",
		})
	})
	if err != nil {
		return nil, err
	}
	return &node{space: s}, nil
}

// mountNode mounts a node's private directories in the calling thread's mount
// namespace, and bin/ where they do not cover it.
func mountNode(bin string) error {
	// Opened first, because bin/ may be below a directory that gets covered.
	source, err := os.Open(bin)
	if err != nil {
		return fmt.Errorf("opening the directory of programs: %w (make tools builds it)", err)
	}
	defer source.Close()
	for _, dir := range ownDirs {
		if err := unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755"); err != nil {
			return fmt.Errorf("mounting a private %s: %w", dir, err)
		}
	}
	for _, dir := range []string{binDir, "/run/netns", "/run/lock"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("creating %s: %w", dir, err)
		}
	}
	if err := unix.Mount(fmt.Sprintf("/proc/thread-self/fd/%d", source.Fd()), binDir, "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mounting the directory of programs: %w", err)
	}
	return nil
}

// setSysctls sets sysctls of the calling thread's network namespace.
func setSysctls(values map[string]string) error {
	for key, value := range values {
		if err := os.WriteFile(filepath.Join("/proc/sys", key), []byte(value), 0); err != nil {
			return fmt.Errorf("setting sysctl %s: %w", key, err)
		}
	}
	return nil
}

// Name returns the node's host name.
func (n *node) Name() string { return n.name }

// Addr returns the node's address on the underlay.
func (n *node) Addr() netip.Prefix { return n.addr }

// NIC returns the name of the underlay interface.
func (n *node) NIC() string { return nicName }

// Bin returns the path under which the node sees a program in bin/.
func (n *node) Bin(name string) string { return filepath.Join(binDir, name) }

// pod is a network namespace on a node that the plugin connects. For the host
// baseline it is the node itself.
type pod struct {
	*space
	id   string // CNI container ID
	addr netip.Addr
	node *node
	list []byte // CNI configuration with which it was added
}

// path returns where the node's CNI plugins find the pod's namespace.
func (p *pod) path() string { return filepath.Join("/run/netns", p.id) }

// newPod creates an empty network namespace and binds it below the node's /run,
// where its CNI plugins look for it.
func newPod(n *node, id string) (*pod, error) {
	s, err := newSpace(id, unix.CLONE_NEWNET, nil)
	if err != nil {
		return nil, err
	}
	p := &pod{space: s, id: id, node: n}
	err = n.Do(func() error {
		if err := os.WriteFile(p.path(), nil, 0o444); err != nil {
			return err
		}
		return unix.Mount(fmt.Sprintf("/proc/self/fd/%d", s.net.Fd()), p.path(), "", unix.MS_BIND, "")
	})
	if err != nil {
		s.close()
		return nil, fmt.Errorf("binding the namespace of pod %s: %w", id, err)
	}
	return p, nil
}

// remove unmounts the pod's namespace from the node and closes it.
func (p *pod) remove() {
	p.node.Do(func() error {
		return errors.Join(unix.Unmount(p.path(), unix.MNT_DETACH), os.Remove(p.path()))
	})
	p.close()
}

// setUp sets the MTU and address of an interface of the node, brings it up, and
// returns its MAC.
func (n *node) setUp(nic string, mtu int, addr netip.Prefix) (net.HardwareAddr, error) {
	link, err := n.nl.LinkByName(nic)
	if err != nil {
		return nil, fmt.Errorf("finding %s of %s: %w", nic, n.name, err)
	}
	if err := n.nl.LinkSetMTU(link, mtu); err != nil {
		return nil, fmt.Errorf("setting the MTU of %s: %w", n.name, err)
	}
	// An additional interface with a subnet route would take part in the node's
	// routing before the plugin says so.
	own := addr
	if nic != nicName {
		own = single(addr.Addr())
	}
	if err := n.nl.AddrAdd(link, &netlink.Addr{IPNet: ipNet(own)}); err != nil {
		return nil, fmt.Errorf("assigning the address of %s: %w", n.name, err)
	}
	if err := n.nl.LinkSetUp(link); err != nil {
		return nil, fmt.Errorf("bringing up %s of %s: %w", nic, n.name, err)
	}
	return link.Attrs().HardwareAddr, nil
}

// attach connects a node to the fabric and adds its default route. Calico's pods
// send ARP requests for a next hop, which the node answers (proxy ARP) only if it
// has a default route.
func (n *node) attach(f *fabric, subnet, number int) (*port, error) {
	n.addr = host(f.subnets[subnet], number)
	if !f.subnets[subnet].Contains(n.addr.Addr()) {
		return nil, fmt.Errorf("connecting %s: the subnet %s has no address left for another machine", n.name, f.subnets[subnet])
	}
	p, err := f.plug(n, nicName, subnet, n.addr)
	if err != nil {
		return nil, err
	}
	if err := n.nl.RouteAdd(&netlink.Route{Gw: f.gateway(subnet).Addr().AsSlice()}); err != nil {
		return nil, fmt.Errorf("adding the default route of %s: %w", n.name, err)
	}
	return p, nil
}
