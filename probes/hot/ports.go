package hot

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

const (
	// ephemeralRange holds the first and the last port that connect chooses from (ip(7)).
	ephemeralRange = "/proc/sys/net/ipv4/ip_local_port_range"
	// firstUnprivileged is the first port that an ordinary user may bind to (ip(7)).
	firstUnprivileged = 1024
	lastPort          = 65535
	// fewPorts are too few to find a free one at random.
	fewPorts = 64
	// bindTries is the number of ports that are tried before giving up.
	bindTries = 16
)

// ConnectTCPApart connects to a peer that may not answer yet, from a port that connect
// itself does not choose. Connection tracking remembers a SYN that was sent before the
// address translation for its destination existed, and for two minutes
// (nf_conntrack_tcp_timeout_syn_sent) every connection from the same port to that
// destination is not translated either. Later connections must not meet that port.
func ConnectTCPApart(ctx context.Context, peer netip.AddrPort) (*Socket, error) {
	return connectTCP(ctx, peer, func(s *Socket) error { return s.bindApart(peer.Addr().Is4()) })
}

// bindApart binds to a port that connect does not choose, if there are such ports.
func (s *Socket) bindApart(is4 bool) error {
	first, count, err := apartPorts()
	if err != nil || count == 0 {
		return err
	}
	addr := netip.IPv6Unspecified()
	if is4 {
		addr = netip.IPv4Unspecified()
	}
	for range bindTries {
		if _, err = s.bindTo(netip.AddrPortFrom(addr, uint16(first+rand.IntN(count)))); !errors.Is(err, unix.EADDRINUSE) {
			break
		}
	}
	return err
}

// apartPorts returns the first of the ports that connect does not choose, and their
// number, which is 0 if it may choose nearly all. Those above its range come first,
// because servers listen below it.
func apartPorts() (first, count int, err error) {
	text, err := os.ReadFile(ephemeralRange)
	if err != nil {
		return 0, 0, fmt.Errorf("reading the range of ephemeral ports: %w", err)
	}
	var low, high int
	if _, err := fmt.Sscan(string(text), &low, &high); err != nil {
		return 0, 0, fmt.Errorf("reading the range of ephemeral ports %q: %w", text, err)
	}
	switch {
	case lastPort-high >= fewPorts:
		return high + 1, lastPort - high, nil
	case low-firstUnprivileged >= fewPorts:
		return firstUnprivileged, low - firstUnprivileged, nil
	}
	return 0, 0, nil
}
