package lab

import (
	"fmt"
	"net"

	"github.com/vishvananda/netlink"

	"github.com/cnibench/cnibench/testbed"
)

// resolvedNodes is the number of nodes up to which they resolve each other's addresses
// themselves. The kernel has one table of neighbours for all network namespaces, which
// holds 1024 entries (gc_thresh3, arp(7)): where nodes of a cluster have a table each,
// those of the lab share one, and a full table drops packets that nothing else would.
// Permanent entries do not count.
const resolvedNodes = 8

// knowNeighbours gives the nodes of a large network permanent entries for each other. The
// switch of a VPC answers for all of them, so there is nothing to enter.
func (n *network) knowNeighbours() error {
	if len(n.nodes) <= resolvedNodes || n.fabric.topology.Kind == testbed.VPC {
		return nil
	}
	type interfaceOf struct {
		index   int
		address net.HardwareAddr
	}
	nics := make([]interfaceOf, len(n.nodes))
	for i, node := range n.nodes {
		link, err := node.nl.LinkByName(nicName)
		if err != nil {
			return fmt.Errorf("finding the interface of %s: %w", node.name, err)
		}
		nics[i] = interfaceOf{link.Attrs().Index, link.Attrs().HardwareAddr}
	}
	for i, node := range n.nodes {
		for j, other := range n.nodes {
			if i == j || !node.addr.Masked().Contains(other.addr.Addr()) {
				continue
			}
			entry := &netlink.Neigh{LinkIndex: nics[i].index, State: netlink.NUD_PERMANENT, IP: other.addr.Addr().AsSlice(), HardwareAddr: nics[j].address}
			if err := node.nl.NeighSet(entry); err != nil {
				return fmt.Errorf("entering %s as a neighbour of %s: %w", other.name, node.name, err)
			}
		}
	}
	return nil
}
