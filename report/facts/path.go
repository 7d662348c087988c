package facts

import (
	"slices"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// pathMTU returns the largest packet that passed in every sample between pods on
// different nodes in both directions, or 0 if that was not measured.
func pathMTU(r *model.Report, plugin string, topology results.Topology) int {
	least := 0
	for _, c := range r.CellsOf(plugin, topology) {
		m := c.Metric("mtu", "path")
		if m == nil {
			continue
		}
		if v := int(slices.Min(m.Samples)); least == 0 || v < least {
			least = v
		}
	}
	return least
}

// findingsOf lists the findings about a plugin's network, each once. Findings that the
// nodes' own network has too belong to the underlay and are left out.
func findingsOf(r *model.Report, plugin string, topology results.Topology) []advice.Finding {
	var all []advice.Finding
	for _, f := range r.Findings {
		one := advice.Finding{Name: f.Name, Text: f.Text}
		underlay := slices.ContainsFunc(r.Findings, func(o results.Finding) bool {
			return o.Plugin == results.HostPlugin && o.Topology == topology && o.Name == f.Name
		})
		if f.Plugin == plugin && f.Topology == topology && !underlay && !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return append(all, surveyFindings(r, plugin, topology)...)
}

// surveyFindings returns what is wrong with nodes, unless it is the underlay's.
func surveyFindings(r *model.Report, plugin string, topology results.Topology) []advice.Finding {
	var all []advice.Finding
	if s := r.SurveyOf(plugin, topology); s != nil {
		for i := range s.Addresses {
			all = append(all, advice.Finding{Name: "survey-address-" + string(s.Addresses[i].Kind), Text: AddressText(&s.Addresses[i])})
		}
		for i := range s.Sets {
			if set := &s.Sets[i]; !set.Underlay {
				all = append(all, advice.Finding{Name: "survey-" + string(set.Kind), Text: SetText(set)})
			}
		}
	}
	for _, n := range r.SlowOf(plugin, topology) {
		if !n.Underlay {
			all = append(all, advice.Finding{Name: "slow-node", Text: words.List(SlowTexts([]model.SlowNode{n})...)})
		}
	}
	return all
}

// FaultyNodes counts what a survey and the goodput over pairs found wrong with nodes of a
// network, without what is the underlay's.
func FaultyNodes(r *model.Report, plugin string, topology results.Topology) int {
	return len(surveyFindings(r, plugin, topology))
}

// sourceKept returns whether pods on different nodes see each other's own addresses
// in both directions.
func sourceKept(r *model.Report, plugin string, topology results.Topology) advice.Fact {
	kept := 0
	for _, a := range Attempts(r, plugin, topology, results.PodToPod) {
		switch a.Source {
		case results.SourceSNAT:
			return advice.Fact{Value: "no", Evidence: words.Of(DirectionText(results.PodToPod), reachText(a))}
		case results.SourceKept:
			kept++
		}
	}
	if kept == 0 {
		return advice.Fact{}
	}
	return advice.Fact{Value: "yes", Evidence: words.Of(DirectionText(results.PodToPod), words.SourceKept)}
}
