package scenarios

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/plugins/catalogue"
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
		short string // part of the warning, "" for none
		least int
	}{
		{"one plugin", asked(6, "flannel-vxlan"), "", 6},
		{"three comparisons in seven rounds", asked(7, "flannel-vxlan", "calico-bgp"), "", 7},
		{"three comparisons in six rounds", asked(6, "flannel-vxlan", "calico-bgp"), "6 rounds cannot show any difference among 3 comparisons: 7 are needed", 6},
		{"a control makes one more", control, "among 2 comparisons: 7 are needed", 6},
		{"until it is precise", asked(0, "flannel-vxlan", "calico-bgp"), "", 12},
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

// TestPlanApart plans plugins that are never up at the same time: each has its own blocks, with
// its own baseline.
func TestPlanApart(t *testing.T) {
	a := Defaults()
	a.Testbed, a.Topology, a.Wire, a.Probes = "cluster", []string{"cluster", results.SameNode}, []string{"none"}, []string{"tcp-rr"}
	a.Install, a.Rounds = []string{"flannel-vxlan", "flannel-host-gw"}, 8
	a.Plugins = slices.Clone(a.Install)
	if _, err := Check(&a, catalogue.All()); err != nil {
		t.Fatal(err)
	}
	p := PlanOf(a)
	if p.Phases != 2 || len(p.Networks) != 6 || len(p.Order) != 4 || p.Comparisons != 3 || p.Short() != "" {
		t.Errorf("%+v", p)
	}
	var instances [][]string
	for _, phase := range Phases(nil, a) {
		instances = append(instances, phase.Instances)
	}
	if want := [][]string{{"host", "flannel-vxlan"}, {"host", "flannel-host-gw"}}; !reflect.DeepEqual(instances, want) {
		t.Errorf("phases %v", instances)
	}
}

// TestUsualTime checks that a sample of several measurements counts as such, each with
// a warm-up of its own.
func TestUsualTime(t *testing.T) {
	for _, c := range []struct {
		name, probe string
		duration    results.Seconds
		want        time.Duration
	}{
		{"one measurement", "tcp-rr", 0.2, 270 * time.Millisecond},
		{"six of the shortest", "service", 0.2, 6 * 170 * time.Millisecond},
		{"six that share the duration", "service", 1.2, 6 * 270 * time.Millisecond},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := usualTime([]step{{probe: c.probe}, {probe: c.probe}}, c.duration); got != 2*c.want {
				t.Errorf("%s, want %s", got, 2*c.want)
			}
		})
	}
}
