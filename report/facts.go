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

// measuredNodes is how many nodes the figures of a network are between: probes
// have two ends, however many nodes were brought up.
const measuredNodes = 2

// facts turns the report into what the advice rests on, one entry for each
// topology. What was not measured stays empty.
func (r *Report) facts() []advice.Facts {
	var all []advice.Facts
	for _, topology := range r.topologies() {
		if topology == results.SameNode {
			continue // no plugin is chosen for what happens inside a node
		}
		f := advice.Facts{Topology: topology, Testbed: r.Run.Testbed, Nodes: measuredNodes, NodesAsked: r.Run.Asked.Nodes, Rounds: r.Run.Rounds,
			Complete: r.Run.Complete, Link: r.link(topology)}
		for _, plugin := range r.plugins(topology) {
			f.Plugins = append(f.Plugins, r.pluginFacts(plugin, topology))
		}
		f.Comparisons, f.NeededRounds = r.comparisonsFor(topology)
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
		p.Fidelity = c.Fidelity
	}
	p.PathMTU, p.Findings = r.pathMTU(plugin, topology), r.findingsOf(plugin, topology)
	for _, s := range r.Setup {
		if s.Plugin == plugin && s.Topology == topology {
			p.Memory = s.AgentRSSBytes
		}
	}
	r.wireFacts(&p, topology)
	p.Facts[advice.PathSeen] = r.path(plugin, topology)
	p.Facts[advice.SourceKept] = r.sourceKept(plugin, topology)
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

// hardlyAnything is the share of the host's goodput below which pods reach each
// other in name alone. The slowest mode of the catalogue, flannel's udp, carries
// some ten times as much.
const hardlyAnything = 0.01

// works is whether pods on different nodes reach each other, both ways, for as
// long as the run took. A network that the kernel cannot carry, that the run did
// not come to, or that fails where the nodes' own network fails too was not
// measured.
func (r *Report) works(plugin, topology string) advice.Fact {
	cells := r.cells(plugin, topology)
	for _, c := range cells {
		if c.Status != results.StatusBroke {
			continue
		}
		if shared := r.Underlay(c); shared != "" {
			return advice.Fact{Evidence: shared}
		}
		return advice.Fact{Value: "no", Evidence: c.broke()}
	}
	across := r.attempts(plugin, topology, results.PodToPod)
	if slices.ContainsFunc(across, func(a results.Reachability) bool { return !a.Reachable }) {
		if shared := r.noneFrom(across); shared != "" {
			return advice.Fact{Evidence: "the nodes' own network fails at it too: " + shared}
		}
		return advice.Fact{Value: "no", Evidence: results.PodToPod + ": " + strings.Join(unreached(across), "; ")}
	}
	var causes []string
	var figure string
	for _, c := range cells {
		switch {
		case c.Status == results.StatusOK && len(c.Metrics) > 0 && figure == "":
			figure = fmt.Sprintf("%d samples of %s", c.Metrics[0].N, c.Metrics[0].Probe)
		case c.Status == results.StatusFailed && c.Fidelity != "":
			causes = append(causes, cmp.Or(r.Underlay(c), c.Cause))
		case c.Status != results.StatusOK:
			return advice.Fact{Evidence: c.Status + ": " + c.Cause}
		}
	}
	never := r.never(plugin, topology)
	switch {
	case never != nil && never.Shared:
		return advice.Fact{Evidence: never.text()}
	case never != nil:
		return advice.Fact{Value: "no", Evidence: never.text()}
	case figure != "":
		if little := r.little(plugin, topology); little != "" {
			return advice.Fact{Value: "partly", Evidence: little}
		}
		return advice.Fact{Value: "yes", Evidence: figure}
	case len(causes) > 0 && r.Underlay(cells[0]) != "":
		return advice.Fact{Evidence: causes[0]}
	case len(causes) > 0:
		return advice.Fact{Value: "no", Evidence: causes[0]}
	}
	return r.cameUp(plugin, topology)
}

// cameUp takes a network for one that works because a packet passed while it was
// brought up.
func (r *Report) cameUp(plugin, topology string) advice.Fact {
	for _, s := range r.Setup {
		if s.Plugin == plugin && s.Topology == topology && r.sentAtSetup() {
			return advice.Fact{Value: "yes", Evidence: "first packet between pods after " + quantity(s.NetworkReadyMS/1000, "s")}
		}
	}
	return advice.Fact{}
}

// little says that a stream got next to nothing through, "" if none did so.
func (r *Report) little(plugin, topology string) string {
	for _, c := range r.cells(plugin, topology) {
		for _, m := range c.Metrics {
			if name, _, _ := strings.Cut(m.Probe, ":"); name == "tcp-stream" && m.Name == "goodput" && m.VsHost != nil && m.VsHost.Ratio < hardlyAnything {
				return fmt.Sprintf("%s carries %s %s, %s of host", m.Probe, quantity(m.Median, m.Unit), wireText(c.Wire), ratio(m.VsHost))
			}
		}
	}
	return ""
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

// attempts are those in a direction, both ways where it has two.
func (r *Report) attempts(plugin, topology, direction string) []results.Reachability {
	var all []results.Reachability
	for _, a := range r.Reachability {
		if a.Plugin == plugin && a.Topology == topology && a.Direction == direction {
			all = append(all, a)
		}
	}
	return all
}

// reached joins all attempts in a direction.
func (r *Report) reached(plugin, topology, direction string) advice.Fact {
	attempts := r.attempts(plugin, topology, direction)
	no := len(unreached(attempts))
	var said []string
	for _, text := range reachTexts(attempts) {
		said = append(said, direction+": "+text)
	}
	return advice.Fact{Value: ofAll(len(attempts)-no, no), Evidence: strings.Join(said, "; ")}
}

// unreached says of the attempts that failed which way they were and why.
func unreached(attempts []results.Reachability) []string {
	var all []string
	for _, a := range attempts {
		if !a.Reachable {
			all = append(all, way(a))
		}
	}
	return all
}

// reachTexts says what became of the attempts in a direction, each thing once:
// what is the same both ways is said of both.
func reachTexts(attempts []results.Reachability) []string {
	alike := true
	back := false // somebody looked at the other way too
	for _, a := range attempts {
		alike = alike && reachText(a) == reachText(attempts[0])
		back = back || a.From != a.To && a.From == attempts[0].To && a.To == attempts[0].From
	}
	if alike && back {
		return []string{"both ways: " + reachText(attempts[0])}
	}
	var all []string
	for _, a := range attempts {
		if text := way(a); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// way says what became of an attempt, and from which node to which it was if it
// was between two.
func way(a results.Reachability) string {
	if a.Direction != results.PodToPod || a.From == "" || a.To == "" {
		return reachText(a)
	}
	return fmt.Sprintf("from %s to %s: %s", a.From, a.To, reachText(a))
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
