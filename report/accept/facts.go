package accept

import (
	"fmt"
	"slices"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
)

// seen is a figure or a fact of one network as recorded in a run.
type seen struct {
	where string // "calico-bgp on l2 over 1gbit"; for a fact, the text after the network's name
	low   float64
	high  float64
	known bool   // whether low and high are an interval; they are equal for a fact
	word  string // value of a fact that is not a number
	unit  string
	shown string // the figure, for people
	// missing says why nothing can be decided. broken says that the network does
	// not work, which fails any threshold.
	missing, broken string
}

// place is a network: a plugin on a topology.
type place struct {
	plugin   string
	topology results.Topology
}

func (p place) String() string { return p.plugin + " on " + p.topology.String() }

// fact is a property of a network that has no samples.
type fact struct {
	name   string
	title  string
	probe  string // the probe that determines it; "" if every run records it
	number bool
	unit   string   // unit of a number
	words  []string // possible values, if it is not a number
	of     func(r *model.Report, p place) []seen
}

var (
	yesNo = []string{"true", "false"}
	kinds = []string{"none", "vxlan", "udp", "ipip", "wireguard", "geneve", "mixed"}
	sides = []string{results.SourceKept, results.SourceSNAT}
)

// factsKnown lists all facts that thresholds can name.
var factsKnown = slices.Concat(networkFacts, surveyFacts)

// networkFacts are about the two measured nodes, and what the run recorded.
var networkFacts = []fact{
	{name: "encapsulation agrees", title: "captured packets show the configured encapsulation", probe: "encap", words: yesNo,
		of: onWire(func(e results.Encapsulation) seen { return yes(e.Agrees) })},
	{name: "encapsulation kind", title: "the encapsulation of captured packets", probe: "encap", words: kinds,
		of: onWire(func(e results.Encapsulation) seen { return seen{word: e.Effective} })},
	{name: "encapsulation overhead", title: "bytes around the inner packet", probe: "encap", number: true, unit: "byte",
		of: onWire(func(e results.Encapsulation) seen { return exactly(float64(e.OverheadBytes), "byte") })},
	{name: "adjacency neighbour", title: "the nodes resolve each other's link-layer address", probe: "adjacency", words: yesNo,
		of: adjacent(func(a results.Adjacency) bool { return a.Neighbour })},
	{name: "adjacency forwards", title: "frames for foreign addresses arrive at the other node", probe: "adjacency", words: yesNo,
		of: adjacent(func(a results.Adjacency) bool { return a.Forwards })},
	reached(results.OutsideToPod), reached(results.PodToOutside), reached(results.PodToOutsideNAT), reached(results.PodToPod), reached(results.PodToNeigh),
	source(results.OutsideToPod), source(results.PodToOutside), source(results.PodToPod),
	{name: "policy enforced", title: "a rule that denies traffic takes effect", probe: "policy", words: yesNo,
		of: policy(func(p *model.Policy) seen { return yes(p.Enforced) })},
	{name: "policy seconds", title: "time from the rule to the last packet that passed", probe: "policy", number: true, unit: "s",
		of: policy(func(p *model.Policy) seen {
			if !p.Enforced {
				return seen{broken: "the policy is not enforced: " + p.Cause.String()}
			}
			return exactly(p.Seconds, "s")
		})},
	{name: "mtu pod", title: "MTU of the pods' interfaces (the MTU of the path is the metric \"mtu path\")", number: true, unit: "byte", of: podMTU},
	{name: "findings", title: "how many findings the network has", number: true, unit: "1", of: findings},
}

func yes(is bool) seen { return seen{word: fmt.Sprint(is)} }

func exactly(v float64, unit string) seen {
	return seen{low: v, high: v, known: true, unit: unit, shown: quantity.Format(v, unit)}
}

// onWire returns a function that applies look to the packet captures of a network.
func onWire(look func(results.Encapsulation) seen) func(*model.Report, place) []seen {
	return func(r *model.Report, p place) (all []seen) {
		for _, e := range r.Encapsulation {
			switch {
			case e.Plugin != p.plugin || e.Topology != p.topology:
			case e.Effective == "unseen" && e.Sent > 0:
				all = append(all, seen{missing: fmt.Sprintf("none of the %d packets was seen on the wire, although they arrived", e.Sent)})
			case e.Effective == "unseen":
				all = append(all, seen{missing: fmt.Sprint("packets on the wire could not be captured: ", e.Warnings)})
			default:
				all = append(all, look(e))
			}
		}
		return all
	}
}

func adjacent(look func(results.Adjacency) bool) func(*model.Report, place) []seen {
	return func(r *model.Report, p place) (all []seen) {
		for _, a := range r.Adjacency {
			if a.Plugin == p.plugin && a.Topology == p.topology {
				all = append(all, yes(look(a)))
			}
		}
		return all
	}
}

func reached(direction string) fact {
	return fact{name: "reachability " + direction, title: "packets pass in this direction", probe: "reach", words: yesNo,
		of: func(r *model.Report, p place) (all []seen) {
			for _, one := range r.Reachability {
				if one.Plugin == p.plugin && one.Topology == p.topology && one.Direction == direction {
					all = append(all, passes(r, one))
				}
			}
			return all
		}}
}

// passes returns whether packets pass in one direction. Where the nodes' own packets
// do not pass either, nothing is decided about the plugin.
func passes(r *model.Report, a results.Reachability) seen {
	s := yes(a.Reachable)
	if !a.Reachable && facts.UnreachedByHost(r, a) {
		s = seen{missing: "the nodes' own network fails at it too: " + a.Cause.String()}
	}
	s.where = way(a)
	return s
}

// way names the two nodes of an attempt between nodes. The text follows the network's
// name.
func way(a results.Reachability) string {
	if a.From == "" || a.To == "" || a.From == a.To {
		return ""
	}
	return fmt.Sprintf(", from %s to %s", a.From, a.To)
}

func source(direction string) fact {
	return fact{name: "source " + direction, title: "whether the source address is kept or translated in this direction", probe: "reach", words: sides,
		of: func(r *model.Report, p place) (all []seen) {
			for _, one := range r.Reachability {
				switch {
				case one.Plugin != p.plugin || one.Topology != p.topology || one.Direction != direction:
				case one.Source == "":
					all = append(all, seen{where: way(one), missing: "nothing arrived: " + one.Cause.String()})
				default:
					all = append(all, seen{where: way(one), word: one.Source})
				}
			}
			return all
		}}
}

func policy(look func(*model.Policy) seen) func(*model.Report, place) []seen {
	return func(r *model.Report, p place) (all []seen) {
		for i := range r.Policy {
			if one := &r.Policy[i]; one.Plugin == p.plugin && one.Topology == p.topology {
				s := look(one)
				s.where = fmt.Sprintf(", %s rule", one.At())
				all = append(all, s)
			}
		}
		return all
	}
}

func podMTU(r *model.Report, p place) []seen {
	for _, c := range r.Cells {
		if c.Plugin == p.plugin && c.Topology == p.topology && c.PodMTU > 0 {
			return []seen{exactly(float64(c.PodMTU), "byte")}
		}
	}
	return nil
}

// findings counts the findings about a network that was measured.
func findings(r *model.Report, p place) []seen {
	measured, n := false, 0.0
	for _, c := range r.Cells {
		measured = measured || c.Plugin == p.plugin && c.Topology == p.topology && len(c.Metrics) > 0
	}
	for _, f := range r.Findings {
		if f.Plugin == p.plugin && f.Topology == p.topology {
			n++
		}
	}
	n += float64(facts.FaultyNodes(r, p.plugin, p.topology))
	if !measured && n == 0 {
		return nil
	}
	return []seen{exactly(n, "1")}
}

// setups lists the figures of bringing a network up.
var setups = []struct {
	name, unit string
	of         func(s model.Setup) (float64, bool)
}{
	{"network_ready_ms", "ms", func(s model.Setup) (float64, bool) { return s.NetworkReadyMS, true }},
	{"cni_add_ms", "ms", func(s model.Setup) (float64, bool) { return s.CNIAddMS, len(s.CNIAdds) > 0 }},
	{"agent_rss_bytes", "byte", func(s model.Setup) (float64, bool) { return float64(s.AgentRSSBytes), s.Agents > 0 }},
}
