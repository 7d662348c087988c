package lab

import (
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/testbed"
)

// TestHost checks that hosts are numbered from a subnet's first address.
func TestHost(t *testing.T) {
	for _, c := range []struct {
		subnet string
		number int
		want   string
		inside bool
	}{
		{"100.64.0.0/24", gatewayHost, "100.64.0.1/24", true},
		{"100.64.1.0/24", firstNode, "100.64.1.11/24", true},
		{"100.64.0.0/24", 254, "100.64.0.254/24", true},
		{"100.64.0.0/24", 256, "100.64.1.0/24", false},
		{"100.64.16.0/20", 256, "100.64.17.0/20", true},
		{"100.64.16.0/20", 4095, "100.64.31.255/20", true},
		{"100.64.16.0/20", 4096, "100.64.32.0/20", false},
	} {
		subnet := netip.MustParsePrefix(c.subnet)
		if got := host(subnet, c.number); got.String() != c.want || subnet.Contains(got.Addr()) != c.inside {
			t.Errorf("host %d of %s is %s, want %s", c.number, c.subnet, got, c.want)
		}
	}
}

// TestFabric checks the switches and routers of each topology.
func TestFabric(t *testing.T) {
	if !inLab(t) {
		return
	}
	for _, c := range []struct {
		topology string
		forwards string
		bridges  int
	}{
		{"l2", "0", 1}, {"routed", "1", 2}, {"vpc", "1", 0}, {"vpc:srcdst-off", "1", 2},
	} {
		t.Run(c.topology, func(t *testing.T) {
			topology, err := testbed.ParseTopology(c.topology)
			if err != nil {
				t.Fatal(err)
			}
			f, err := newFabric("fabric", topology, 9000)
			if err != nil {
				t.Fatal(err)
			}
			defer f.close()
			var forwards []byte
			if err := f.Do(func() (err error) { forwards, err = os.ReadFile("/proc/sys/net/ipv4/ip_forward"); return err }); err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(string(forwards)); got != c.forwards {
				t.Errorf("it forwards: %s, want %s", got, c.forwards)
			}
			links, err := f.nl.LinkList()
			if err != nil {
				t.Fatal(err)
			}
			bridges := 0
			for _, l := range links {
				if l.Type() != "bridge" {
					continue
				}
				bridges++
				if a := l.Attrs(); a.MTU != 9000 || a.HardwareAddr[0]&3 != 2 {
					t.Errorf("%s: MTU %d, MAC %s", a.Name, a.MTU, a.HardwareAddr)
				}
			}
			if bridges != c.bridges {
				t.Errorf("%d switches, want %d", bridges, c.bridges)
			}
			for i := range f.subnets {
				if !hasAddress(t, f.space, f.gateway(i).Addr()) {
					t.Errorf("no interface has the gateway's address %s", f.gateway(i))
				}
			}
		})
	}
}

func hasAddress(t *testing.T, s *space, want netip.Addr) bool {
	t.Helper()
	all, err := s.nl.AddrList(nil, unix.AF_INET)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if got, _ := netip.AddrFromSlice(a.IP); got.Unmap() == want {
			return true
		}
	}
	return false
}

// TestSegmentation checks which features let an interface carry packets larger
// than its MTU.
func TestSegmentation(t *testing.T) {
	for feature, want := range map[string]bool{
		"tx-tcp-segmentation": true, "tx-udp-segmentation": true, "tx-gso-robust": true, "tx-gso-list": true, "rx-gro": true, "rx-gro-list": true,
		"tx-checksum-ip-generic": false, "rx-vlan-hw-parse": false, "highdma": false,
	} {
		if isSegmentation(feature) != want {
			t.Errorf("%s: %v", feature, !want)
		}
	}
}

// TestAddressesOfDeployments checks that a network that is brought up again has other addresses,
// all of them in the smallest subnet.
func TestAddressesOfDeployments(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, nodes int
		want          int
	}{
		{"first", 0, 2, 11},
		{"second", 1, 2, 13},
		{"the last that fit", 121, 2, 253},
		{"used up", 122, 2, 11},
		{"many nodes", 2, 64, 139},
		{"many nodes, used up", 3, 64, 11},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := firstHost(c.before, c.nodes); got != c.want || got+c.nodes-1 > lastNode {
				t.Errorf("nodes begin at host %d, want %d", got, c.want)
			}
		})
	}
}
