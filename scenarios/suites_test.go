package scenarios

import (
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/probes"
	probecatalogue "github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/results"
)

func TestExpandGroups(t *testing.T) {
	suite := []string{"tcp-rr", "service"}
	for _, c := range []struct {
		name  string
		given []string
		want  []string
	}{
		{"no group", []string{"tcp-rr", "dns"}, []string{"tcp-rr", "dns"}},
		{"the standard probes and one more", []string{"standard", "tcp-crr"}, []string{"tcp-rr", "service", "tcp-crr"}},
		{"two groups with a probe in common", []string{"standard", "paths"}, append([]string{"tcp-rr"}, PathProbes()...)},
		{"a group and one of its probes", []string{"standard", "service"}, []string{"tcp-rr", "service"}},
		{"a probe that is named twice", []string{"dns", "dns"}, []string{"dns", "dns"}},
		{"none", nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := ExpandGroups(c.given, suite); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// TestGroupsExist checks the probes of every group, and that no probe has the name of one.
func TestGroupsExist(t *testing.T) {
	for _, spec := range slices.Concat(LabSuite(3), ClusterSuite(3), PathProbes()) {
		if _, _, err := probecatalogue.Parse(spec); err != nil {
			t.Errorf("%s: %v", spec, err)
		}
	}
	for _, p := range probecatalogue.All() {
		if slices.Contains(Groups, p.Name) {
			t.Errorf("%s is a probe and a group", p.Name)
		}
	}
}

// TestSpans checks on which topologies probes are planned that measure between pods on
// one node, or on different nodes, only.
func TestSpans(t *testing.T) {
	onCluster := []string{"cluster", results.SameNode}
	for _, c := range []struct {
		name, probe string
		topology    []string
		want        []string // where it measures
		err         string
	}{
		{"anywhere", "service", onCluster, onCluster, ""},
		{"across nodes", "pod-to-host", onCluster, onCluster[:1], ""},
		{"on one node", "hairpin", onCluster, onCluster[1:], ""},
		{"across nodes in the lab", "host-to-pod", []string{"l2", "routed"}, []string{"l2", "routed"}, ""},
		{"on one node in the lab", "hairpin", []string{"l2", "routed"}, nil, "hairpin measures between two pods on one node, which runs on clusters have and topology l2,routed has not"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := Defaults()
			if slices.Contains(c.topology, "cluster") {
				a.Testbed, a.Wire = "cluster", []string{results.WireNone}
			}
			a.Plugins, a.Topology, a.Probes, a.Wire = []string{"flannel-vxlan"}, c.topology, []string{c.probe}, []string{results.WireNone}
			_, err := Check(&a, catalogue.All())
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range block(a, a.Plugins, 0, func(*probes.Probe) bool { return true }) {
				if s.Plugin != results.HostPlugin && !slices.Contains(got, s.Topology.Name) {
					got = append(got, s.Topology.Name)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, c.want) {
				t.Errorf("on %v, want %v", got, c.want)
			}
		})
	}
}
