package accept

import (
	"testing"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report/mesh"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

// TestSurveyThresholds judges a survey of four nodes in two zones, of which one is not
// reached inbound.
func TestSurveyThresholds(t *testing.T) {
	all := results.Survey{Nodes: []results.SurveyNode{{Name: "a", Zone: "x"}, {Name: "b", Zone: "x"}, {Name: "c", Zone: "y"}, {Name: "d", Zone: "y"}}}
	for _, from := range all.Nodes {
		for _, to := range all.Nodes {
			if p := (results.SurveyPair{From: from.Name, To: to.Name, Sent: 20, Arrived: 20}); from != to {
				if to.Name == "d" {
					p.Arrived = 0
				}
				all.Pairs = append(all.Pairs, p)
			}
		}
	}
	survey := model.Survey{Plugin: "calico-bgp", Topology: results.On("l2"), Nodes: 4, Pairs: 12, Reached: 9, Sets: mesh.Find(&all), All: all}
	r := runOf(&[2]float64{1, 1}, nil)
	for _, tt := range []struct {
		name, threshold string
		survey          []model.Survey
		want            Verdict
	}{
		{"all pairs", "fact: survey reached, at_least: 1", []model.Survey{survey}, Fail},
		{"a share of pairs", "fact: survey reached, at_least: 75 %", []model.Survey{survey}, Pass},
		{"without any fault", "fact: survey faultless, at_least: 80 %", []model.Survey{survey}, Fail},
		{"the worst node", "fact: survey worst node, at_least: 50 %", []model.Survey{survey}, Fail},
		{"the worst node may be that bad", "fact: survey worst node, at_least: 0", []model.Survey{survey}, Pass},
		{"by zone", "fact: survey reached by zone, at_least: 50 %", []model.Survey{survey}, Pass},
		{"by zone, one too bad", "fact: survey reached by zone, at_least: 60 %", []model.Survey{survey}, Fail},
		{"no survey", "fact: survey reached, at_least: 1", nil, Inconclusive},
		{"no pair", "fact: survey reached, at_least: 1", []model.Survey{{Plugin: "calico-bgp", Topology: results.On("l2")}}, Inconclusive},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r.Survey = tt.survey
			if o := Judge(parse(t, tt.threshold), r, nil, catalogue.All()); o.Verdict != tt.want {
				t.Errorf("%+v, want %v", o, tt.want)
			}
		})
	}
}
