// Package plugins is the catalogue: what each CNI plugin mode is (its
// encapsulation, what it needs, its sources) and how it is put on nodes. A
// family of modes lives in a folder of its own; package plugins/catalogue
// lists them all.
package plugins

import (
	"context"
	"net/netip"

	"github.com/cnibench/cnibench/words"
)

// Fidelity says what produced a result.
type Fidelity string

// A reader must never mistake one of these for another.
const (
	Agent    Fidelity = "agent"    // the plugin's real agents ran
	DataPath Fidelity = "datapath" // its documented data path, built with netlink
	Cluster  Fidelity = "cluster"  // as it runs in the Kubernetes cluster that was measured
)

// Encapsulation is what a mode puts around a pod's packet between nodes.
type Encapsulation struct {
	// Kind is none, vxlan, udp, ipip, wireguard or geneve.
	Kind string
	// Port is the outer UDP destination port, 0 if there is none.
	Port int
	// Overhead is the number of bytes that the outer headers take from the
	// underlay's IP MTU (IPv4 outside).
	Overhead int
	// SubnetsOnly marks an encapsulation that is used only between nodes of
	// different subnets.
	SubnetsOnly bool
}

// BetweenSubnets is the encapsulation, used only between subnets.
func (e Encapsulation) BetweenSubnets() Encapsulation {
	e.SubnetsOnly = true
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

// Source is where a fact comes from.
type Source struct {
	What string // the document or file, with its version
	Date string // when it was read, YYYY-MM-DD
}

// Plugin is one mode of one CNI plugin, as the user names it.
type Plugin struct {
	Name    string     // catalogue name, such as flannel-vxlan
	Aliases []string   // other names for the same mode
	Title   string     // one line for people
	Path    words.Text // the path of a packet from pod to pod, for people

	Encapsulation Encapsulation
	Fidelity      Fidelity

	Binaries []string // programs from bin/ that the mode runs
	System   []string // programs that the distribution provides
	Features []string // kernel features, by the names of the testbed's feature probe
	// NeedsVPC marks a mode that runs in a cloud's network only: it asks the
	// cloud for addresses, interfaces or routes.
	NeedsVPC bool

	Sources []Source

	// Deploy puts the plugin on the nodes. It returns once pods can be added.
	// Nil for the host baseline, whose "pods" are the nodes themselves.
	Deploy func(ctx context.Context, n Network) (*Deployment, error)
}

// HostNetwork reports whether the plugin is the baseline: nothing is deployed
// and the nodes' own network is measured.
func (p *Plugin) HostNetwork() bool { return p.Deploy == nil }

// Deployment is a running plugin.
type Deployment struct {
	// ConfList returns the CNI network configuration list (CNI specification
	// 1.0, section 1) with which a pod is added on a node. It is asked once
	// for each pod, and the pod is removed with the same list.
	ConfList func(n Node) ([]byte, error)
	// Release frees what ConfList reserved for a pod that is gone; nil if it
	// reserves nothing.
	Release func(n Node, list []byte) error
	// Deny gives the plugin's agents a policy that denies traffic from one pod's
	// address to another's, and returns how to lift it. Nil if no agent enforces
	// policies.
	Deny func(ctx context.Context, from, to netip.Addr) (lift func(context.Context) error, err error)
	// NIC is the node's interface that pods' packets leave by, "" for the
	// underlay NIC.
	NIC string
	// OwnNIC says that each pod has an interface of the cloud to itself.
	OwnNIC bool
}

// Network is what a plugin is deployed on.
type Network struct {
	Name    string       // unique in the run
	PodCIDR netip.Prefix // all pods of the network
	MTU     int          // of the underlay
	Nodes   []Node
	Control Node  // a host on the underlay that is no cluster node; carries the datastore
	Cloud   Cloud // what the VPC does for plugins; nil where the underlay is none
}

// Node is a machine as a plugin sees it.
type Node interface {
	Name() string
	// Addr is the node's address on the underlay, with the length of its
	// subnet.
	Addr() netip.Prefix
	// NIC is the name of the underlay interface.
	NIC() string
	// Start runs a long-lived program in the node's namespaces, keeps its
	// output in the run's log folder, and starts it again when it exits by
	// itself.
	Start(a Process) error
	// Run runs a program to its end. Its output is kept like an agent's; an
	// error carries the last lines of it.
	Run(ctx context.Context, p Process) error
	// Do calls f on a thread inside the node's network and mount namespaces.
	// Goroutines started by f are not inside.
	Do(f func() error) error
	// Bin returns the path of a program from bin/.
	Bin(name string) string
}

// Process is a program to run on a node.
type Process struct {
	Name string // for the log; unique on the node
	Path string
	Args []string
	Env  []string // the whole environment besides PATH
}

// Path joins the stations of a packet's path: names of devices, which are strings,
// and texts.
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
