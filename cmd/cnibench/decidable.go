package main

import (
	"slices"
	"strings"

	"github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/report/accept"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
)

// checkDecidable rejects a spec before anything is measured if the run that it asks
// for cannot decide all of its thresholds.
func (a *acceptance) checkDecidable(spec *accept.Spec, asked results.Asked) error {
	asked.Plugins, asked.Probes = slices.Clone(asked.Plugins), slices.Clone(asked.Probes)
	if asked.Testbed != "cluster" { // whose plugin may not have been detected yet
		if _, err := scenarios.Check(&asked, a.p.catalogue); err != nil {
			return usageError{err}
		}
	}
	against := *spec
	if a.o.against != "" {
		against.Against = a.o.against
	}
	if err := against.CheckRun(asked, figures(), a.p.catalogue); err != nil {
		return usage("%s: %s", a.o.spec, results.Printable(strings.ReplaceAll(err.Error(), "\n", "; ")))
	}
	return nil
}

// figures returns the figures of all probes that thresholds can refer to.
func figures() []accept.Figure {
	var all []accept.Figure
	for _, probe := range catalogue.All() {
		for _, m := range probe.Metrics {
			m.Probe = probe.Name
			all = append(all, accept.Figure{Metric: m, Baseline: !probe.Pods, Covers: probe.Span.Covers})
		}
	}
	return all
}
