package figures

import (
	"cmp"
	"slices"

	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/report/mesh"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

// Surveys finds what is wrong with the pairs of nodes of each surveyed network, and whether
// the nodes' own network has the same fault.
func Surveys(b *gather.Run) {
	for _, p := range b.Order {
		if all := b.Surveys[p]; all != nil {
			b.Report.Survey = append(b.Report.Survey, survey(p, all))
			for _, n := range all.Nodes {
				b.Report.Nodes = append(b.Report.Nodes, model.Node{Plugin: p.Plugin, Topology: p.Topology, Kernel: p.Topology.Kernel, SurveyNode: n})
			}
			for _, pair := range all.Pairs {
				b.Report.Pairs = append(b.Report.Pairs, model.NodePair{Plugin: p.Plugin, Topology: p.Topology, Kernel: p.Topology.Kernel, SurveyPair: pair})
			}
		}
	}
	for i := range b.Report.Survey {
		if s := &b.Report.Survey[i]; s.Plugin != results.HostPlugin {
			compareWithUnderlay(s, b.Report.Survey)
		}
	}
}

func survey(p gather.Place, all *results.Survey) model.Survey {
	order(all)
	s := model.Survey{Plugin: p.Plugin, Topology: p.Topology, Kernel: p.Topology.Kernel, Pairs: len(all.Pairs),
		Sets: mesh.Find(all), Addresses: mesh.Addresses(all), Largest: mesh.UsualSize(all), All: *all}
	for _, n := range all.Nodes {
		if !n.LeftOut {
			s.Nodes++
		}
	}
	var trips []float64
	for _, pair := range all.Pairs {
		if pair.Arrived > 0 {
			s.Reached++
		}
		if pair.RTT > 0 {
			trips = append(trips, pair.RTT)
		}
	}
	if len(trips) > 0 {
		slices.Sort(trips)
		s.RTT = trips[len(trips)/2]
	}
	if s.Sets == nil {
		s.Sets = []mesh.Set{}
	}
	if s.Addresses == nil {
		s.Addresses = []mesh.Address{}
	}
	return s
}

// order sorts the pairs, which were recorded in the order in which they were done, by the
// order of their nodes.
func order(s *results.Survey) {
	index := map[string]int{}
	for i, n := range s.Nodes {
		index[n.Name] = i
	}
	slices.SortStableFunc(s.Pairs, func(a, b results.SurveyPair) int {
		return cmp.Or(cmp.Compare(index[a.From], index[b.From]), cmp.Compare(index[a.To], index[b.To]))
	})
}

// compareWithUnderlay marks the faults that the nodes' own network has too.
func compareWithUnderlay(s *model.Survey, all []model.Survey) {
	for _, host := range all {
		if host.Plugin != results.HostPlugin || host.Topology != s.Topology {
			continue
		}
		for i := range s.Sets {
			s.Sets[i].Underlay = slices.ContainsFunc(host.Sets, func(o mesh.Set) bool { return s.Sets[i].Same(&o) })
		}
	}
}
