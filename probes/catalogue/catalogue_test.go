package catalogue

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/probes/probestest"
	"github.com/cnibench/cnibench/words"
)

func TestMain(m *testing.M) { probestest.Main(m, role) }

func TestSamples(t *testing.T) {
	for _, spec := range []string{"tcp-stream", "tcp-rr", "tcp-rr:size=512", "tcp-rr:rate=2000", "udp-rr", "udp-rr:size=100:busy", "udp-rr:rate=1000", "tcp-crr", "load-latency", "udp-pps", "udp-pps:segments=8",
		"tcp-stream:streams=3", "tcp-stream:both", "tcp-stream:reverse:zerocopy"} {
		t.Run(spec, func(t *testing.T) {
			p, params, err := Parse(spec)
			if err != nil {
				t.Fatal(err)
			}
			s := probestest.Loopback(t, 200*time.Millisecond)
			s.Params = params
			m, err := p.Measure(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			for _, metric := range p.Metrics {
				if slices.Contains([]string{"packets", "segments", "drops", "agents"}, metric.Name) {
					continue // these need a worker on the node
				}
				v, ok := m.Values[metric.Name]
				if !ok || v < 0 || v == 0 && metric.Name != "retransmits" && metric.Name != "cpu" && metric.Name != "switches" && metric.Name != "loss" && metric.Name != "reordered" {
					t.Errorf("%s is %v, %v", metric.Name, v, ok)
				}
			}
			if m.Seconds <= 0 || m.CPU == nil {
				t.Errorf("%+v", m)
			}
			// Outside the lab an ordinary user may not be allowed to set the congestion
			// control.
			if other := m.Params["congestion"]; other != hot.CongestionControl && strings.HasPrefix(spec, "tcp") && !strings.Contains(words.Clauses(m.Warnings...).String(), "congestion control is "+other) {
				t.Errorf("congestion control is %s, and no warning says so: %q", other, m.Warnings)
			}
			if m.Hist != nil && (m.Values["p50"] > m.Values["p99"] || m.Values["p99"] > m.Values["p999"]) {
				t.Errorf("percentiles are out of order: %v", m.Values)
			}
		})
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ spec, name, key, value, err string }{
		{"tcp-rr", "tcp-rr", "size", "1", ""},
		{"tcp-rr:size=64", "tcp-rr", "size", "64", ""},
		{"encap", "encap", "", "", ""},
		{"tcp-rr:size=0", "", "", "", "from 1 to"},
		{"tcp-rr:size=x", "", "", "", "from 1 to"},
		{"tcp-rr:size", "", "", "", "from 1 to"},
		{"tcp-rr:size=1:size=2", "", "", "", "twice"},
		{"tcp-rr:", "", "", "", "there is no parameter"},
		{"encap:x=1", "", "", "", "takes no parameters"},
		{"tcp", "", "", "", "there is no probe"},
		{"", "", "", "", "there is no probe"},
	} {
		t.Run(c.spec, func(t *testing.T) {
			p, params, err := Parse(c.spec)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || p.Name != c.name || params[c.key] != c.value {
				t.Errorf("%v, %v, %v", p, params, err)
			}
		})
	}
}

// TestPeerDies kills one end in mid-sample. The sample must fail with a cause, and
// the other end must remain usable.
func TestPeerDies(t *testing.T) {
	for _, spec := range []string{"tcp-stream", "tcp-rr"} {
		t.Run(spec, func(t *testing.T) {
			p, params, err := Parse(spec)
			if err != nil {
				t.Fatal(err)
			}
			s := probestest.Loopback(t, 2*time.Second)
			doomed, cmd := probestest.Process(t)
			survivor := s.Server
			s.Server.Worker, s.Params = doomed, params
			time.AfterFunc(300*time.Millisecond, func() { cmd.Process.Kill() })
			if _, err := p.Measure(t.Context(), s); err == nil {
				t.Error("the sample did not fail")
			} else {
				t.Log(err)
			}
			s.Server, s.Duration = survivor, 200*time.Millisecond
			if _, err := p.Measure(t.Context(), s); err != nil {
				t.Error("the client is unusable afterwards: ", err)
			}
		})
	}
}

// TestFactsHaveFactsOnly checks that the figures of a probe are facts if, and only if, the probe
// says what changed.
func TestFactsHaveFactsOnly(t *testing.T) {
	for _, p := range All() {
		for _, m := range p.Metrics {
			if m.Fact != (p.Changed != nil) {
				t.Errorf("%s %s: fact: %v, but the probe compares samples: %v", p.Name, m.Name, m.Fact, p.Changed != nil)
			}
		}
	}
}
