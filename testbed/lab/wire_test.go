package lab

import (
	"testing"

	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"
)

// qdiscs lists the queueing disciplines of a link by type.
func qdiscs(t *testing.T, l *link) map[string]netlink.Qdisc {
	t.Helper()
	iface, err := l.space.nl.LinkByName(l.name)
	if err != nil {
		t.Fatal(err)
	}
	all, err := l.space.nl.QdiscList(iface)
	if err != nil {
		t.Fatal(err)
	}
	byType := map[string]netlink.Qdisc{}
	for _, q := range all {
		byType[q.Type()] = q
	}
	return byType
}

// TestRateLimit sets the rate limit of links, changes it and removes it.
func TestRateLimit(t *testing.T) {
	if !inLab(t) {
		return
	}
	needsFeature(t, "tbf")
	n := smallNetwork(t, "l2", 1500)
	for _, c := range []struct {
		wire string
		rate uint64 // byte/s, 0 for no limit
	}{{"none", 0}, {"1gbit", 125e6}, {"10mbit", 125e4}, {"1kbit", 125}, {"1000gbit", 125e9}, {"none", 0}} {
		if err := n.SetWire(c.wire); err != nil {
			t.Fatalf("%s: %v", c.wire, err)
		}
		for _, l := range n.links {
			tbf, limited := qdiscs(t, l)["tbf"].(*netlink.Tbf)
			if want := l.shaped && c.rate > 0; limited != want {
				t.Fatalf("%s: %s of %s has a rate limit: %v, want %v", c.wire, l.name, l.space.name, limited, want)
			}
			if !limited {
				continue
			}
			if tbf.Rate != c.rate {
				t.Errorf("%s: %d bytes a second, want %d", c.wire, tbf.Rate, c.rate)
			}
			if tbf.Limit < minQueue {
				t.Errorf("%s: a queue of %d bytes", c.wire, tbf.Limit)
			}
		}
	}
}

// TestOffloads looks for features that would let packets larger than the MTU pass.
func TestOffloads(t *testing.T) {
	if !inLab(t) {
		return
	}
	n := smallNetwork(t, "l2", 1500)
	for _, l := range n.links {
		err := l.space.Do(func() error {
			e, err := ethtool.NewEthtool()
			if err != nil {
				return err
			}
			defer e.Close()
			features, err := e.FeaturesWithState(l.name)
			for name, state := range features {
				coalesces := name == receiveCoalescing && l.machine
				if isSegmentation(name) && state.Active && !state.NeverChanged && !coalesces {
					t.Errorf("%s of %s has %s", l.name, l.space.name, name)
				}
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
}
