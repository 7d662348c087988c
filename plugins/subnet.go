package plugins

import (
	"fmt"
	"net/netip"
)

// nodeBits is the prefix length of a node's pod subnet: 256 addresses, the default
// of ACK, CCE and Kubernetes' node IPAM.
const nodeBits = 24

// NodeSubnet returns a node's part of the pods' network, for plugins that give each
// node a subnet. Nodes are numbered from 0.
func NodeSubnet(pods netip.Prefix, node int) (netip.Prefix, error) {
	if most := 1 << max(nodeBits-pods.Bits(), 0); pods.Bits() > nodeBits || node >= most {
		return netip.Prefix{}, fmt.Errorf("the pods' network %s has no /%d subnet for node %d", pods, nodeBits, node+1)
	}
	a := pods.Masked().Addr().As4()
	a[1] += byte(node >> 8)
	a[2] += byte(node)
	return netip.PrefixFrom(netip.AddrFrom4(a), nodeBits), nil
}
