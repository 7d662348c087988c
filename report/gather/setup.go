package gather

import (
	"math"
	"slices"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// setup adds what one deployment of a network took. The report has the medians over all of them.
func (b *Run) setup(s results.Setup, kernel string) {
	p := Place{s.Plugin, s.Topology.In(kernel)}
	b.setups[p] = append(b.setups[p], s)
	of := medians(b.setups[p])
	of.Plugin, of.Topology, of.Kernel = p.Plugin, p.Topology, kernel
	same := func(known model.Setup) bool { return known.Plugin == of.Plugin && known.Topology == of.Topology }
	if i := slices.IndexFunc(b.Report.Setup, same); i >= 0 {
		b.Report.Setup[i] = of
		return
	}
	b.Report.Setup = append(b.Report.Setup, of)
}

// medians returns the median of each figure over the deployments of a network, and of each node's
// ADD.
func medians(deployments []results.Setup) model.Setup {
	median := func(figure func(results.Setup) float64) float64 {
		var all []float64
		for _, s := range deployments {
			all = append(all, figure(s))
		}
		return stats.Summarize(all).Median
	}
	of := model.Setup{CNIAdds: []float64{},
		NetworkReadyMS: median(func(s results.Setup) float64 { return s.NetworkReadyMS }),
		AgentRSSBytes:  int64(math.Round(median(func(s results.Setup) float64 { return float64(s.AgentRSSBytes) }))),
		Agents:         int(math.Round(median(func(s results.Setup) float64 { return float64(s.Agents) })))}
	nodes := len(deployments[0].CNIAddMS)
	for _, s := range deployments {
		nodes = min(nodes, len(s.CNIAddMS))
	}
	for node := range nodes {
		of.CNIAdds = append(of.CNIAdds, median(func(s results.Setup) float64 { return s.CNIAddMS[node] }))
	}
	if nodes > 0 {
		of.CNIAddMS = stats.Summarize(of.CNIAdds).Median
	}
	return of
}
