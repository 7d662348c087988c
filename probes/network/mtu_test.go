package network

import (
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/probes"
)

// TestMTUFindings checks the findings for combinations of MTUs from public reports.
func TestMTUFindings(t *testing.T) {
	whole := func(mtu int) pathMTU { return pathMTU{Interface: mtu, Path: mtu, MSS: mtu - 40} }
	cut := func(mtu, path, told int) pathMTU { return pathMTU{Interface: mtu, Path: path, Told: told} }
	vxlan, plain := probes.Encapsulation{Kind: "vxlan", Overhead: 50}, probes.Encapsulation{Kind: "none"}
	crossSubnet := probes.Encapsulation{Kind: "none", Elsewhere: 50}
	wireguard := probes.Encapsulation{Kind: "wireguard", Overhead: 60}
	unknown := probes.Encapsulation{Kind: probes.Undeclared}
	for _, c := range []struct {
		name        string
		there, back pathMTU
		nics        [2]int
		underlay    int
		expect      probes.Encapsulation
		nodes       bool
		want        []string
		says        string
	}{
		{name: "vxlan on 1500", there: whole(1450), back: whole(1450), nics: [2]int{1500, 1500}, underlay: 1500, expect: vxlan},
		{name: "no encapsulation", there: whole(1500), back: whole(1500), nics: [2]int{1500, 1500}, underlay: 1500, expect: plain},
		{name: "no workers on the nodes", there: whole(1400), back: whole(1400), expect: vxlan},
		{name: "the nodes' own path cannot be measured", there: whole(1400), back: whole(1400), nics: [2]int{1500, 1500}, expect: vxlan},
		{name: "the pod MTU is too large, with too-big messages", there: cut(1500, 1450, 1450), back: cut(1500, 1450, 1450), nics: [2]int{1500, 1500}, underlay: 1500, expect: vxlan,
			want: []string{"pod-mtu-too-large", "pod-mtu-too-large"}, says: "the pod on node1 may send 1500 bytes, but only 1450 pass to the one on node2"},
		{name: "the pod MTU is too large, without a too-big message", there: cut(1500, 1450, 0), back: cut(1500, 1450, 1450), nics: [2]int{1500, 1500}, underlay: 1500, expect: vxlan,
			want: []string{"pod-mtu-too-large", "pmtu-black-hole", "pod-mtu-too-large"}},
		{name: "the pod MTU is too large, with a wrong too-big message", there: cut(1500, 1450, 1480), back: cut(1500, 1450, 1450), nics: [2]int{1500, 1500}, underlay: 1500, expect: vxlan,
			want: []string{"pod-mtu-too-large", "pmtu-wrong", "pod-mtu-too-large"}},
		{name: "one node of a jumbo cluster was forgotten", there: cut(8950, 1450, 1450), back: whole(1450), nics: [2]int{9000, 1500}, underlay: 1500, expect: vxlan,
			want: []string{"underlay-mtu-differs", "pod-mtu-differs", "pod-mtu-too-large"}, says: "the NIC of node1 has an MTU of 9000 bytes, that of node2 1500"},
		{name: "the forgotten node is the client's", there: whole(1450), back: cut(8950, 1450, 0), nics: [2]int{1500, 9000}, underlay: 1500, expect: vxlan,
			want: []string{"underlay-mtu-differs", "pod-mtu-differs", "pod-mtu-too-large", "pmtu-black-hole"}, says: "the pod on node2 may send 8950 bytes"},
		{name: "the NICs differ and the pods fit the smaller one", there: whole(1450), back: whole(1450), nics: [2]int{9000, 1500}, underlay: 1500, expect: vxlan,
			want: []string{"underlay-mtu-differs"}},
		{name: "the pods' MTUs differ, the NICs are alike", there: cut(1450, 1430, 1430), back: whole(1430), nics: [2]int{1500, 1500}, underlay: 1500, expect: vxlan,
			want: []string{"pod-mtu-differs", "pod-mtu-too-large"}, says: "the pod on node1 has an MTU of 1450 bytes, that on node2 1430"},
		{name: "a switch carries less than the NICs", there: cut(8950, 1450, 0), back: cut(8950, 1450, 0), nics: [2]int{9000, 9000}, underlay: 1500, expect: vxlan,
			want: []string{"pod-mtu-too-large", "pmtu-black-hole", "pod-mtu-too-large", "pmtu-black-hole"}},
		{name: "pods fit the switch, not the NICs", there: whole(1450), back: whole(1450), nics: [2]int{9000, 9000}, underlay: 1500, expect: vxlan},
		{name: "the nodes' own path does not carry what their NICs may send", there: cut(9000, 1500, 0), back: cut(9000, 1500, 1500), nics: [2]int{9000, 9000}, expect: plain, nodes: true,
			want: []string{"underlay-mtu-too-large", "pmtu-black-hole", "underlay-mtu-too-large"}},
		{name: "pods of 1500 over vxlan are fragmented", there: whole(1500), back: whole(1500), nics: [2]int{1500, 1500}, underlay: 1500, expect: vxlan, want: []string{"underlay-fragments"}},
		{name: "the pod MTU wastes goodput", there: whole(1450), back: whole(1450), nics: [2]int{9000, 9000}, underlay: 9000, expect: vxlan,
			want: []string{"pod-mtu-too-small"}, says: "1450 bytes where 8950 would fit beside 50"},
		{name: "an unknown overlay", there: whole(1450), back: whole(1450), nics: [2]int{1500, 1500}, underlay: 1500, expect: unknown},
		{name: "an unknown overlay, with a pod MTU that is too large", there: cut(1500, 1450, 0), back: whole(1500), nics: [2]int{1500, 1500}, underlay: 1500, expect: unknown,
			want: []string{"pod-mtu-too-large", "pmtu-black-hole", "mtu-asymmetric"}},
		{name: "no tunnel between these two, room for it elsewhere", there: whole(1450), back: whole(1450), nics: [2]int{1500, 1500}, underlay: 1500, expect: crossSubnet},
		{name: "more room than a tunnel elsewhere needs", there: whole(1400), back: whole(1400), nics: [2]int{1500, 1500}, underlay: 1500, expect: crossSubnet, want: []string{"pod-mtu-too-small"}},
		{name: "wireguard over a cloud's tunnel", there: cut(1450, 1320, 0), back: cut(1450, 1320, 0), nics: [2]int{1450, 1450}, underlay: 1450, expect: wireguard,
			want: []string{"pod-mtu-too-large", "pmtu-black-hole", "pod-mtu-too-large", "pmtu-black-hole"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := mtuSeen{names: [2]string{"node1", "node2"}, ways: [2]pathMTU{c.there, c.back}, nics: c.nics, underlay: c.underlay, expect: c.expect, nodes: c.nodes}
			var names, texts []string
			for _, f := range m.findings() {
				names, texts = append(names, f.Name), append(texts, f.Text.String())
			}
			if !slices.Equal(names, c.want) {
				t.Errorf("%q, want %q", names, c.want)
			}
			if all := strings.Join(texts, "\n"); !strings.Contains(all, c.says) {
				t.Errorf("nothing says %q:\n%s", c.says, all)
			}
		})
	}
}

func TestMTUChanged(t *testing.T) {
	values := func(path, mss float64) map[string]float64 { return map[string]float64{"path": path, "mss": mss} }
	for _, c := range []struct {
		name          string
		before, after map[string]float64
		says          string // "" for nothing
	}{
		{"the same", values(1450, 1398), values(1450, 1398), ""},
		{"a smaller path", values(1500, 1448), values(1450, 1398), "packets of 1500 bytes passed both ways at the start of the run and of 1450 at its end"},
		{"other segments on the same path", values(1450, 1398), values(1450, 1348), "full TCP segments held 1398 bytes at the start of the run and 1348 at its end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := mtuChanged(c.before, c.after)
			if c.says == "" && len(found) > 0 || c.says != "" && (len(found) != 1 || !strings.HasPrefix(found[0].Text.String(), c.says)) {
				t.Errorf("found %v", found)
			}
		})
	}
}
