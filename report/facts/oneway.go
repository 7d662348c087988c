package facts

import (
	"slices"
	"strings"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Ends names the client's end and the server's on a topology: the nodes of a cluster,
// where the run measured one, and otherwise their order.
func Ends(r *model.Report, topology results.Topology) (client, server words.Text) {
	switch {
	case topology.Name == results.SameNode:
		return words.FirstPod, words.SecondPod
	case len(r.Run.Clusters) == 1 && len(r.Run.Clusters[0].Nodes) == 2:
		nodes := r.Run.Clusters[0].Nodes
		return words.Quote(nodes[0].Name), words.Quote(nodes[1].Name)
	}
	return words.FirstNode, words.SecondNode
}

// StreamWay says in which direction the data of a probe's TCP streams flows; it is
// empty for other probes, and in the lab, whose nodes are alike.
func StreamWay(r *model.Report, probe string, topology results.Topology) words.Text {
	params := strings.Split(probe, ":")
	if params[0] != "tcp-stream" || !r.OnCluster() || slices.Contains(params, "both") {
		return words.Text{}
	}
	from, to := Ends(r, topology)
	if slices.Contains(params, "reverse") {
		from, to = to, from
	}
	return words.DataFlows.With(from, to)
}

// oneSided is the ratio of the goodput in two directions above which the difference is
// reported.
const oneSided = 3

// OneWay says that a cell's streams have much more goodput in one direction than in the
// other. It is empty if they do not, or if the host's streams do so too: then the
// host's cell says it.
func OneWay(r *model.Report, c *model.Cell) words.Text {
	var host *model.Cell
	if c.Plugin != results.HostPlugin {
		host = r.Cell(results.Cell{Plugin: results.HostPlugin, Topology: c.Topology, Wire: c.Wire})
	}
	for i := range c.Metrics {
		m := &c.Metrics[i]
		params := strings.Split(m.Probe, ":")
		at := slices.Index(params, "reverse")
		if params[0] != "tcp-stream" || m.Name != "goodput" || at < 0 {
			continue
		}
		forth := strings.Join(slices.Delete(params, at, at+1), ":")
		there := c.Metric(forth, m.Name)
		if there == nil || !lopsided(there, m) || host != nil && lopsided(host.Metric(forth, m.Name), host.Metric(m.Probe, m.Name)) {
			continue
		}
		from, to := Ends(r, c.Topology)
		return words.OneDirectionSlower.With(quantity.Format(there.Median, m.Unit), model.WireText(c.Wire), from, to, quantity.Format(m.Median, m.Unit))
	}
	return words.Text{}
}

// lopsided reports whether two figures differ by more than a factor of [oneSided].
func lopsided(a, b *model.Metric) bool {
	return a != nil && b != nil && max(a.Median, b.Median) > oneSided*min(a.Median, b.Median)
}
