package scenarios

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
)

func TestCheckCompletes(t *testing.T) {
	a := Defaults()
	a.Plugins = []string{"calico", "flannel-*", "host", "calico-bgp"}
	selected, err := Check(&a, catalogue.All())
	if err != nil {
		t.Fatal(err)
	}
	if a.Plugins[0] != results.HostPlugin || a.Plugins[1] != "calico-bgp" || !slices.Contains(a.Plugins, "flannel-udp") || len(selected) != len(a.Plugins) {
		t.Errorf("plugins %v", a.Plugins)
	}
	if slices.Index(a.Plugins[1:], results.HostPlugin) >= 0 || a.Seed == 0 || a.Seed >= 1<<53 {
		t.Errorf("%+v", a)
	}
}

func TestBlocksAreCompleteAndRandom(t *testing.T) {
	a := Defaults()
	a.Seed = 42
	networks := []string{"host", "flannel-vxlan", "calico-bgp"}
	names := func(number int) []string {
		var order []string
		for _, s := range block(a, networks, number, sampled) {
			order = append(order, fmt.Sprint(s.Cell, s.probe))
		}
		return order
	}
	var orders [][]string
	for number := range 4 {
		order := names(number)
		if !slices.Equal(order, names(number)) {
			t.Fatalf("block %d is different the second time", number)
		}
		sorted := slices.Sorted(slices.Values(order))
		if len(order) != 3*2*3 || len(slices.Compact(sorted)) != len(order) {
			t.Errorf("block %d does not hold every cell once: %v", number, order)
		}
		orders = append(orders, order)
	}
	if slices.Equal(orders[0], orders[1]) && slices.Equal(orders[1], orders[2]) {
		t.Error("all blocks have the same order")
	}
	a.Seed = 43
	if slices.Equal(names(0), orders[0]) {
		t.Error("another seed gives the same order")
	}
}

// TestBlocksKeepQuestionsTogether checks that the samples that are compared with each other follow
// one another, and that neither the questions nor the networks within one keep their order.
func TestBlocksKeepQuestionsTogether(t *testing.T) {
	a := Defaults()
	a.Seed, a.Topology = 42, []string{"l2", "routed"}
	networks := []string{"host", "flannel-vxlan", "calico-bgp"}
	firstQuestions, firstNetworks := map[string]bool{}, map[string]bool{}
	for number := range 40 {
		steps := block(a, networks, number, sampled)
		for i, s := range steps {
			first := steps[i-i%len(networks)]
			if s.Topology != first.Topology || s.Wire != first.Wire || s.probe != first.probe {
				t.Fatalf("block %d: sample %d is of another question than %v %s", number, i, first.Cell, first.probe)
			}
		}
		firstQuestions[fmt.Sprint(steps[0].Topology, steps[0].Wire, steps[0].probe)] = true
		firstNetworks[steps[0].Plugin] = true
	}
	if len(firstQuestions) < 6 || len(firstNetworks) != len(networks) {
		t.Errorf("40 blocks begin with the questions %v and the networks %v", firstQuestions, firstNetworks)
	}
}

func TestControlIsASecondNetwork(t *testing.T) {
	a := Defaults()
	a.Plugins, a.Control = []string{"host", "flannel-vxlan"}, "flannel-vxlan"
	if got := instances(a); !slices.Equal(got, []string{"host", "flannel-vxlan", "flannel-vxlan+control"}) {
		t.Errorf("%v", got)
	}
}

// TestPrecision checks that a run stops at the width of the ratios, whatever their values.
func TestPrecision(t *testing.T) {
	three := map[string]float64{"host": 1e9, "flannel-vxlan": 5e8, "calico-bgp": 9e8}
	close := map[string]float64{"host": 1e9, "flannel-vxlan": 9.5e8, "calico-bgp": 9e8}
	eight := map[string]float64{"host": 1e9, "flannel-vxlan": 1.25e8}
	two := map[string]float64{"host": 1e9, "flannel-vxlan": 5e8}
	for _, c := range []struct {
		name    string
		plugins map[string]float64
		samples int
		noise   float64 // of flannel-vxlan alone
		common  float64 // of the machine, the same for all
		dead    string
		want    bool
	}{
		{"too few samples for an interval", two, 5, 0, 0, "", false},
		{"too few rounds to look again and again", two, 11, 0, 0, "", false},
		{"no noise", two, 12, 0, 0, "", true},
		{"noise that hits all alike cancels", three, 12, 0, 0.5, "", true},
		{"noise of one alone", close, 12, 0.2, 0, "", false},
		{"the same noise of one that is eight times slower", eight, 12, 0.2, 0, "", true},
		{"a network that is not measured any more holds nothing up", close, 12, 0.2, 0, "flannel-vxlan", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := seen{}
			var alive []string
			for plugin, level := range c.plugins {
				if plugin != c.dead {
					alive = append(alive, plugin+" l2")
				}
				for block := range c.samples {
					v := level * math.Exp(c.common*float64(block%3))
					if plugin == "flannel-vxlan" {
						v *= math.Exp(c.noise * float64(block%2))
					}
					s.add(&results.Sample{Cell: results.Cell{Plugin: plugin, Topology: results.On("l2"), Wire: "none"}, Probe: "tcp-stream", Block: block,
						Values: map[string]float64{"goodput": v, "retransmits": float64(block)}})
				}
			}
			r := s.reached(alive, 0.03)
			if got := r.precise(c.samples); got != c.want {
				t.Errorf("precise: %v, %+v", got, r)
			}
			if !c.want && c.noise > 0 && (r.width < 0.03 || r.of == "") {
				t.Errorf("the widest interval is not named: %+v", r)
			}
		})
	}
}
