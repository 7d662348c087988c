package view

import (
	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/words"
)

// NodesLine says what was found between the nodes of one network: a summary, and what is
// wrong.
type NodesLine struct {
	Where, Text words.Text
	Faults      []words.Text
}

// Surveys returns a line for each survey of all pairs of nodes.
func Surveys(r *model.Report) []NodesLine {
	var all []NodesLine
	for i := range r.Survey {
		s := &r.Survey[i]
		l := NodesLine{words.On.With(s.Plugin, s.Topology), facts.SurveyCounts(s), facts.SurveyTexts(s)}
		if len(l.Faults) == 0 && s.Pairs > 0 {
			l.Text = words.Clauses(l.Text, words.SurveyNoFault)
		}
		all = append(all, l)
	}
	return all
}

// PairSpeeds returns a line for each network whose goodput was measured over pairs of nodes.
func PairSpeeds(r *model.Report) []NodesLine {
	var all []NodesLine
	for i := range r.PairSpeeds {
		s := &r.PairSpeeds[i]
		all = append(all, NodesLine{words.On.With(s.Plugin, s.Topology), facts.PairsText(s), facts.SlowTexts(s.Slow)})
	}
	return all
}
