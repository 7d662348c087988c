package scenarios

import (
	"net/netip"
	"testing"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
)

// between is a network between nodes of the given subnets.
type between struct {
	plain
	client, server netip.Prefix
}

func (b between) Ends() (client, server probes.End) {
	return probes.End{NodeAddr: b.client.Addr(), Subnet: b.client.Masked()}, probes.End{NodeAddr: b.server.Addr(), Subnet: b.server.Masked()}
}

// TestExpect compares what probes expect on the wire with what the cluster and the
// catalogue say.
func TestExpect(t *testing.T) {
	a, b, far := netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("10.0.0.2/24"), netip.MustParsePrefix("10.0.1.2/24")
	of := func(kind string, port, overhead int, subnets bool) *results.Configured {
		return &results.Configured{Encapsulation: kind, Port: port, OverheadBytes: overhead, SubnetsOnly: subnets}
	}
	for _, tt := range []struct {
		name       string
		plugin     string
		configured *results.Configured
		server     netip.Prefix
		want       probes.Encapsulation
	}{
		{"the catalogue", "flannel-vxlan", nil, b, probes.Encapsulation{Kind: "vxlan", Port: 8472, Overhead: 50}},
		{"another port", "flannel-vxlan", of("vxlan", 4789, 50, false), b, probes.Encapsulation{Kind: "vxlan", Port: 4789, Overhead: 50}},
		{"over IPv6", "flannel-vxlan", of("vxlan", 8472, 70, false), b, probes.Encapsulation{Kind: "vxlan", Port: 8472, Overhead: 70}},
		{"between subnets only, one subnet", "flannel-vxlan", of("vxlan", 8472, 50, true), b, probes.Encapsulation{Kind: "none", Elsewhere: 50}},
		{"between subnets only, two subnets", "flannel-vxlan", of("vxlan", 8472, 50, true), far, probes.Encapsulation{Kind: "vxlan", Port: 8472, Overhead: 50}},
		{"contradicted", "flannel-vxlan", of(probes.Undeclared, 0, 0, false), b, probes.Encapsulation{Kind: probes.Undeclared}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := &upNetwork{Network: between{client: a, server: tt.server}, instance: tt.plugin, configured: tt.configured}
			if got := (stage{catalogue: catalogue.All()}).expect(n); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}
