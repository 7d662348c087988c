package html

import (
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
)

// TestOuterHeaders marks the headers that the plugin added.
func TestOuterHeaders(t *testing.T) {
	for _, c := range []struct {
		name, layers, outer string
	}{
		{"no tunnel", "Ethernet 14, IPv4 20, UDP 8", ""},
		{"VXLAN", "Ethernet 14, IPv4 20, UDP 8, VXLAN 8, Ethernet 14, IPv4 20, UDP 8", "IPv4, UDP, VXLAN, Ethernet"},
		{"IP in IP", "Ethernet 14, IPv4 20, IPv4 20, UDP 8", "IPv4"},
		{"WireGuard, which shows no packet inside", "Ethernet 14, IPv4 20, UDP 8, WireGuard 16", "IPv4, UDP, WireGuard"},
		{"nothing", "", ""},
	} {
		var layers, outer []string
		if c.layers != "" {
			layers = strings.Split(c.layers, ", ")
		}
		for _, h := range headers(results.Encapsulation{Layers: layers}) {
			if h.Outer {
				outer = append(outer, h.Name)
			}
		}
		if got := strings.Join(outer, ", "); got != c.outer {
			t.Errorf("%s: %q are marked, want %q", c.name, got, c.outer)
		}
	}
}
