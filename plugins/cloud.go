package plugins

import (
	"fmt"
	"net/netip"
)

// Cloud is the part of a VPC's API that plugins use.
type Cloud interface {
	// AddRoute routes a prefix to a node by an entry in the VPC's route table.
	// From then on the node may send from the prefix.
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

// QuotaError says that a quota of the cloud is used up.
type QuotaError struct {
	What  string
	Limit int
}

func (e *QuotaError) Error() string {
	return fmt.Sprintf("the quota of %d %s is used up", e.Limit, e.What)
}
