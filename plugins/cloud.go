package plugins

import (
	"fmt"
	"net/netip"
)

// Cloud is the part of a VPC's API that plugins use.
type Cloud interface {
	// AddRoute adds a route to the VPC's route table that leads a prefix to a node.
	// From then on the node may send from the prefix.
	AddRoute(dst netip.Prefix, n Node) error
	// AssignAddresses assigns consecutive secondary addresses to an interface of a
	// node. The VPC delivers packets for them there; the node is not configured.
	AssignAddresses(n Node, nic string, count int) ([]netip.Addr, error)
	// AttachENI attaches another interface to a node.
	AttachENI(n Node) (ENI, error)
	// AttachSubENI attaches another interface to a node. Its frames are tagged (IEEE
	// 802.1Q) and carried by an interface that the node has, the trunk.
	AttachSubENI(n Node, trunk string) (ENI, error)
}

// ENI is an elastic network interface attached to a node. It is up and has its
// address, but no route uses it.
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
