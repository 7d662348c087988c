package hot

import (
	"fmt"
	"net"
	"net/netip"

	"golang.org/x/sys/unix"
)

// AddrOf returns the IP address of a socket address.
func AddrOf(sa unix.Sockaddr) netip.Addr {
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrFrom4(sa.Addr)
	case *unix.SockaddrInet6:
		return netip.AddrFrom16(sa.Addr)
	}
	return netip.Addr{}
}

// MTUOf returns the MTU of the interface that has an address.
func MTUOf(addr netip.Addr) (int, error) {
	links, err := net.Interfaces()
	if err != nil {
		return 0, fmt.Errorf("listing interfaces: %w", err)
	}
	for _, link := range links {
		addrs, err := link.Addrs()
		if err != nil {
			continue // the interface has been removed
		}
		for _, a := range addrs {
			if prefix, err := netip.ParsePrefix(a.String()); err == nil && prefix.Addr().Unmap() == addr {
				return link.MTU, nil
			}
		}
	}
	return 0, fmt.Errorf("no interface has the address %s", addr)
}
