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
}

// headline is the figure that a probe is about.
func (t *table) headline() results.Metric { return t.Metrics[0] }

// about says where a table's figures come from.
func (t *table) about() string {
	wire := "the bare wire of the lab, no rate"
	switch {
	case t.Testbed == "cluster":
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
			t := find(&all, c, m)
			if !slices.ContainsFunc(t.Metrics, func(n results.Metric) bool { return n.Name == m.Name }) {
				t.Metrics = append(t.Metrics, results.Metric{Probe: m.Probe, Name: m.Name, Unit: m.Unit, Better: m.Better})
			}
		}
	}
	for _, t := range all {
		t.Testbed = r.Run.Testbed
		t.fill(r)
	}
	return all
}

// find returns the table that a figure belongs to, a new one if need be.
func find(all *[]*table, c *Cell, m *Metric) *table {
	for _, t := range *all {
		if t.Topology == c.Topology && t.Wire == c.Wire && t.Probe == m.Probe {
			return t
		}
	}
	t := &table{Topology: c.Topology, Wire: c.Wire, Probe: m.Probe, Placement: m.Placement}
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
		if slices.ContainsFunc(w.Metrics, func(m *Metric) bool { return m != nil }) {
			t.Rows = append(t.Rows, w)
		}
	}
}

// absent are the cells without figures, one for each network and cause.
func (r *Report) absent() []*Cell {
	var all []*Cell
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Status == results.StatusOK {
			continue
		}
		if !slices.ContainsFunc(all, func(o *Cell) bool {
			return o.Plugin == c.Plugin && o.Topology == c.Topology && o.Cause == c.Cause
		}) {
			all = append(all, c)
		}
	}
	return all
}

// notes are the warnings that figures carry, each once, with where it holds.
func (t *table) notes() []string {
	where := map[string][]string{}
	var order []string
	for _, w := range t.Rows {
		for _, m := range w.Metrics {
			if m == nil {
				continue
			}
			for _, text := range m.Warnings {
				if where[text] == nil {
					order = append(order, text)
				}
				if !slices.Contains(where[text], w.Cell.Plugin) {
					where[text] = append(where[text], w.Cell.Plugin)
				}
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

// named gives a plugin's name, marked where no real agent stands behind it.
func (c *Cell) named() string {
	if c.Fidelity == "datapath" {
		return c.Plugin + " (data path)"
	}
	return c.Plugin
}
