// Package plugins describes the modes of CNI plugins: their encapsulation, needs
// and sources, and how to deploy them on nodes. Each family of modes has a package
// of its own; package plugins/catalogue lists them all.
package plugins

import (
	"context"
	"net/netip"

	"github.com/cnibench/cnibench/words"
)

// Fidelity says what produced a result.
type Fidelity string

// The values of Fidelity. A reader must never mistake one for another.
const (
	Agent    Fidelity = "agent"    // the plugin's real agents ran
	DataPath Fidelity = "datapath" // its documented data path, built with netlink
	Cluster  Fidelity = "cluster"  // as it runs in the Kubernetes cluster that was measured
)

// Encapsulation describes the outer headers that a mode adds to pods' packets
// between nodes.
type Encapsulation struct {
	// Kind is none, vxlan, udp, ipip, wireguard or geneve.
	Kind string
	// Port is the outer UDP destination port, or 0 if there is none.
	Port int
	// Overhead is the number of bytes that the outer headers take from the
	// underlay's IP MTU (IPv4 outside).
	Overhead int
	// SubnetsOnly marks an encapsulation that is used only between nodes of
	// different subnets.
	SubnetsOnly bool
}

// BetweenSubnets returns the same encapsulation, used only between subnets.
func (e Encapsulation) BetweenSubnets() Encapsulation {
	e.SubnetsOnly = true
	return e
}

// OverIPv6 returns the same encapsulation in an outer IPv6 packet, whose header is 20
// bytes longer than that of IPv4 (RFC 8200, section 3).
func (e Encapsulation) OverIPv6() Encapsulation {
	if e.Overhead > 0 {
		e.Overhead += 20
	}
	return e
}

// The encapsulations of the catalogue. Sizes: IPv4 header 20 (RFC 791), UDP 8
// (RFC 768), VXLAN 8 plus the inner Ethernet header 14 (RFC 7348), WireGuard
// data message 16 plus tag 16 (wireguard.com/papers/wireguard.pdf, 5.4.6).
var (
	None         = Encapsulation{Kind: "none"}
	FlannelVXLAN = Encapsulation{Kind: "vxlan", Port: 8472, Overhead: 50} // Linux's own default port, flannel Documentation/backends.md
	IANAVXLAN    = Encapsulation{Kind: "vxlan", Port: 4789, Overhead: 50} // RFC 7348 section 8, Calico's default
	FlannelUDP   = Encapsulation{Kind: "udp", Port: 8285, Overhead: 28}   // flannel Documentation/backends.md
	IPIP         = Encapsulation{Kind: "ipip", Overhead: 20}              // RFC 2003
	WireGuard    = Encapsulation{Kind: "wireguard", Port: 51820, Overhead: 60}
)

// Source is the origin of a fact.
type Source struct {
	What string // the document or file, with its version
	Date string // when it was read, YYYY-MM-DD
}

// Plugin is one mode of one CNI plugin, as the user names it.
type Plugin struct {
	Name    string     // catalogue name, such as flannel-vxlan
	Aliases []string   // other names for the same mode
	Title   string     // one-line description
	Path    words.Text // the path of a packet from pod to pod

	Encapsulation Encapsulation
	Fidelity      Fidelity

	Binaries []string // programs from bin/ that the mode runs
	System   []string // programs that the distribution provides
	Features []string // kernel features, by the names of the testbed's feature probe
	// NeedsVPC marks a mode that runs only in a cloud network, because it asks the
	// cloud for addresses, interfaces or routes.
	NeedsVPC bool

	Sources []Source

	// Deploy deploys the plugin on the nodes and returns once pods can be added. It
	// is nil for the host baseline, whose "pods" are the nodes themselves.
	Deploy func(ctx context.Context, n Network) (*Deployment, error)
}

// HostNetwork reports whether the plugin is the baseline, which deploys nothing and
// measures the nodes' own network.
func (p *Plugin) HostNetwork() bool { return p.Deploy == nil }

// Deployment is a running plugin.
type Deployment struct {
	// ConfList returns the CNI network configuration list (CNI specification
	// 1.0, section 1) with which to add a pod on a node. It is called once for each
	// pod, and the pod is removed with the same list.
	ConfList func(n Node) ([]byte, error)
	// Release frees what ConfList reserved for a pod that is gone. It is nil if
	// ConfList reserves nothing.
	Release func(n Node, list []byte) error
	// Deny gives the plugin's agents a policy that denies traffic; lift removes the
	// policy. Deny is nil if no agent enforces policies.
	Deny func(ctx context.Context, d Denied) (lift func(context.Context) error, err error)
	// NIC is the node's interface through which pods' packets leave, or "" for the
	// underlay NIC.
	NIC string
	// OwnNIC says that each pod has a cloud interface of its own.
	OwnNIC bool
}

// Denied is the traffic from one pod's address to another's that a policy denies.
type Denied struct {
	From, To netip.Addr
	// Egress says that the policy applies to the sender; otherwise it applies to the
	// receiver.
	Egress bool
}

// Network is what a plugin is deployed on.
type Network struct {
	Name    string       // unique in the run
	PodCIDR netip.Prefix // range of all pods' addresses
	MTU     int          // of the underlay
	Nodes   []Node
	Control Node  // a host on the underlay that is not a cluster node; runs the datastore
	Cloud   Cloud // the VPC's API; nil if the underlay is not a VPC
}

// Node is a machine as a plugin sees it.
type Node interface {
	Name() string
	// Addr returns the node's address on the underlay, with the prefix length of its
	// subnet.
	Addr() netip.Prefix
	// NIC returns the name of the underlay interface.
	NIC() string
	// Start runs a long-lived program in the node's namespaces, logs its output to
	// the run's log directory, and restarts it when it exits by itself.
	Start(a Process) error
	// Run runs a program to its end. It logs the output too; an error quotes the last
	// lines.
	Run(ctx context.Context, p Process) error
	// Do calls f on a thread inside the node's network and mount namespaces.
	// Goroutines that f starts are not inside.
	Do(f func() error) error
	// Bin returns the path of a program in bin/.
	Bin(name string) string
}

// Process is a program to run on a node.
type Process struct {
	Name string // for the log; unique on the node
	Path string
	Args []string
	Env  []string // the environment, except for PATH and HOME
}

// Path joins the stations of a packet's path. Each is a string, which is the name
// of a device, or a text.
func Path(stations ...any) words.Text {
	all := make([]words.Text, len(stations))
	for i, s := range stations {
		t, ok := s.(words.Text)
		if !ok {
			t = words.Quotef("%s", s)
		}
		all[i] = t
	}
	return words.Arrows(all...)
}
