package main

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/results"
)

// guardNode drops the connections of the first node's pods to the second node itself, as
// a node's firewall may.
func guardNode(ctx context.Context, n plugins.Network, d *plugins.Deployment) error {
	from, err := podSubnet(d, n.Nodes[0])
	if err != nil {
		return err
	}
	return iptables(ctx, n.Nodes[1], fmt.Sprintf("-I INPUT -p tcp -s %s -j DROP", from.Masked()))
}

// TestHostPaths measures the paths between pods and nodes, with and without a firewall
// on the node.
func TestHostPaths(t *testing.T) {
	needs(t, "flannel-vxlan")
	r := measure(t, "--plugins", "flannel-vxlan,faulty-guarded", "--probes", "pod-to-host,host-to-pod", "--wire", "none", "--rounds", "2", "--duration", "100ms")
	for _, c := range []struct {
		plugin, probe string
		measured      bool
	}{
		{"flannel-vxlan", "pod-to-host", true},
		{"flannel-vxlan", "host-to-pod", true},
		{"faulty-guarded", "pod-to-host", false},
		{"faulty-guarded", "host-to-pod", true},
	} {
		t.Run(c.plugin+" "+c.probe, func(t *testing.T) {
			cell := r.Cell(results.Cell{Plugin: c.plugin, Topology: results.On("l2"), Wire: "none"})
			if cell == nil || cell.Status != results.StatusOK {
				t.Fatalf("%+v", cell)
			}
			for _, name := range []string{"rate", "goodput", "p50"} {
				m := cell.Metric(c.probe, name)
				if c.measured != (m != nil) || m != nil && (m.Median <= 0 || m.VsStraight == nil || m.VsStraight.N != 2) {
					t.Errorf("%s: %+v", name, m)
				}
			}
		})
	}
	if n := r.NotMeasured; len(n) != 1 || len(n[0].Places) != 1 || n[0].Places[0].String() != "faulty-guarded on l2" || !strings.Contains(n[0].Text.String(), "no connection passed from") {
		t.Errorf("not measured: %+v", n)
	}
}
