package plugins

import (
	"net/netip"
	"testing"
)

func TestNodeSubnet(t *testing.T) {
	for _, c := range []struct {
		pods string
		node int
		want string // "" for an error
	}{
		{"10.244.0.0/16", 0, "10.244.0.0/24"},
		{"10.244.0.0/16", 255, "10.244.255.0/24"},
		{"10.244.0.0/16", 256, ""},
		{"10.244.0.0/14", 256, "10.245.0.0/24"},
		{"10.244.7.0/24", 0, "10.244.7.0/24"},
		{"10.244.7.0/24", 1, ""},
		{"10.244.7.0/25", 0, ""},
	} {
		got, err := NodeSubnet(netip.MustParsePrefix(c.pods), c.node)
		if (err == nil) != (c.want != "") || err == nil && got.String() != c.want {
			t.Errorf("node %d of %s: %s, %v; want %q", c.node, c.pods, got, err, c.want)
		}
	}
}
