package machine

import (
	"fmt"
	"io"
	"strings"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/junit"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// JUnit writes what works and what does not for a CI system: one case for each cell, one for what each
// network put on the wire, and one for each network policy that was tried. Cells that this machine does not support are skipped. Thresholds are
// left to acceptance tests.
func JUnit(out io.Writer, r *model.Report) error {
	cells := junit.Suite{Name: "cells", Time: r.Run.Started}
	for i := range r.Cells {
		cells.Cases = append(cells.Cases, testCase(r, &r.Cells[i]))
	}
	wire := junit.Suite{Name: "on the wire", Time: r.Run.Started}
	for _, e := range r.Encapsulation {
		c := junit.Case{Class: "cnibench.wire." + e.Topology.String(), Name: e.Plugin, Kind: "disagrees",
			Output: fmt.Sprintf("configured for %s, seen: %s, %d of %d packets", facts.Form(e.Configured, e.ConfiguredPort, e.ExpectedBytes),
				facts.Form(e.Effective, e.Port, e.OverheadBytes), e.Frames, e.Sent)}
		switch {
		case e.Agrees:
		case !facts.Looked(&e):
			c.Skipped = words.Clauses(e.Warnings...).String()
		default:
			c.Failure = "the wire disagrees: " + c.Output + ". " + words.Clauses(e.Warnings...).String()
		}
		wire.Cases = append(wire.Cases, c)
	}
	suites := []junit.Suite{cells, wire}
	if len(r.Policy) > 0 {
		suites = append(suites, policies(r))
	}
	return junit.Write(out, suites...)
}

// policies returns a case for each rule that was tried. It fails if the rule's effect
// is not the documented one; whether policies are needed is for acceptance tests.
func policies(r *model.Report) junit.Suite {
	suite := junit.Suite{Name: "network policies", Time: r.Run.Started}
	for i := range r.Policy {
		p := &r.Policy[i]
		suite.Cases = append(suite.Cases, junit.Case{Class: "cnibench.policy." + p.Topology.String(), Name: p.Plugin + " " + string(p.At()), Kind: "contradicts",
			Output: facts.PolicyText(p).String(), Failure: facts.ContradictionText(p).String()})
	}
	return suite
}

// testCase returns the test case of a cell. If the nodes' own network fails too, the case is an error
// and says nothing about the plugin.
func testCase(r *model.Report, c *model.Cell) junit.Case {
	j := junit.Case{Class: "cnibench." + c.Topology.String() + "." + c.Wire, Name: c.Plugin, Kind: c.Status}
	switch c.Status {
	case results.StatusUnsupported:
		j.Skipped = c.Cause.String()
	case results.StatusFailed:
		j.Failure = c.Cause.String()
	case results.StatusBroke:
		j.Failure = c.Outcome().String()
	}
	if shared := facts.Underlay(r, c); !shared.Empty() && j.Failure != "" {
		j.Failure, j.Error, j.Kind = "", shared.String(), "underlay"
	}
	var lines []string
	for i := range c.Failures {
		f := &c.Failures[i]
		lines = append(lines, f.Text().String())
		switch {
		case !f.All() || j.Failure != "" || j.Skipped != "" || j.Error != "" && f.Shared:
		case f.Shared:
			j.Error, j.Kind = f.Text().String(), "underlay"
		default:
			j.Failure, j.Kind, j.Error = f.Text().String(), "samples", ""
		}
	}
	for _, m := range c.Metrics {
		lines = append(lines, fmt.Sprintf("%s %s: %s (n=%d)", m.Probe, m.Name, quantity.Interval(m.Median, m.CI, m.Unit), m.N))
	}
	j.Output = strings.Join(lines, "; ")
	return j
}
