package network

import (
	"slices"
	"testing"
)

func TestWayOf(t *testing.T) {
	d := func(name, kind string, rx, tx uint64) device { return device{Name: name, Kind: kind, RX: rx, TX: tx} }
	overlay := places{
		fromPod:  []device{d("eth0", "veth", 3, 200)},
		fromNode: []device{d("eth0", "veth", 9, 211), d("cni0", "bridge", 200, 4), d("flannel.1", "vxlan", 0, 200), d("veth1", "veth", 200, 2)},
		toNode:   []device{d("eth0", "veth", 208, 7), d("cni0", "bridge", 1, 200), d("flannel.1", "vxlan", 200, 0), d("veth2", "veth", 0, 200)},
		toPod:    []device{d("eth0", "veth", 200, 0)},
	}
	tests := []struct {
		name   string
		before places
		after  places
		want   []string
	}{
		{"overlay", places{}, overlay, []string{"n1:pod/eth0", "n1/veth1", "n1/cni0", "n1/flannel.1", "n1/eth0",
			"n2/eth0", "n2/flannel.1", "n2/cni0", "n2/veth2", "n2:pod/eth0"}},
		{"nothing moved", overlay, overlay, []string{}},
		{"host network", places{}, places{fromNode: []device{d("eth0", "veth", 2, 200)}, toNode: []device{d("eth0", "veth", 200, 2)}},
			[]string{"n1/eth0", "n2/eth0"}},
		{"no route on the first node", places{}, places{fromPod: overlay.fromPod,
			fromNode: []device{d("eth0", "veth", 9, 11), d("veth1", "veth", 200, 200)}, toNode: []device{d("eth0", "veth", 9, 9)}},
			[]string{"n1:pod/eth0", "n1/veth1"}},
		{"earlier counts are subtracted", places{fromNode: []device{d("eth0", "veth", 0, 5000)}},
			places{fromNode: []device{d("eth0", "veth", 0, 5010), d("veth1", "veth", 200, 0)}}, []string{"n1/veth1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := wayOf("n1", "n2", tt.before, tt.after, 180); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
