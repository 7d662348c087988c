package machine

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/junit"
	"github.com/cnibench/cnibench/report/mesh"
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
	if len(r.Survey) > 0 {
		suites = append(suites, nodes(r))
	}
	if len(r.PairSpeeds) > 0 {
		suites = append(suites, slowNodes(r))
	}
	return junit.Write(out, suites...)
}

// slowNodes returns a case for each network whose goodput was measured over pairs of nodes. It
// fails if a node is slow, and is an error if nodes are slow only where their own network is too.
func slowNodes(r *model.Report) junit.Suite {
	suite := junit.Suite{Name: "slow nodes", Time: r.Run.Started}
	for i := range r.PairSpeeds {
		s := &r.PairSpeeds[i]
		c := junit.Case{Class: "cnibench.pairs." + s.Topology.String(), Name: s.Plugin, Kind: "slow", Output: facts.PairsText(s).String()}
		slow := r.SlowOf(s.Plugin, s.Topology)
		if texts := facts.SlowTexts(slow); len(texts) > 0 {
			c.Failure = words.Clauses(texts...).String()
		}
		if c.Failure != "" && !slices.ContainsFunc(slow, func(n model.SlowNode) bool { return !n.Underlay }) {
			c.Failure, c.Error, c.Kind = "", c.Failure, "underlay"
		}
		suite.Cases = append(suite.Cases, c)
	}
	return suite
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

// nodes returns a case for each node of each surveyed network, and one for the pairs whose
// fault is not that of a node. A fault that the nodes' own network has too is an error.
func nodes(r *model.Report) junit.Suite {
	suite := junit.Suite{Name: "nodes", Time: r.Run.Started}
	for i := range r.Survey {
		s := &r.Survey[i]
		class := "cnibench.nodes." + s.Topology.String()
		for _, n := range s.All.Nodes {
			suite.Cases = append(suite.Cases, nodeCase(class, s, n))
		}
		for at := range s.Sets {
			set := &s.Sets[at]
			if set.Scope == mesh.Node {
				continue
			}
			c := junit.Case{Class: class, Name: fmt.Sprintf("%s: %s %s %d", s.Plugin, set.Kind, set.Scope, at+1), Kind: string(set.Kind), Failure: facts.SetText(set).String()}
			if set.Underlay {
				c.Failure, c.Error, c.Kind = "", c.Failure, "underlay"
			}
			suite.Cases = append(suite.Cases, c)
		}
	}
	return suite
}

func nodeCase(class string, s *model.Survey, n results.SurveyNode) junit.Case {
	c := junit.Case{Class: class, Name: s.Plugin + " " + n.Name, Output: facts.SurveyCounts(s).String()}
	if n.LeftOut {
		c.Skipped = n.Problem.String()
		return c
	}
	if !n.Problem.Empty() {
		c.Error, c.Kind = n.Problem.String(), "worker"
		return c
	}
	var failed, shared []words.Text
	for i := range s.Addresses {
		if slices.Contains(s.Addresses[i].Nodes, n.Name) {
			failed, c.Kind = append(failed, facts.AddressText(&s.Addresses[i])), string(s.Addresses[i].Kind)
		}
	}
	for i := range s.Sets {
		switch set := &s.Sets[i]; {
		case set.Scope != mesh.Node || set.Node != n.Name:
		case set.Underlay:
			shared = append(shared, facts.SetText(set))
		default:
			failed, c.Kind = append(failed, facts.SetText(set)), string(set.Kind)
		}
	}
	if c.Failure = words.Clauses(failed...).String(); c.Failure == "" && len(shared) > 0 {
		c.Error, c.Kind = words.Clauses(shared...).String(), "underlay"
	}
	return c
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
