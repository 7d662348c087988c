// Package facts derives from a report the facts that the advice rests on.
package facts

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Limits for the CPU time of a network's agents during a stream, in CPUs. Agents
// that handle packets themselves need most of a CPU, others almost nothing.
const (
	handlesPackets = 0.25
	onlyWatches    = 0.1
)

// measuredNodes is the number of nodes that figures are measured between: probes
// have two ends, however many nodes the network has.
const measuredNodes = 2

// All returns the facts that the advice rests on, one entry for each topology. Facts
// that were not measured are empty.
func All(r *model.Report) []advice.Facts {
	var all []advice.Facts
	for _, topology := range r.Topologies() {
		if topology.Name == results.SameNode {
			continue // plugins are not chosen by the path inside a node
		}
		f := advice.Facts{Topology: topology, Testbed: r.Run.Testbed, Nodes: measuredNodes, NodesAsked: r.Run.Asked.Nodes,
			Complete: r.Run.Complete, ControlDiffers: controlsDiffering(r, topology), Link: linkOf(r, topology)}
		for _, plugin := range PluginsOf(r, topology) {
			f.Plugins = append(f.Plugins, OfPlugin(r, plugin, topology))
		}
		compare(&f, r)
		all = append(all, f)
	}
	return all
}

// PluginsOf lists the plugins that are compared on a topology, without the baseline
// and second copies.
func PluginsOf(r *model.Report, topology results.Topology) []string {
	var all []string
	for _, c := range r.Cells {
		if c.Topology == topology && c.Plugin != results.HostPlugin && !strings.Contains(c.Plugin, "+") && !slices.Contains(all, c.Plugin) {
			all = append(all, c.Plugin)
		}
	}
	return all
}

// OfPlugin returns the facts of a plugin on a topology.
func OfPlugin(r *model.Report, plugin string, topology results.Topology) advice.Plugin {
	p := advice.Plugin{Name: plugin, Facts: map[string]advice.Fact{advice.Works: Works(r, plugin, topology)}}
	p.Untried = true
	for _, c := range r.CellsOf(plugin, topology) {
		p.Fidelity, p.Rounds = c.Fidelity, max(p.Rounds, c.Rounds)
		p.Untried = p.Untried && c.Cause == model.CauseNotReached
	}
	p.PathMTU, p.Findings = pathMTU(r, plugin, topology), findingsOf(r, plugin, topology)
	for _, s := range r.Setup {
		if s.Plugin == plugin && s.Topology == topology {
			p.Memory = s.AgentRSSBytes
		}
	}
	p.Failed, p.Samples = failedSamples(r, plugin, topology)
	p.Implausible = implausible(r, plugin, topology)
	wireFacts(r, &p, topology)
	for _, c := range r.CellsOf(plugin, topology) {
		p.Configured = c.Configured
		if !c.Contradicted.Empty() {
			p.Facts[advice.AsNamed] = advice.Fact{Value: YesNo(false), Evidence: c.Contradicted}
		}
	}
	p.Facts[advice.PathSeen] = SeenOnWire(r, plugin, topology)
	p.Facts[advice.SourceKept] = sourceKept(r, plugin, topology)
	if policy := policyOf(r, plugin, topology); policy.Value != "" {
		p.Facts[advice.Policy] = policy
	}
	p.Facts[advice.Reachable] = Reached(r, plugin, topology, results.OutsideToPod)
	p.Facts[advice.SameNode] = Reached(r, plugin, topology, results.PodToNeigh)
	p.Facts[advice.UserSpace] = userSpace(r, plugin, topology)
	return p
}

// hardlyAnything is the share of the host's goodput below which a network hardly
// works. The slowest mode of the catalogue, flannel's udp, carries about ten times
// as much.
const hardlyAnything = 0.01

// Works returns whether pods on different nodes reached each other in both directions
// during the whole run. A network that the kernel does not support, that the run did
// not reach, or that fails where the nodes' own network fails too was not measured.
func Works(r *model.Report, plugin string, topology results.Topology) advice.Fact {
	cells := r.CellsOf(plugin, topology)
	for _, c := range cells {
		if c.Status != results.StatusBroke {
			continue
		}
		if shared := Underlay(r, c); !shared.Empty() {
			return advice.Fact{Evidence: shared}
		}
		return advice.Fact{Value: "no", Evidence: c.Broke()}
	}
	across := Attempts(r, plugin, topology, results.PodToPod)
	if slices.ContainsFunc(across, func(a results.Reachability) bool { return !a.Reachable }) {
		if shared := noneFrom(r, across); !shared.Empty() {
			return advice.Fact{Evidence: words.HostFailsToo.With(shared)}
		}
		return advice.Fact{Value: "no", Evidence: words.Of(DirectionText(results.PodToPod), words.Clauses(unreached(across)...))}
	}
	var causes []words.Text
	var figure words.Text
	for _, c := range cells {
		switch {
		case c.Status == results.StatusOK && len(c.Metrics) > 0 && figure.Empty():
			figure = words.Plural(c.Metrics[0].N, words.SampleOf, words.SamplesOf).With(c.Metrics[0].N, c.Metrics[0].Probe)
		case c.Status == results.StatusFailed && c.Fidelity != "":
			causes = append(causes, cmp.Or(Underlay(r, c), c.Cause))
		case c.Status != results.StatusOK:
			return advice.Fact{Evidence: words.Of(model.StatusText(c.Status), c.Cause)}
		}
	}
	never := never(r, plugin, topology)
	switch {
	case never != nil && never.Shared:
		return advice.Fact{Evidence: never.Text()}
	case never != nil:
		return advice.Fact{Value: "no", Evidence: never.Text()}
	case !figure.Empty():
		if little := little(r, plugin, topology); !little.Empty() {
			return advice.Fact{Value: "partly", Evidence: little}
		}
		return advice.Fact{Value: "yes", Evidence: figure}
	case len(causes) > 0 && !Underlay(r, cells[0]).Empty():
		return advice.Fact{Evidence: causes[0]}
	case len(causes) > 0:
		return advice.Fact{Value: "no", Evidence: causes[0]}
	}
	return cameUp(r, plugin, topology)
}

// cameUp concludes that a network works from the first packet that passed when it
// was brought up.
func cameUp(r *model.Report, plugin string, topology results.Topology) advice.Fact {
	for _, s := range r.Setup {
		if s.Plugin == plugin && s.Topology == topology && SentAtSetup(r) {
			return advice.Fact{Value: "yes", Evidence: words.FirstPacketAfter.With(quantity.Format(s.NetworkReadyMS/1000, "s"))}
		}
	}
	return advice.Fact{}
}

// little describes a stream with almost no goodput; it is empty if there is none.
func little(r *model.Report, plugin string, topology results.Topology) words.Text {
	for _, c := range r.CellsOf(plugin, topology) {
		for _, m := range c.Metrics {
			if name, _, _ := strings.Cut(m.Probe, ":"); name == "tcp-stream" && m.Name == "goodput" && m.VsHost != nil && m.VsHost.Ratio < hardlyAnything {
				return words.HardlyCarries.With(m.Probe, quantity.Format(m.Median, m.Unit), model.WireText(c.Wire), m.VsHost.String())
			}
		}
	}
	return words.Text{}
}

// YesNo returns the value of a fact.
func YesNo(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}

// linkOf returns whether the nodes of a topology share a link layer.
func linkOf(r *model.Report, topology results.Topology) advice.Fact {
	var pairs, answered, forwarding int
	for _, a := range r.Adjacency {
		if a.Topology != topology {
			continue
		}
		pairs++
		if a.Neighbour {
			answered++
		}
		if a.Forwards {
			forwarding++
		}
	}
	if pairs == 0 {
		return advice.Fact{}
	}
	return advice.Fact{Value: ofAll(forwarding, pairs-forwarding),
		Evidence: words.PairsAnswering.With(pairs, answered, forwarding)}
}

// userSpace returns whether the agents handle packets themselves.
func userSpace(r *model.Report, plugin string, topology results.Topology) advice.Fact {
	for _, c := range r.CellsOf(plugin, topology) {
		if c.AgentCPU == nil || c.Fidelity == advice.DataPath {
			continue
		}
		value := "partly"
		switch {
		case *c.AgentCPU >= handlesPackets:
			value = "yes"
		case *c.AgentCPU <= onlyWatches:
			value = "no"
		}
		return advice.Fact{Value: value, Evidence: words.AgentsTookCPUs.With(*c.AgentCPU)}
	}
	return advice.Fact{}
}

// SentAtSetup reports whether the setup time of a network ends with a packet between
// pods. In old records of clusters, which do not describe the nodes, it ends when the
// pods are ready.
func SentAtSetup(r *model.Report) bool { return !r.OnCluster() || len(r.Run.Clusters) > 0 }
