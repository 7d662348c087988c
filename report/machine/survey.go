package machine

import (
	dto "github.com/prometheus/client_model/go"

	"github.com/cnibench/cnibench/report/mesh"
	"github.com/cnibench/cnibench/report/model"
)

// surveyGauges returns how many pairs of each node were tried in each direction, how many
// are reached, and how many have each other fault.
func surveyGauges(r *model.Report, run label) []*dto.MetricFamily {
	tried := gauges("cnibench_node_pairs", "", "Pairs of a node with others that the survey tried, by direction.")
	faults := gauges("cnibench_node_faulty_pairs", "", "Those of them with a fault, by its kind.")
	trip := gauges("cnibench_survey_round_trip_seconds", "seconds", "Median round trip over all surveyed pairs of nodes.")
	for i := range r.Survey {
		s := &r.Survey[i]
		network := []label{run, {"plugin", s.Plugin}, {"topology", s.Topology.String()}}
		if s.RTT > 0 {
			add(trip, network, s.RTT)
		}
		pairs, bad := countPairs(s)
		for _, n := range s.All.Nodes {
			if n.LeftOut {
				continue
			}
			for _, direction := range []mesh.Direction{mesh.Inbound, mesh.Outbound} {
				at := side{n.Name, direction}
				labels := append(network[:len(network):len(network)], label{"node", n.Name}, label{"zone", n.Zone}, label{"direction", string(direction)})
				add(tried, labels, float64(pairs[at]))
				for _, kind := range mesh.Kinds {
					if count := bad[kind][at]; count > 0 || kind == mesh.Unreached {
						add(faults, append(labels[:len(labels):len(labels)], label{"kind", string(kind)}), float64(count))
					}
				}
			}
		}
	}
	return []*dto.MetricFamily{tried, faults, trip}
}

// side is one direction of a node.
type side struct {
	node string
	at   mesh.Direction
}

func countPairs(s *model.Survey) (pairs map[side]int, bad map[mesh.Kind]map[side]int) {
	pairs, bad = map[side]int{}, map[mesh.Kind]map[side]int{}
	for _, p := range s.All.Pairs {
		pairs[side{p.From, mesh.Outbound}]++
		pairs[side{p.To, mesh.Inbound}]++
	}
	for _, set := range s.Sets {
		of := bad[set.Kind]
		if of == nil {
			of = map[side]int{}
			bad[set.Kind] = of
		}
		for _, p := range set.Pairs {
			of[side{p.From, mesh.Outbound}]++
			of[side{p.To, mesh.Inbound}]++
		}
	}
	return pairs, bad
}
