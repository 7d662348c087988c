package flannel

import (
	"strings"
	"testing"
)

const written = "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.7.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=false\n"

func TestParseLease(t *testing.T) {
	tests := []struct {
		name, text, wantErr string
	}{
		{"as flanneld writes it", written, ""},
		{"unknown key", written + "FLANNEL_IPV6_NETWORK=fd00::/48\n", ""},
		{"blank lines", "\n\n" + written + "\n", ""},
		{"empty", "", "no FLANNEL_NETWORK"},
		{"no subnet yet", "FLANNEL_NETWORK=10.244.0.0/16\n", "no FLANNEL_SUBNET"},
		{"no MTU", "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.7.1/24\n", "MTU 0"},
		{"negative MTU", strings.Replace(written, "1450", "-1", 1), "MTU -1"},
		{"subnet outside the network", strings.Replace(written, "10.244.7.1", "10.99.7.1", 1), "outside"},
		{"subnet wider than the network", strings.Replace(written, "7.1/24", "7.1/8", 1), "outside"},
		{"not a prefix", strings.Replace(written, "10.244.7.1/24", "x", 1), "line 2"},
		{"not an assignment", "hello\n", "line 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := parseLease(tt.text)
			if tt.wantErr == "" {
				if err != nil {
					t.Fatal(err)
				}
				if l.subnet.String() != "10.244.7.1/24" || l.network.String() != "10.244.0.0/16" || l.mtu != 1450 {
					t.Errorf("parseLease = %+v", l)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("parseLease: error %v, want one with %q", err, tt.wantErr)
			}
		})
	}
}

func FuzzParseLease(f *testing.F) {
	f.Add(written)
	f.Add("FLANNEL_MTU=\n")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parseLease(text)
		if err == nil && (!l.network.Contains(l.subnet.Addr()) || l.mtu < minMTU) {
			t.Errorf("parseLease(%q) = %+v, which no node can use", text, l)
		}
	})
}
