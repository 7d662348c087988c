package cluster

import (
	"fmt"
	"slices"
	"testing"

	core "k8s.io/api/core/v1"

	"github.com/cnibench/cnibench/testbed/cluster/kube/kubetest"
)

// TestSpread chooses the nodes of a survey.
func TestSpread(t *testing.T) {
	kind := func(k string) func(*core.Node) {
		return func(n *core.Node) { n.Labels[core.LabelInstanceTypeStable] = k }
	}
	var nodes []core.Node
	for i := range 40 { // ten in zone b; of a's nodes, every third is large
		zone, size := "a", "small"
		if i%4 == 3 {
			zone = "b"
		} else if i%3 == 0 {
			size = "large"
		}
		nodes = append(nodes, kubetest.Node(fmt.Sprintf("n%02d", i), kubetest.Zone(zone), kind(size)))
	}
	measured := [2]core.Node{nodes[0], nodes[3]}
	names := func(limit int, seed uint64) (all []string, zones map[string]int, beyond int) {
		more, beyond := spread(nodes, measured, limit, seed)
		zones = map[string]int{}
		for _, n := range more {
			zones[n.Labels[core.LabelTopologyZone]]++
			all = append(all, n.Name)
		}
		return all, zones, beyond
	}
	if all, _, beyond := names(40, 1); len(all) != 38 || beyond != 0 || !slices.IsSorted(all) {
		t.Errorf("all: %v, %d beyond", all, beyond)
	}
	few, zones, beyond := names(12, 1)
	if len(few) != 10 || beyond != 28 || zones["a"] != 5 || zones["b"] != 5 || slices.Contains(few, "n00") || slices.Contains(few, "n03") {
		t.Errorf("%v in %v, %d beyond", few, zones, beyond)
	}
	if again, _, _ := names(12, 1); !slices.Equal(again, few) {
		t.Errorf("the same seed chose %v and %v", few, again)
	}
	if other, _, _ := names(12, 2); slices.Equal(other, few) {
		t.Errorf("another seed chose %v too", other)
	}
	if _, zones, _ := names(36, 1); zones["b"] != 9 {
		t.Errorf("%v: zone b has only nine more", zones)
	}
	if all, _, beyond := names(2, 1); len(all) != 0 || beyond != 38 {
		t.Errorf("two: %v, %d beyond", all, beyond)
	}
}
