package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/report/markdown"
	astext "github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// TestOneWayOnCluster measures streams in both directions on a cluster: the reports
// name the nodes that data flows between, and a direction that is much slower.
func TestOneWayOnCluster(t *testing.T) {
	for _, tt := range []struct {
		name         string
		host, plugin [2]float64 // from the client to the server, and back, in bit/s
		says         []string   // warnings about directions
	}{
		{"alike", [2]float64{9e8, 9e8}, [2]float64{8e8, 7e8}, nil},
		{"a slow way back", [2]float64{9e8, 9e8}, [2]float64{8e8, 1e8},
			[]string{"flannel-vxlan on l2: one direction carries much less than the other: 800 Mbit/s over 1gbit from node-a to node-b, 100 Mbit/s back"}},
		{"a slow way there", [2]float64{9e8, 9e8}, [2]float64{1e8, 8e8},
			[]string{"flannel-vxlan on l2: one direction carries much less than the other: 100 Mbit/s over 1gbit from node-a to node-b, 800 Mbit/s back"}},
		{"a node that sends slowly", [2]float64{9e8, 1e8}, [2]float64{8e8, 0.9e8},
			[]string{"host on l2: one direction carries much less than the other: 900 Mbit/s over 1gbit from node-a to node-b, 100 Mbit/s back"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var all []results.Record
			for plugin, ways := range map[string][2]float64{"host": tt.host, "flannel-vxlan": tt.plugin} {
				all = append(all, fine(plugin, "tcp-stream", "goodput", ways[0], six...)...)
				all = append(all, fine(plugin, "tcp-stream:reverse", "goodput", ways[1], six...)...)
			}
			recorded := record(together(all)...)
			recorded.Run.Asked.Testbed = "cluster"
			recorded.Run.Clusters = []results.Cluster{{UID: "u", Nodes: []results.ClusterNode{{Name: "node-a"}, {Name: "node-b"}}}}
			recorded.Run.Metrics = append(recorded.Run.Metrics, results.Metric{Probe: "tcp-stream:reverse", Name: "goodput", Unit: "bit/s", Better: "higher"})
			r := build(t, recorded)
			var said []string
			for _, w := range r.Warnings {
				if strings.Contains(w.String(), "one direction") {
					said = append(said, w.String())
				}
			}
			if strings.Join(said, "\n") != strings.Join(tt.says, "\n") {
				t.Errorf("warnings %q, want %q", said, tt.says)
			}
			var text, comment bytes.Buffer
			if err := astext.Write(&text, r, nil); err != nil {
				t.Fatal(err)
			}
			if err := markdown.Write(&comment, r, nil); err != nil {
				t.Fatal(err)
			}
			for _, way := range []words.Text{words.DataFlows.With("node-a", "node-b"), words.DataFlows.With("node-b", "node-a")} {
				if !strings.Contains(text.String(), way.String()) || !strings.Contains(comment.String(), way.String()) {
					t.Errorf("no report says %q: %s\n%s", way, &text, &comment)
				}
			}
		})
	}
}
