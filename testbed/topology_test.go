package testbed

import (
	"slices"
	"strings"
	"testing"
)

func TestParseTopology(t *testing.T) {
	vpc := Topology{Kind: VPC, RouteQuota: DefaultRouteQuota}
	with := func(change func(*Topology)) Topology { t := vpc; change(&t); return t }
	for _, c := range []struct {
		spec    string
		want    Topology
		wantErr string
	}{
		{"l2", Topology{Kind: L2, RouteQuota: DefaultRouteQuota}, ""},
		{"routed", Topology{Kind: Routed, RouteQuota: DefaultRouteQuota}, ""},
		{"vpc", vpc, ""},
		{"vpc:srcdst-off", with(func(t *Topology) { t.SourceDestOff = true }), ""},
		{"vpc:l3-only", with(func(t *Topology) { t.L3Only = true }), ""},
		{"vpc:two-subnets:srcdst-off", with(func(t *Topology) { t.SourceDestOff, t.TwoSubnets = true, true }), ""},
		{"vpc:l3-only:drop-ipip", with(func(t *Topology) { t.L3Only, t.DropIPIP = true, true }), ""},
		{"vpc:srcdst-off:l3-only:drop-ipip", with(func(t *Topology) { t.SourceDestOff, t.L3Only, t.DropIPIP = true, true, true }), ""},
		{"vpc:drop-ipip", with(func(t *Topology) { t.DropIPIP = true }), ""},
		{"vpc:quota=50", with(func(t *Topology) { t.RouteQuota = 50 }), ""},
		{"vpc:quota=0", with(func(t *Topology) { t.RouteQuota = 0 }), ""},
		{"", Topology{}, "no topology"},
		{"vcp", Topology{}, "there are l2, routed, vpc"},
		{"VPC", Topology{}, "no topology"},
		{"vpc:", Topology{}, "no option"},
		{"vpc:srcdst", Topology{}, "srcdst-off, l3-only"},
		{"vpc:l3-only:l3-only", Topology{}, "twice"},
		{"vpc:quota=1:quota=2", Topology{}, "twice"},
		{"vpc:quota", Topology{}, "needs a value"},
		{"vpc:quota=", Topology{}, "whole number"},
		{"vpc:quota=-1", Topology{}, "from 0 to"},
		{"vpc:quota=1e3", Topology{}, "whole number"},
		{"vpc:l3-only=yes", Topology{}, "takes no value"},
		{"l2:srcdst-off", Topology{}, "takes no options"},
		{"vpc:srcdst-off:drop-ipip", Topology{}, "add l3-only"},
	} {
		t.Run(c.spec, func(t *testing.T) {
			got, err := ParseTopology(c.spec)
			if c.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), c.wantErr) {
					t.Fatalf("error %v, want one with %q", err, c.wantErr)
				}
				return
			}
			if err != nil || got != c.want {
				t.Errorf("%+v, %v; want %+v", got, err, c.want)
			}
		})
	}
}

func FuzzParseTopology(f *testing.F) {
	for _, spec := range []string{"l2", "vpc:srcdst-off:quota=3", "vpc::", "routed:x"} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		parsed, err := ParseTopology(spec)
		if err == nil && (parsed.RouteQuota < 0 || len(parsed.Subnets()) == 0 || parsed.Checked() && parsed.Bridged()) {
			t.Errorf("%q gives %+v", spec, parsed)
		}
	})
}

func TestSubnetOf(t *testing.T) {
	for spec, want := range map[string][]int{
		"l2": {0, 0, 0, 0}, "routed": {0, 1, 0, 1}, "vpc": {0, 0, 1, 0, 1}, "vpc:two-subnets": {0, 1, 0, 1},
	} {
		topology, err := ParseTopology(spec)
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for node := range want {
			got = append(got, topology.SubnetOf(node))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: nodes lie in %v, want %v", spec, got, want)
		}
	}
}
