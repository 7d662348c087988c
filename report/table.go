package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/results"
)

// table is what one probe showed on one topology and wire, as people read it.
type table struct {
	Topology, Wire, Probe string
	Placement, Testbed    string
	Metrics               []results.Metric // columns; the first one is the headline
	Rows                  []row
}

// row is one plugin of a table.
type row struct {
	Cell    *Cell
	Metrics []*Metric // in the order of the columns; nil where there is none
	Failed  *Failure  // nil unless all samples failed
}

// failed says in the place of the headline that there is none, "" if there is.
func (w *row) failed() string {
	if w.Failed == nil || w.Metrics[0] != nil {
		return ""
	}
	return fmt.Sprintf("failed %d of %d", w.Failed.Failed, w.Failed.Of)
}

// headline is the figure that a probe is about.
func (t *table) headline() results.Metric { return t.Metrics[0] }

// about says where a table's figures come from.
func (t *table) about() string {
	wire := "the bare wire of the lab, no rate"
	switch {
	case t.Testbed == testbedCluster:
		wire = "its own links"
	case t.Wire != results.WireNone:
		wire = "a wire of " + t.Wire
	}
	cpus := map[string]string{"same": "both ends on one CPU", "split": "each end on a CPU of its own", "unpinned": "ends not pinned to CPUs"}[t.Placement]
	return fmt.Sprintf("%s on %s over %s, %s", t.Probe, t.Topology, wire, cpus)
}

// tables arranges all figures, one table for each topology, wire and probe.
func (r *Report) tables() []*table {
	var all []*table
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
			if t := find(&all, c, f.Probe, f.placement); len(t.Metrics) == 0 {
				t.Metrics = append(t.Metrics, f.headline)
			}
		}
	}
	for _, t := range all {
		t.Testbed = r.Run.Testbed
		t.fill(r)
	}
	return all
}

// find returns the table that a probe's figures belong to, a new one if need be.
func find(all *[]*table, c *Cell, probe, placement string) *table {
	for _, t := range *all {
		if t.Topology == c.Topology && t.Wire == c.Wire && t.Probe == probe {
			return t
		}
	}
	t := &table{Topology: c.Topology, Wire: c.Wire, Probe: probe, Placement: placement}
	*all = append(*all, t)
	return t
}

func (t *table) fill(r *Report) {
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Topology != t.Topology || c.Wire != t.Wire {
			continue
		}
		w := row{Cell: c}
		for _, m := range t.Metrics {
			w.Metrics = append(w.Metrics, c.Metric(t.Probe, m.Name))
		}
		if f := c.Failure(t.Probe); f != nil && f.All() {
			w.Failed = f
		}
		if w.Failed != nil || slices.ContainsFunc(w.Metrics, func(m *Metric) bool { return m != nil }) {
			t.Rows = append(t.Rows, w)
		}
	}
}

// absent are the cells without figures, one for each network and cause.
func (r *Report) absent() []*Cell {
	return r.those(func(c *Cell) bool { return c.Status != results.StatusOK && c.Status != results.StatusBroke })
}

// broken are the cells that stopped working during the run.
func (r *Report) broken() []*Cell {
	return r.those(func(c *Cell) bool { return c.Status == results.StatusBroke })
}

// those are some cells, one for each network and outcome.
func (r *Report) those(want func(*Cell) bool) []*Cell {
	var all []*Cell
	for i := range r.Cells {
		c := &r.Cells[i]
		if !want(c) {
			continue
		}
		if !slices.ContainsFunc(all, func(o *Cell) bool {
			return o.Plugin == c.Plugin && o.Topology == c.Topology && o.Outcome() == c.Outcome()
		}) {
			all = append(all, c)
		}
	}
	return all
}

// notes are the warnings that figures carry and the causes of missing ones, each
// once, with where it holds.
func (t *table) notes() []string {
	where := map[string][]string{}
	var order []string
	note := func(plugin, text string) {
		if where[text] == nil {
			order = append(order, text)
		}
		if !slices.Contains(where[text], plugin) {
			where[text] = append(where[text], plugin)
		}
	}
	for _, w := range t.Rows {
		if f := w.Failed; f != nil {
			note(w.Cell.Plugin, f.text())
		}
		if w.Cell.Status == results.StatusBroke {
			note(w.Cell.Plugin, "figures are those of the rounds before it broke: "+w.Cell.broke())
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
	var all []string
	for _, text := range order {
		all = append(all, strings.Join(where[text], ", ")+": "+text)
	}
	return all
}

// value is the figure as tables beside the headline show it: of a latency's
// percentile, that of all blocks together.
func (m *Metric) value() float64 {
	if m.Merged != nil {
		return *m.Merged
	}
	return m.Median
}

// named gives a plugin's name, marked where no real agent stands behind it, and
// where its figures end before the run does.
func (c *Cell) named() string {
	name := c.Plugin
	if c.Fidelity == "datapath" {
		name += " (data path)"
	}
	if c.Status == results.StatusBroke {
		name += fmt.Sprintf(" (until it broke in round %d)", c.BrokeRound)
	}
	return name
}
