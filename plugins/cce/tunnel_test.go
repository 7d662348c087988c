package cce

import (
	"net/netip"
	"slices"
	"testing"
)

// TestLead checks that flows have the right priorities: a pod wins over its node's
// block, and a block over everything else, for both packets and ARP.
func TestLead(t *testing.T) {
	for _, c := range []struct {
		name, to string
		want     []string
	}{
		{"a pod", "10.244.1.2/32", []string{
			"add priority=32,ip,nw_dst=10.244.1.2/32,actions=output:p", "add priority=32,arp,arp_tpa=10.244.1.2/32,actions=output:p"}},
		{"a node's block", "10.244.1.0/24", []string{
			"add priority=24,ip,nw_dst=10.244.1.0/24,actions=output:p", "add priority=24,arp,arp_tpa=10.244.1.0/24,actions=output:p"}},
		{"all else", "0.0.0.0/0", []string{
			"add priority=0,ip,nw_dst=0.0.0.0/0,actions=output:p", "add priority=0,arp,arp_tpa=0.0.0.0/0,actions=output:p"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := lead(netip.MustParsePrefix(c.to), "p"); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestMACsAreOfOneInterface checks that MACs are unicast, locally administered and
// unique.
func TestMACsAreOfOneInterface(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range []string{"10.244.0.1", "10.244.0.2", "10.244.1.1", "10.245.0.1"} {
		mac := macOf(netip.MustParseAddr(a))
		if len(mac) != 6 || mac[0]&1 != 0 || mac[0]&2 == 0 || seen[mac.String()] {
			t.Errorf("%s has the MAC %s (multicast, not locally administered, or another's)", a, mac)
		}
		seen[mac.String()] = true
	}
}
