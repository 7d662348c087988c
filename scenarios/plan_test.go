package scenarios

import (
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
)

func TestPlanSaysWhatTooFewRoundsCannotShow(t *testing.T) {
	asked := func(rounds int, plugins ...string) results.Asked {
		return results.Asked{Plugins: append([]string{results.HostPlugin}, plugins...), Topology: []string{"l2"}, Wire: []string{"none"},
			Probes: []string{"tcp-rr"}, Rounds: rounds, MaxRounds: 30, Duration: 1}
	}
	control := asked(6, "flannel-vxlan")
	control.Control = "flannel-vxlan"
	facts := asked(1, "flannel-vxlan")
	facts.Probes = []string{"reach"}
	tests := []struct {
		name  string
		asked results.Asked
		short string // a part of the warning, "" for none
		least int
	}{
		{"one plugin", asked(6, "flannel-vxlan"), "", 6},
		{"three comparisons in seven rounds", asked(7, "flannel-vxlan", "calico-bgp"), "", 7},
		{"three comparisons in six rounds", asked(6, "flannel-vxlan", "calico-bgp"), "6 rounds cannot show any difference among 3 comparisons: 7 are needed", 6},
		{"a control makes one more", control, "among 2 comparisons: 7 are needed", 6},
		{"until it is precise", asked(0, "flannel-vxlan", "calico-bgp"), "", 7},
		{"facts only", facts, "", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := PlanOf(tt.asked)
			if short := p.Short(); (short == "") != (tt.short == "") || !strings.Contains(short, tt.short) || p.Least != tt.least {
				t.Errorf("%q, at least %d rounds; want %q, %d", short, p.Least, tt.short, tt.least)
			}
		})
	}
}
