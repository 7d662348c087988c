package flannel

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// lease is the content of the subnet file that flanneld writes once it has a subnet
// for its node (flannel pkg/subnet/subnet.go, WriteSubnetFile).
type lease struct {
	network netip.Prefix // FLANNEL_NETWORK: all pods
	subnet  netip.Prefix // FLANNEL_SUBNET: the node's, with the gateway's address
	mtu     int          // FLANNEL_MTU: the pods'
}

// parseLease parses a subnet file, which consists of lines KEY=VALUE. It ignores keys
// that it does not know (IPv6, masquerade).
func parseLease(text string) (lease, error) {
	var l lease
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !ok {
			return lease{}, fmt.Errorf("line %d of the subnet file is not KEY=VALUE: %q", i+1, line)
		}
		var err error
		switch key {
		case "FLANNEL_NETWORK":
			l.network, err = netip.ParsePrefix(value)
		case "FLANNEL_SUBNET":
			l.subnet, err = netip.ParsePrefix(value)
		case "FLANNEL_MTU":
			l.mtu, err = strconv.Atoi(value)
		}
		if err != nil {
			return lease{}, fmt.Errorf("line %d of the subnet file: %w", i+1, err)
		}
	}
	switch {
	case !l.network.IsValid():
		return lease{}, fmt.Errorf("the subnet file has no FLANNEL_NETWORK")
	case !l.subnet.IsValid():
		return lease{}, fmt.Errorf("the subnet file has no FLANNEL_SUBNET")
	case !l.network.Contains(l.subnet.Addr()) || l.subnet.Bits() < l.network.Bits():
		return lease{}, fmt.Errorf("the subnet file's subnet %s lies outside its network %s", l.subnet, l.network)
	case l.mtu < minMTU || l.mtu > maxMTU:
		return lease{}, fmt.Errorf("the subnet file's MTU %d is outside %d to %d", l.mtu, minMTU, maxMTU)
	}
	return l, nil
}

// The bounds of an IPv4 MTU: every host must accept 68 octets (RFC 791), and the
// largest packet has 65535.
const (
	minMTU = 68
	maxMTU = 65535
)
