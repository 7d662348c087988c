package detect

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
)

// caseOf returns a cluster in testdata.
func caseOf(t *testing.T, file, name string) clusterCase {
	t.Helper()
	all := casesIn(t)[file]
	i := slices.IndexFunc(all, func(c clusterCase) bool { return c.Case == name })
	if i < 0 {
		t.Fatalf("there is no case %q in %s", name, file)
	}
	return all[i]
}

// TestLook compares what clusters say with what pods and nodes show.
func TestLook(t *testing.T) {
	flannelVXLAN := Tunnel{Name: "flannel.1", Kind: "vxlan", Port: 8472, VNI: 1, MTU: 1450}
	view := func(device string, tunnels ...Tunnel) *View {
		return &View{Devices: []string{device}, Tunnels: tunnels}
	}
	four := netip.MustParseAddr("169.254.1.1")
	for _, tt := range []struct {
		name       string
		file, of   string // the cluster
		node, addr string // of the pod
		view       *View
		own        View
		says       string   // of the contradiction; "" for none
		findings   []string // their names
		wire       string
	}{
		{"flannel, as it should be", "flannel", "k3s has annotations only", "agent-1", "10.42.1.5", view("cni0", Tunnel{Name: "flannel-wg", Kind: "wireguard"}), View{},
			"", []string{results.FindingOtherNIC}, "wireguard 51820 60"},
		{"a former backend's device is still up", "flannel", "k3s has annotations only", "agent-1", "10.42.1.5", view("cni0", flannelVXLAN, Tunnel{Name: "flannel-wg", Kind: "wireguard"}), View{},
			"", []string{results.FindingOtherNIC, results.FindingLeftover}, "wireguard 51820 60"},
		{"Cilium, which only devices tell", "cilium", "what flannel left behind, nodes alone may be read", "node-a", "10.0.1.23",
			view("lxc0123456789a", Tunnel{Name: "cilium_vxlan", Kind: "vxlan", Port: 8472}, flannelVXLAN), View{},
			"10.0.1.23 is not in 10.244.1.0/24, from which its node node-a gives addresses to pods; the device that leads to the pod on its node is lxc0123456789a, as those of Cilium are called", []string{results.FindingContradicted}, "unknown"},
		{"Cilium, without a pod in the node's network", "cilium", "what flannel left behind, nodes alone may be read", "node-a", "10.0.1.23", nil, View{},
			"10.0.1.23 is not in 10.244.1.0/24", []string{results.FindingContradicted}, "unknown"},
		{"Cilium with addresses of the pod CIDR", "cilium", "what flannel left behind, nodes alone may be read", "node-a", "10.244.1.7", view("cilium_host"), View{},
			"cilium_host, as those of Cilium", []string{results.FindingContradicted}, "unknown"},
		{"Cilium that was named rightly", "cilium", "what flannel left behind", "node-a", "10.0.1.23", view("lxc1", Tunnel{Name: "cilium_vxlan", Kind: "vxlan", Port: 8472}, flannelVXLAN), View{},
			"", []string{results.FindingLeftover}, "vxlan 8472 50"},
		{"Canal, known", "flannel", "Canal of RKE2", "node-a", "10.42.0.9", view("cali12345678901", flannelVXLAN), View{Gateway: four}, "", nil, "vxlan 8472 50"},
		{"Canal, nodes alone may be read", "flannel", "Canal, nodes alone may be read", "node-a", "10.42.0.9", view("cali12345678901", flannelVXLAN), View{Gateway: four},
			"", nil, "vxlan 8472 50"},
		{"another port than configured", "flannel", "Talos", "a", "10.244.0.9", view("cni0", flannelVXLAN), View{}, "", []string{results.FindingSettingsDiffer}, "vxlan 8472 50"},
		{"Calico by its pool", "calico", "pools that differ", "a", "10.3.0.9", view("cali1"), View{Gateway: four}, "", []string{results.FindingSettingsDiffer}, "vxlan 4789 50"},
		{"Calico by the other pool", "calico", "pools that differ", "a", "10.1.0.9", view("cali1"), View{Gateway: four}, "", []string{results.FindingSettingsDiffer}, "none"},
		{"Calico's annotations, but a bridge", "calico", "annotations, VXLAN", "a", "10.1.0.9", view("cni0"), View{Gateway: netip.MustParseAddr("10.1.0.1")},
			"the pod's gateway is 10.1.0.1", []string{results.FindingContradicted}, "unknown"},
		{"Amazon's", "clouds", "EKS", "a", "10.0.0.77", view("eni123"), View{Gateway: four}, "", nil, ""},
		{"Amazon's, chained", "cilium", "chained to Amazon's plugin", "a", "10.0.0.77", view("lxc1"), View{}, "", nil, ""},
		{"nothing known but the device", "others", "nothing known", "a", "10.0.0.77", view("lxc1"), View{}, "", []string{results.FindingPluginSeen}, "unknown"},
		{"nothing known at all", "others", "nothing known", "a", "10.0.0.77", view("veth1"), View{}, "", nil, "unknown"},
		{"no route to the pod", "others", "nothing known", "a", "10.0.0.77", view(""), View{}, "", nil, "unknown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := caseOf(t, tt.file, tt.of).find(t)
			before := wireOf(found, netip.IPv4Unspecified(), netip.IPv4Unspecified())
			pod := Placed{Addr: netip.MustParseAddr(tt.addr), Node: tt.node, View: tt.view, Own: tt.own}
			after, contradicted := found.Look(found.Name(), pod)
			if said := contradicted.String(); (said == "") != (tt.says == "") || !strings.Contains(said, tt.says) {
				t.Errorf("contradicted: %q, want %q", said, tt.says)
			}
			var names []string
			for _, f := range after.Findings {
				names = append(names, f.Name)
			}
			if !slices.Equal(names, tt.findings) {
				t.Errorf("findings %v, want %v", after.Findings, tt.findings)
			}
			if wire := wireOf(after, pod.Addr, pod.Addr); wire != tt.wire {
				t.Errorf("the wire is %q, want %q", wire, tt.wire)
			}
			if now := wireOf(found, netip.IPv4Unspecified(), netip.IPv4Unspecified()); now != before {
				t.Errorf("looking changed what was found: %q, then %q", before, now)
			}
		})
	}
}

// TestLookAtAnotherName compares a pod with the name that the user gave the plugin.
func TestLookAtAnotherName(t *testing.T) {
	found := caseOf(t, "others", "nothing known").find(t)
	pod := Placed{Addr: netip.MustParseAddr("10.1.0.1"), View: &View{Devices: []string{"lxc1"}}}
	if _, contradicted := found.Look("calico-bgp", pod); !strings.Contains(contradicted.String(), "named after calico-bgp") {
		t.Errorf("%q", contradicted)
	}
}

func TestCheckView(t *testing.T) {
	for _, tt := range []struct {
		name string
		view View
		says string // "" for no error
	}{
		{"one address", View{Devices: []string{"cni0"}, Tunnels: []Tunnel{{Name: "flannel.1", Port: 8472, VNI: 1, MTU: 1450}}}, ""},
		{"no devices", View{}, "0 devices for 1 addresses"},
		{"many tunnels", View{Devices: []string{""}, Tunnels: make([]Tunnel, MaxTunnels+1)}, "65 tunnels"},
		{"no port", View{Devices: []string{""}, Tunnels: []Tunnel{{Name: "x", Port: 70000}}}, "the port 70000"},
		{"a long name", View{Devices: []string{strings.Repeat("x", 99)}}, "a device has the name"},
		{"a name with control characters", View{Devices: []string{"a\x1b[2J"}}, "a device has the name"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.view.Check(1); (err == nil) != (tt.says == "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v", err)
			}
		})
	}
}
