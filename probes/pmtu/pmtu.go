// Package pmtu finds the size of the largest IP packet that passes without being
// fragmented.
package pmtu

import (
	"context"
	"fmt"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes/frames"
	"github.com/cnibench/cnibench/probes/hot"
)

// Least is carried by every IPv4 link unfragmented (RFC 791, section 3.2), and Most is the
// size of the largest packet (section 3.1).
const (
	Least = 68
	Most  = 65535
)

// Socket opens a UDP socket of an address's family that uses a mode of path MTU discovery
// (IP_MTU_DISCOVER, ip(7)): unix.IP_PMTUDISC_PROBE or unix.IP_PMTUDISC_DO, which have the
// same values for IPv6. headers is the length of the headers before a datagram.
func Socket(ctx context.Context, addr netip.Addr, discover int) (s *hot.Socket, headers int, err error) {
	if s, err = hot.NewSocket(ctx, addr, unix.SOCK_DGRAM, unix.IPPROTO_UDP); err != nil {
		return nil, 0, err
	}
	headers, level, option := frames.IPv4Header+frames.UDPHeader, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER
	if !addr.Is4() {
		headers, level, option = frames.IPv6Header+frames.UDPHeader, unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER
	}
	if err := unix.SetsockoptInt(s.FD, level, option, discover); err != nil {
		s.Close()
		return nil, 0, fmt.Errorf("opening a socket that does not fragment: %w", os.NewSyscallError("setsockopt", err))
	}
	return s, headers, nil
}

// Largest returns the largest size that passes from low, which does, up to high, which
// does not.
func Largest(low, high int, passes func(size int) (bool, error)) (int, error) {
	for high-low > 1 {
		size := (low + high) / 2
		ok, err := passes(size)
		if err != nil {
			return 0, err
		}
		if ok {
			low = size
		} else {
			high = size
		}
	}
	return low, nil
}
