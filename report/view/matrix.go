package view

import (
	"slices"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Matrix shows which plugin works on which topology.
type Matrix struct {
	Topologies []results.Topology
	Rows       []MatrixRow
}

type MatrixRow struct {
	Plugin string
	Cells  []MatrixCell // in the order of the topologies
}

// MatrixCell is the outcome of a plugin on a topology.
type MatrixCell struct {
	Mark words.Text // works, "works, but", "hardly works", "worked, then broke", "does not work", "not measured"
	Why  words.Text // the text after the mark; may be empty
}

// Text returns the mark and the text after it.
func (c MatrixCell) Text() words.Text {
	return words.Of(c.Mark, c.Why)
}

// Bad reports whether the plugin does not work properly on the topology.
func (c MatrixCell) Bad() bool {
	return c.Mark == words.DoesNotWork || c.Mark == words.HardlyWorks || c.Mark == words.WorkedThenBroke
}

// MatrixOf judges every plugin on every topology of the run.
func MatrixOf(r *model.Report) Matrix {
	m := Matrix{Topologies: r.Topologies()}
	var plugins []string
	for _, topology := range m.Topologies {
		for _, p := range facts.PluginsOf(r, topology) {
			if !slices.Contains(plugins, p) {
				plugins = append(plugins, p)
			}
		}
	}
	for _, p := range plugins {
		row := MatrixRow{Plugin: p}
		for _, topology := range m.Topologies {
			row.Cells = append(row.Cells, CellOf(r, p, topology))
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}

func CellOf(r *model.Report, plugin string, topology results.Topology) MatrixCell {
	works := facts.Works(r, plugin, topology)
	switch works.Value {
	case "yes":
	case "partly":
		return MatrixCell{words.HardlyWorks, works.Evidence}
	case "no":
		for _, c := range r.CellsOf(plugin, topology) {
			if c.Status == results.StatusBroke {
				return MatrixCell{words.WorkedThenBroke, works.Evidence}
			}
		}
		return MatrixCell{words.DoesNotWork, works.Evidence}
	default:
		return MatrixCell{words.NotMeasured, works.Evidence}
	}
	if but := but(r, plugin, topology); len(but) > 0 {
		return MatrixCell{words.WorksBut, words.Clauses(but...)}
	}
	return MatrixCell{Mark: words.Works}
}

// but returns the restrictions of a plugin that works.
func but(r *model.Report, plugin string, topology results.Topology) []words.Text {
	var but []words.Text
	for _, e := range r.Encapsulation {
		switch {
		case e.Plugin != plugin || e.Topology != topology || e.Agrees:
		case facts.Missed(&e):
			but = append(but, facts.SeenOnWire(r, plugin, topology).Evidence)
		case !facts.Looked(&e):
			but = append(but, e.Warnings...)
		default:
			but = append(but, words.WireShows.With(facts.Form(e.Effective, e.Port, e.OverheadBytes), facts.Form(e.Configured, e.ConfiguredPort, e.ExpectedBytes)))
		}
	}
	for _, c := range r.CellsOf(plugin, topology) {
		if c.Status != "ok" {
			but = append(but, words.NotAtRate.With(c.Wire, c.Cause))
		}
		for i := range c.Failures {
			but = append(but, c.Failures[i].Text())
		}
		if text := facts.OneWay(r, c); !text.Empty() {
			but = append(but, text)
		}
	}
	if same := facts.Reached(r, plugin, topology, "pod-to-pod-same-node"); same.Value == "no" || same.Value == "partly" {
		but = append(but, same.Evidence)
	}
	if s := r.SurveyOf(plugin, topology); s != nil {
		but = append(but, facts.SurveyTexts(s)...)
	}
	but = append(but, facts.SlowTexts(r.SlowOf(plugin, topology))...)
	for _, f := range r.Findings {
		if f.Plugin == plugin && f.Topology == topology && !slices.Contains(but, f.Text) {
			but = append(but, f.Text)
		}
	}
	return but
}
