package lab

import (
	"slices"
	"testing"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/load"
	"github.com/cnibench/cnibench/probes/probestest"
	"github.com/cnibench/cnibench/results"
)

// TestShapedGoodput checks that short samples over a rate limit agree with the
// arithmetic: full-sized segments at the limit's rate. The rates are so low that the
// machine's speed does not matter. While an end waits for a CPU for longer than the
// queue lasts, the link is idle, so a busy machine makes samples smaller, not larger:
// the upper quartile is compared.
func TestShapedGoodput(t *testing.T) {
	if !inLab(t) {
		return
	}
	needsFeature(t, "tbf")
	const mtu, tcpIP, ethernet = 1500, 20 + 20 + 12, 14
	const samples, tolerance = 12, 0.01
	n := measuredNetwork(t, mtu)
	for _, c := range []struct {
		name, wire string
		params     map[string]string
	}{
		{"one stream", "100mbit", nil},
		{"four streams", "100mbit", map[string]string{"streams": "4"}},
		{"a queue of half a second", "10mbit", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := n.SetWire(c.wire); err != nil {
				t.Fatal(err)
			}
			rate, err := results.ParseWire(c.wire)
			if err != nil {
				t.Fatal(err)
			}
			expected := rate * (mtu - tcpIP) / (mtu + ethernet)
			var shares []float64
			for range samples {
				m, err := stream(t, n, 200*time.Millisecond, c.params)
				if err != nil {
					t.Fatal(err)
				}
				shares = append(shares, m.Values["goodput"]/expected)
			}
			slices.Sort(shares)
			t.Logf("%.4f", shares)
			if upper := shares[samples*3/4]; upper < 1-tolerance || upper > 1+tolerance {
				t.Errorf("goodput is %.4f of the expected: %.4f", upper, shares)
			}
		})
	}
}

// TestSlowerWireUnderLoad lowers the rate limit while the queue holds packets of 64 KB,
// which are larger than the new bucket. The stream must go on.
func TestSlowerWireUnderLoad(t *testing.T) {
	if !inLab(t) {
		return
	}
	needsFeature(t, "tbf")
	n := measuredNetwork(t, 1500)
	if err := n.SetWire("1gbit"); err != nil {
		t.Fatal(err)
	}
	lowered := make(chan error, 1)
	time.AfterFunc(200*time.Millisecond, func() { lowered <- n.SetWire("100mbit") })
	if _, err := stream(t, n, time.Second, map[string]string{"streams": "4"}); err != nil {
		t.Error(err)
	}
	if err := <-lowered; err != nil {
		t.Error(err)
	}
}

// measuredNetwork is a small network with workers on its nodes.
func measuredNetwork(t *testing.T, mtu int) *network {
	t.Helper()
	n := smallNetwork(t, "l2", mtu)
	for i, node := range n.nodes {
		w, _ := probestest.ProcessIn(t, node.space.Do)
		n.ends[i] = probes.End{Worker: w, Addr: node.addr.Addr(), CPU: -1, NodeName: node.space.name}
	}
	return n
}

func stream(t *testing.T, n *network, d time.Duration, params map[string]string) (*probes.Measurement, error) {
	return load.TCPStream().Measure(t.Context(), &probes.Site{Client: n.ends[0], Server: n.ends[1], Duration: d, Params: params})
}
