package testbed

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Kinds of topology.
const (
	L2     = "l2"
	Routed = "routed"
	VPC    = "vpc"
)

// Topology is how the nodes of a network are connected.
//
//   - l2: all nodes on one switch.
//   - routed: two subnets joined by a router that has no routes to pods; nodes
//     1, 3, ... are in the first, nodes 2, 4, ... in the second.
//   - vpc: a cloud network. The fabric answers ARP and forwards by destination
//     address, regardless of the MAC that a frame is sent to. The source/dest
//     check drops packets from or to an address that the interface does not
//     own; it owns the addresses assigned to it and the destinations of VPC
//     routes to it. Nodes 1 and 2 share a subnet; further nodes alternate
//     between the second and the first.
//
// In every topology, the last subnet contains a host that is not a node of the
// cluster.
type Topology struct {
	Kind string // L2, Routed or VPC
	// SourceDestOff turns the source/dest check off. Inside a subnet, a frame then
	// reaches the owner of its destination MAC, even if that interface does not
	// own the destination address (Amazon EC2 user guide, "Source/destination
	// checking").
	SourceDestOff bool
	// L3Only also turns the check off, but frames are forwarded by destination
	// address alone (Google Cloud VPC, "Routes"; Azure, user-defined routes).
	L3Only bool
	// DropIPIP drops IP protocol 4 (IP in IP), as Azure does (Calico documentation,
	// "Configure networking on Azure").
	DropIPIP bool
	// TwoSubnets puts nodes 1 and 2 of a vpc in different subnets.
	TwoSubnets bool
	// RouteQuota is the number of routes that the VPC's route table can hold, set
	// by "quota=N".
	RouteQuota int
}

// DefaultRouteQuota is the number of routes that a VPC route table can hold by
// default in Alibaba Cloud and Huawei Cloud (ACK documentation, "Flannel"; Huawei
// VPC documentation, "Quotas"; read 2026-11-23). The default of AWS is 50.
const DefaultRouteQuota = 200

const maxRouteQuota = 10000

// Option is a variant of a topology, given after a colon.
type Option struct {
	Name  string
	Title string // one line of help
	set   func(t *Topology, value string) error
}

// Options lists what may follow "vpc:".
var Options = []Option{
	{"srcdst-off", "no source/dest check; frames inside a subnet are forwarded by MAC (AWS)", flag(func(t *Topology) { t.SourceDestOff = true })},
	{"l3-only", "no source/dest check, but forwarding by destination address alone (GCE, Azure)", flag(func(t *Topology) { t.L3Only = true })},
	{"drop-ipip", "IP protocol 4 is dropped (Azure)", flag(func(t *Topology) { t.DropIPIP = true })},
	{"two-subnets", "the measured nodes lie in different subnets", flag(func(t *Topology) { t.TwoSubnets = true })},
	{"quota=N", "how many routes the VPC's route table can hold", func(t *Topology, value string) (err error) {
		if t.RouteQuota, err = strconv.Atoi(value); err != nil || t.RouteQuota < 0 || t.RouteQuota > maxRouteQuota {
			return fmt.Errorf("must be a whole number from 0 to %d, not %q", maxRouteQuota, value)
		}
		return nil
	}},
}

func flag(set func(*Topology)) func(*Topology, string) error {
	return func(t *Topology, _ string) error {
		set(t)
		return nil
	}
}

// key returns the option's name without its value.
func (o Option) key() string {
	key, _, _ := strings.Cut(o.Name, "=")
	return key
}

func (o Option) takesValue() bool { return strings.Contains(o.Name, "=") }

// UnknownTopologyError reports a name that [ParseTopology] does not know.
type UnknownTopologyError struct {
	What  string // "topology" or "option of topology vpc"
	Name  string
	Known []string
}

func (e *UnknownTopologyError) Error() string {
	return fmt.Sprintf("there is no %s %q (there are %s)", e.What, e.Name, strings.Join(e.Known, ", "))
}

// ParseTopology parses a topology with its options, such as
// "vpc:srcdst-off:two-subnets".
func ParseTopology(spec string) (Topology, error) {
	kind, rest, more := strings.Cut(spec, ":")
	t := Topology{Kind: kind, RouteQuota: DefaultRouteQuota}
	if kinds := []string{L2, Routed, VPC}; !slices.Contains(kinds, kind) {
		return t, &UnknownTopologyError{"topology", kind, kinds}
	}
	if more && kind != VPC {
		return t, fmt.Errorf("topology %s takes no options (%q); only vpc does", kind, rest)
	}
	seen := map[string]bool{}
	for more {
		var item string
		item, rest, more = strings.Cut(rest, ":")
		key, _, _ := strings.Cut(item, "=")
		if seen[key] {
			return t, fmt.Errorf("option %q of topology vpc is given twice", key)
		}
		seen[key] = true
		if err := t.setOption(item); err != nil {
			return t, err
		}
	}
	if t.DropIPIP && t.SourceDestOff && !t.L3Only {
		return t, fmt.Errorf("topology %s: drop-ipip needs a fabric that forwards by address, which srcdst-off alone does not: add l3-only (as on Azure)", spec)
	}
	return t, nil
}

func (t *Topology) setOption(item string) error {
	key, value, hasValue := strings.Cut(item, "=")
	i := slices.IndexFunc(Options, func(o Option) bool { return o.key() == key })
	if i < 0 {
		known := make([]string, len(Options))
		for i, o := range Options {
			known[i] = o.key()
		}
		return &UnknownTopologyError{"option of topology vpc", key, known}
	}
	if o := Options[i]; hasValue != o.takesValue() {
		if hasValue {
			return fmt.Errorf("option %s of topology vpc takes no value", key)
		}
		return fmt.Errorf("option %s of topology vpc needs a value, such as %s=50", key, key)
	}
	if err := Options[i].set(t, value); err != nil {
		return fmt.Errorf("option %s of topology vpc %w", key, err)
	}
	return nil
}

// Bridged reports whether frames inside a subnet are forwarded by destination
// MAC.
func (t Topology) Bridged() bool { return t.Kind != VPC || t.SourceDestOff && !t.L3Only }

// Checked reports whether the source/dest check is on.
func (t Topology) Checked() bool { return t.Kind == VPC && !t.SourceDestOff && !t.L3Only }

// Subnets returns the topology's address ranges. They lie in the shared address
// space (RFC 6598), which no cluster uses for pods. Those of a vpc have room for
// the secondary addresses that pods get.
func (t Topology) Subnets() []netip.Prefix {
	switch t.Kind {
	case L2:
		return []netip.Prefix{netip.MustParsePrefix("100.64.0.0/24")}
	case Routed:
		return []netip.Prefix{netip.MustParsePrefix("100.64.0.0/24"), netip.MustParsePrefix("100.64.1.0/24")}
	}
	return []netip.Prefix{netip.MustParsePrefix("100.64.0.0/20"), netip.MustParsePrefix("100.64.16.0/20")}
}

// SubnetOf returns the index of a node's subnet. Nodes are numbered from 0.
func (t Topology) SubnetOf(node int) int {
	switch {
	case t.Kind == L2:
		return 0
	case t.Kind == VPC && !t.TwoSubnets && node < 2:
		return 0
	case t.Kind == VPC && !t.TwoSubnets:
		return (node + 1) % 2
	}
	return node % 2
}
