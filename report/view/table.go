// Package view arranges a report for the renderings that people read.
package view

import (
	"slices"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Table holds the figures of one probe on one topology at one rate limit.
type Table struct {
	Topology           results.Topology
	Wire, Probe        string
	Placement, Testbed string
	Way                words.Text       // in which direction data flows between named nodes; empty for probes without one
	Metrics            []results.Metric // columns; the first one is the headline
	Rows               []Row
}

// Row is one plugin of a table.
type Row struct {
	Cell    *model.Cell
	Metrics []*model.Metric // in the order of the columns; nil where there is none
	Failed  *model.Failure  // nil unless all samples failed
}

// FailedText returns the text that replaces a missing headline. It is empty if there is
// a headline.
func (w *Row) FailedText() words.Text {
	if w.Failed == nil || w.Metrics[0] != nil {
		return words.Text{}
	}
	return words.FailedOf.With(w.Failed.Failed, w.Failed.Of)
}

// Headline returns the main figure of the probe.
func (t *Table) Headline() results.Metric { return t.Metrics[0] }

// About says where a table's figures come from.
func (t *Table) About() words.Text {
	link := words.LinksWithoutRateLimit
	switch {
	case t.Testbed == model.TestbedCluster:
		link = words.ClusterLinks
	case t.Wire != results.WireNone:
		link = words.LinksOfRate.With(t.Wire)
	}
	cpus := map[string]words.Text{"same": words.EndsOnOneCPU, "split": words.EndsOnOwnCPUs, "unpinned": words.EndsUnpinned}[t.Placement]
	return words.TableAbout.With(t.Probe, t.Topology, link, cpus)
}

// Tables arranges all figures in one table for each topology, rate limit and probe.
func Tables(r *model.Report) []*Table {
	var all []*Table
	for i := range r.Cells {
		c := &r.Cells[i]
		for j := range c.Metrics {
			m := &c.Metrics[j]
			if m.Evidence {
				continue
			}
			t := find(&all, c, m.Probe, m.Placement)
			if !slices.ContainsFunc(t.Metrics, func(n results.Metric) bool { return n.Name == m.Name }) {
				t.Metrics = append(t.Metrics, results.Metric{Probe: m.Probe, Name: m.Name, Unit: m.Unit, Better: m.Better})
			}
		}
		for j := range c.Failures {
			f := &c.Failures[j]
			if !f.All() {
				continue
			}
			if t := find(&all, c, f.Probe, f.Placement); len(t.Metrics) == 0 {
				t.Metrics = append(t.Metrics, f.Headline)
			}
		}
	}
	for _, t := range all {
		t.Testbed, t.Way = r.Run.Testbed, facts.StreamWay(r, t.Probe, t.Topology)
		t.fill(r)
	}
	return all
}

// find returns the table that a probe's figures belong to, and adds it if it is missing.
func find(all *[]*Table, c *model.Cell, probe, placement string) *Table {
	for _, t := range *all {
		if t.Topology == c.Topology && t.Wire == c.Wire && t.Probe == probe {
			return t
		}
	}
	t := &Table{Topology: c.Topology, Wire: c.Wire, Probe: probe, Placement: placement}
	*all = append(*all, t)
	return t
}

func (t *Table) fill(r *model.Report) {
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Topology != t.Topology || c.Wire != t.Wire {
			continue
		}
		w := Row{Cell: c}
		for _, m := range t.Metrics {
			w.Metrics = append(w.Metrics, c.Metric(t.Probe, m.Name))
		}
		if f := c.Failure(t.Probe); f != nil && f.All() {
			w.Failed = f
		}
		if w.Failed != nil || slices.ContainsFunc(w.Metrics, func(m *model.Metric) bool { return m != nil }) {
			t.Rows = append(t.Rows, w)
		}
	}
}

// Absent returns the cells without figures, one for each network and cause.
func Absent(r *model.Report) []*model.Cell {
	return those(r, func(c *model.Cell) bool { return c.Status != results.StatusOK && c.Status != results.StatusBroke })
}

// Broken returns the cells that stopped working during the run.
func Broken(r *model.Report) []*model.Cell {
	return those(r, func(c *model.Cell) bool { return c.Status == results.StatusBroke })
}

// those returns the cells that want selects, one for each network and outcome.
func those(r *model.Report, want func(*model.Cell) bool) []*model.Cell {
	var all []*model.Cell
	for i := range r.Cells {
		c := &r.Cells[i]
		if !want(c) {
			continue
		}
		if !slices.ContainsFunc(all, func(o *model.Cell) bool {
			return o.Plugin == c.Plugin && o.Topology == c.Topology && o.Outcome() == c.Outcome()
		}) {
			all = append(all, c)
		}
	}
	return all
}

// Notes returns the warnings of figures and the causes of missing figures, each once and
// with the plugins that it applies to.
func (t *Table) Notes() []words.Text {
	where := map[words.Text][]string{}
	var order []words.Text
	note := func(plugin string, text words.Text) {
		if where[text] == nil {
			order = append(order, text)
		}
		if !slices.Contains(where[text], plugin) {
			where[text] = append(where[text], plugin)
		}
	}
	for _, w := range t.Rows {
		if f := w.Failed; f != nil {
			note(w.Cell.Plugin, f.Text())
		}
		if w.Cell.Status == results.StatusBroke {
			note(w.Cell.Plugin, words.FiguresBeforeBreak.With(w.Cell.Broke()))
		}
		for _, m := range w.Metrics {
			if m == nil {
				continue
			}
			for _, text := range m.Warnings {
				note(w.Cell.Plugin, text)
			}
		}
	}
	var all []words.Text
	if !t.Way.Empty() {
		all = append(all, t.Way)
	}
	for _, text := range order {
		all = append(all, words.Of(words.ListNames(where[text]), text))
	}
	return all
}

// OfExpected returns the headline as a share of the expected value.
func (w *Row) OfExpected() words.Text {
	m := w.Metrics[0]
	if m == nil || m.Expected == nil {
		return words.Text{}
	}
	return words.PercentOf.With(100*m.Median / *m.Expected, quantity.Format(*m.Expected, m.Unit))
}
