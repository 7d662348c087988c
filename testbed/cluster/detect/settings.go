package detect

import (
	"net/netip"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
)

// Settings are what a cluster's own configuration says of the packets between its
// nodes. Where it says nothing, they hold the agent's documented defaults.
type Settings struct {
	plugins.Encapsulation
	VNI   int   // of VXLAN or Geneve; 0 if none is configured
	MTU   int   // of pods, in bytes; 0 if the agents choose it
	Outer Outer // the family of the outer IP header
}

// Outer says which family the outer IP header has.
type Outer int

const (
	AsPod     Outer = iota // as the pod's address: each family has a tunnel of its own
	AsNode                 // as the node's address: one tunnel carries both families
	OuterIPv4              // configured
	OuterIPv6
)

// Configured returns the settings that apply to a pod with the given address on a
// node, for the record. The headers grow if the outer one is IPv6.
func (s Settings) Configured(pod, node netip.Addr) *results.Configured {
	e := s.Encapsulation
	if s.Outer == OuterIPv6 || s.Outer == AsPod && pod.Is6() && !pod.Is4In6() || s.Outer == AsNode && node.Is6() && !node.Is4In6() {
		e = e.OverIPv6()
	}
	return &results.Configured{Encapsulation: e.Kind, Port: e.Port, OverheadBytes: e.Overhead, SubnetsOnly: e.SubnetsOnly, VNI: s.VNI, MTU: s.MTU}
}

// Headers of encapsulations that no mode of the catalogue has, from the sizes in
// package plugins. Geneve's is that of VXLAN without options (RFC 8926, section 3).
const (
	vxlanOverhead     = 50
	geneveOverhead    = 50
	wireGuardOverhead = 60

	genevePort    = 6081 // RFC 8926, section 3.3
	wireGuardPort = 51820
)

// undeclared are the settings of a network whose encapsulation only a capture shows.
func undeclared() *Settings {
	return &Settings{Encapsulation: plugins.Encapsulation{Kind: probes.Undeclared}}
}

// tunnel returns the settings of a tunnel.
func tunnel(kind string, port, overhead int, outer Outer) *Settings {
	return &Settings{Encapsulation: plugins.Encapsulation{Kind: kind, Port: port, Overhead: overhead}, Outer: outer}
}

// plain are the settings of a network that sends pods' packets as they are.
func plain() *Settings { return &Settings{Encapsulation: plugins.None} }
