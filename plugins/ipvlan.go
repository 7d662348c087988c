package plugins

import (
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
)

// IPvlanName returns the name of an address's IPvlan device. Interface names can
// have 15 characters.
func IPvlanName(addr netip.Addr) string { return fmt.Sprintf("ipv%x", addr.AsSlice()) }

// AddIPvlan creates an IPvlan device (mode L2) on an interface of a node, for the
// pod that will have the address.
func AddIPvlan(n Node, parent string, addr netip.Addr) error {
	err := n.Do(func() error {
		on, err := netlink.LinkByName(parent)
		if err != nil {
			return err
		}
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.ParentIndex = IPvlanName(addr), on.Attrs().Index
		return netlink.LinkAdd(&netlink.IPVlan{LinkAttrs: attrs, Mode: netlink.IPVLAN_MODE_L2})
	})
	if err != nil {
		return fmt.Errorf("creating an IPvlan device on %s of %s: %w", parent, n.Name(), err)
	}
	return nil
}

// DelLink removes an interface of a node.
func DelLink(n Node, name string) error {
	err := n.Do(func() error {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		return netlink.LinkDel(link)
	})
	if err != nil {
		return fmt.Errorf("removing %s of %s: %w", name, n.Name(), err)
	}
	return nil
}
