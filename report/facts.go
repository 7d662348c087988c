package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// Processor time of a network's agents while a stream passes, in CPUs: what
// handles packets itself needs most of one, what only watches needs almost
// none.
const (
	handlesPackets = 0.25
	onlyWatches    = 0.1
)

// facts turns the report into what the advice rests on, one entry for each
// topology. What was not measured stays empty.
func (r *Report) facts() []advice.Facts {
	var all []advice.Facts
	for _, topology := range r.topologies() {
		if topology == results.SameNode {
			continue // no plugin is chosen for what happens inside a node
		}
		f := advice.Facts{Topology: topology, Testbed: r.Run.Testbed, Nodes: r.Run.Asked.Nodes, Rounds: r.Run.Rounds,
			Complete: r.Run.Complete, Link: r.link(topology)}
		for _, plugin := range r.plugins(topology) {
			f.Plugins = append(f.Plugins, r.pluginFacts(plugin, topology))
		}
		f.Comparisons = r.comparisonsFor(topology)
		all = append(all, f)
	}
	return all
}

// topologies lists those that something is reported of, in their order.
func (r *Report) topologies() []string {
	var all []string
	for _, c := range r.Cells {
		if !slices.Contains(all, c.Topology) {
			all = append(all, c.Topology)
		}
	}
	return all
}

// plugins lists what is compared on a topology: no baseline, and nothing
// twice.
func (r *Report) plugins(topology string) []string {
	var all []string
	for _, c := range r.Cells {
		if c.Topology == topology && c.Plugin != results.HostPlugin && !strings.Contains(c.Plugin, "+") && !slices.Contains(all, c.Plugin) {
			all = append(all, c.Plugin)
		}
	}
	return all
}

// pluginFacts collects what was measured of a plugin.
func (r *Report) pluginFacts(plugin, topology string) advice.Plugin {
	p := advice.Plugin{Name: plugin, Facts: map[string]advice.Fact{advice.Works: r.works(plugin, topology)}}
	for _, c := range r.cells(plugin, topology) {
		p.Fidelity, p.PodMTU = c.Fidelity, c.PodMTU
	}
	for _, s := range r.Setup {
		if s.Plugin == plugin && s.Topology == topology {
			p.Memory = s.AgentRSSBytes
		}
	}
	r.wireFacts(&p, topology)
	if policy, ok := r.policy(plugin, topology); ok {
		p.Facts[advice.Policy] = policy
	}
	p.Facts[advice.Reachable] = r.reached(plugin, topology, results.OutsideToPod)
	p.Facts[advice.SameNode] = r.reached(plugin, topology, results.PodToNeigh)
	p.Facts[advice.UserSpace] = r.userSpace(plugin, topology)
	return p
}

// cells are those of a plugin on a topology, one for each wire.
func (r *Report) cells(plugin, topology string) []*Cell {
	var all []*Cell
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Plugin == plugin && c.Topology == topology {
			all = append(all, c)
		}
	}
	return all
}

// works is whether pods on different nodes reach each other. A network that
// the kernel cannot carry, or that the run did not come to, was not measured.
func (r *Report) works(plugin, topology string) advice.Fact {
	if across := r.reached(plugin, topology, results.PodToPod); across.Value != "" && across.Value != "yes" {
		return advice.Fact{Value: "no", Evidence: across.Evidence}
	}
	var causes []string
	for _, c := range r.cells(plugin, topology) {
		switch {
		case c.Status == results.StatusOK && len(c.Metrics) > 0:
			m := &c.Metrics[0]
			return advice.Fact{Value: "yes", Evidence: fmt.Sprintf("%d samples of %s", m.N, m.Probe)}
		case c.Status == results.StatusFailed && c.Fidelity != "":
			causes = append(causes, c.Cause)
		case c.Status != results.StatusOK:
			return advice.Fact{Evidence: c.Status + ": " + c.Cause}
		}
	}
	if len(causes) > 0 {
		return advice.Fact{Value: "no", Evidence: causes[0]}
	}
	for _, s := range r.Setup {
		if s.Plugin == plugin && s.Topology == topology {
			return advice.Fact{Value: "yes", Evidence: "first packet between pods after " + quantity(s.NetworkReadyMS/1000, "s")}
		}
	}
	return advice.Fact{}
}

// wireFacts is what captures showed.
func (r *Report) wireFacts(p *advice.Plugin, topology string) {
	for _, e := range r.Encapsulation {
		if e.Plugin != p.Name || e.Topology != topology || e.Effective == "unseen" {
			continue
		}
		evidence := fmt.Sprintf("on the wire: %s, %d of %d packets", form(e.Effective, e.Port, e.OverheadBytes), e.Frames, e.Sent)
		encapsulates := map[string]string{"none": "no", "mixed": "partly"}[e.Effective]
		if encapsulates == "" {
			encapsulates = "yes"
		}
		overhead := e.OverheadBytes
		p.Overhead = &overhead
		p.Facts[advice.Encapsulates] = advice.Fact{Value: encapsulates, Evidence: evidence}
		p.Facts[advice.Encrypts] = advice.Fact{Value: yesNo(e.Effective == "wireguard"), Evidence: evidence}
		p.Facts[advice.WireAgrees] = advice.Fact{Value: yesNo(e.Agrees), Evidence: evidence}
	}
}

func yesNo(v bool) string {
	if v {
		return "yes"
	}
	return "no"
}

// policy is whether a deny rule took effect.
func (r *Report) policy(plugin, topology string) (advice.Fact, bool) {
	for _, p := range r.Policy {
		if p.Plugin == plugin && p.Topology == topology {
			return advice.Fact{Value: yesNo(p.Enforced), Evidence: policyText(p)}, true
		}
	}
	return advice.Fact{}, false
}

func policyText(p results.Policy) string {
	switch {
	case p.Enforced:
		return "a deny rule held after " + quantity(p.Seconds, "s")
	case p.Cause != "":
		return "a deny rule did not hold: " + p.Cause
	}
	return "a deny rule did not hold"
}

// reached joins all attempts in a direction.
func (r *Report) reached(plugin, topology, direction string) advice.Fact {
	yes, no := 0, 0
	var said []string
	for _, a := range r.Reachability {
		if a.Plugin != plugin || a.Topology != topology || a.Direction != direction {
			continue
		}
		if a.Reachable {
			yes++
		} else {
			no++
		}
		if text := direction + ": " + reachText(a); !slices.Contains(said, text) {
			said = append(said, text)
		}
	}
	return advice.Fact{Value: ofAll(yes, no), Evidence: strings.Join(said, "; ")}
}

// ofAll is yes or no if all agree.
func ofAll(yes, no int) string {
	switch {
	case yes+no == 0:
		return ""
	case no == 0:
		return "yes"
	case yes == 0:
		return "no"
	}
	return "partly"
}

// reachText says what became of an attempt.
func reachText(a results.Reachability) string {
	switch {
	case a.Reachable && a.Source == results.SourceSNAT:
		return "reached, source translated to " + a.Seen
	case a.Reachable && a.Source == results.SourceKept:
		return "reached, source kept"
	case a.Reachable:
		return "reached"
	}
	text := "not reached"
	if a.Cause != "" {
		text += ": " + a.Cause
	}
	if a.LastSeen != "" {
		text += " (last seen at " + a.LastSeen + ")"
	}
	return text
}

// link is whether the nodes of a topology share a link layer.
func (r *Report) link(topology string) advice.Fact {
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
		Evidence: fmt.Sprintf("of %d pairs of nodes %d answer as neighbours, and %d take frames for foreign addresses", pairs, answered, forwarding)}
}

// userSpace is whether the agents handle packets themselves.
func (r *Report) userSpace(plugin, topology string) advice.Fact {
	for _, c := range r.cells(plugin, topology) {
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
		return advice.Fact{Value: value, Evidence: fmt.Sprintf("its agents took %.2f CPUs while a stream passed", *c.AgentCPU)}
	}
	return advice.Fact{}
}

// agentCPU is what a network's agents took while streams passed; nil if the
// record has nothing of it.
func agentCPU(samples []results.Sample) *float64 {
	var shares []float64
	recorded := false
	for _, s := range samples {
		if name, _, _ := strings.Cut(s.Probe, ":"); name != "tcp-stream" || s.Error != "" || s.Seconds <= 0 {
			continue
		}
		// Old records do not say how long the agents were watched; that was
		// longer than the counted part, so their share comes out too large.
		shares = append(shares, s.AgentSeconds/cmp.Or(s.AgentWindow, s.Seconds))
		recorded = recorded || s.AgentSeconds > 0
	}
	if !recorded {
		return nil
	}
	median := stats.Summarize(shares).Median
	return &median
}
