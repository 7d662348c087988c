package figures

import (
	"math"
	"slices"

	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// failuresOf counts the failed samples by probe, in the order of the run's metrics.
func failuresOf(b *gather.Run, samples []results.Sample) []model.Failure {
	var all []model.Failure
	for _, described := range b.Recorded.Run.Metrics {
		if slices.ContainsFunc(all, func(f model.Failure) bool { return f.Probe == described.Probe }) {
			continue
		}
		f := model.Failure{Probe: described.Probe, Headline: described}
		for _, s := range samples {
			if s.Probe != f.Probe {
				continue
			}
			f.Of++
			if cause := failed(s, described); !cause.Empty() {
				f.Failed, f.Cause, f.Placement = f.Failed+1, cause, s.Placement.Mode
			}
		}
		all = append(all, f)
	}
	return slices.DeleteFunc(all, func(f model.Failure) bool { return f.Failed == 0 })
}

// failed returns why a sample has no headline figure; it is empty if it has one.
func failed(s results.Sample, headline results.Metric) words.Text {
	if v, ok := s.Values[headline.Name]; s.Error.Empty() && ok && (math.IsNaN(v) || math.IsInf(v, 0)) {
		return words.HeadlineNotFinite.With(headline.Name)
	}
	return s.Error
}

// ShareFailures marks the failures that the nodes' own network has too, and adds a
// warning for each.
func ShareFailures(b *gather.Run) {
	var named []words.Text
	for i := range b.Report.Cells {
		c := &b.Report.Cells[i]
		host := hostBeside(b, c)
		if c.Plugin == results.HostPlugin || host == nil {
			continue
		}
		for j := range c.Failures {
			f := &c.Failures[j]
			if f.Shared = f.All() && hostFailsBeside(b, c, host, f.Headline); !f.Shared {
				continue
			}
			its := host.Failure(f.Probe)
			text := words.HostFailsProbe.With(c.Topology, model.WireName(c.Wire), f.Probe, its.Failed, its.Of, its.Cause)
			if !slices.Contains(named, text) {
				named = append(named, text)
			}
		}
	}
	b.Report.Warnings = append(b.Report.Warnings, named...)
}

// hostFailsBeside reports whether the baseline was measured in the same blocks as a
// cell and failed the probe in all of them.
func hostFailsBeside(b *gather.Run, c, host *model.Cell, headline results.Metric) bool {
	blocks := map[int]bool{}
	for _, s := range b.Samples[c.Cell] {
		if s.Probe == headline.Probe {
			blocks[s.Block] = true
		}
	}
	beside := 0
	for _, s := range b.Samples[host.Cell] {
		if s.Probe != headline.Probe || !blocks[s.Block] {
			continue
		}
		if failed(s, headline).Empty() {
			return false
		}
		beside++
	}
	return beside > 0
}
