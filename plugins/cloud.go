package plugins

import (
	"fmt"
	"net/netip"
)

// Cloud is what a VPC does for plugins that ask it through its API.
type Cloud interface {
	// AddRoute leads a prefix to a node, by an entry in the VPC's route table.
	// The node may send from it from then on.
	AddRoute(dst netip.Prefix, n Node) error
	// AssignAddresses gives an interface of a node secondary addresses, in a
	// row. The VPC delivers them there; the node is not configured.
	AssignAddresses(n Node, nic string, count int) ([]netip.Addr, error)
	// AttachENI gives a node one more interface.
	AttachENI(n Node) (ENI, error)
	// AttachSubENI gives a node one more interface, whose frames come tagged
	// (IEEE 802.1Q) over one that the node has, the trunk.
	AttachSubENI(n Node, trunk string) (ENI, error)
}

// ENI is an elastic network interface, attached to a node. It is up and has
// its address, but no route leads through it.
type ENI struct {
	Name    string       // on the node
	Addr    netip.Prefix // its primary address, with its subnet's length
	Gateway netip.Addr   // of its subnet
}

// QuotaError is a cloud's refusal to give more of something.
type QuotaError struct {
	What  string
	Limit int
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("the quota of %d %s is used up", e.Limit, e.What)
}
