// Package figures computes the figures of each cell of a report from its samples.
package figures

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// Cells adds the cells to the report.
func Cells(b *gather.Run) error {
	for _, p := range b.Order {
		for _, wire := range b.Recorded.Run.Asked.Wire {
			cell, err := newCell(b, p, wire)
			if err != nil {
				return err
			}
			b.Report.Cells = append(b.Report.Cells, cell)
		}
	}
	return nil
}

// newCell summarizes all samples of one plugin on one topology at one rate limit.
func newCell(b *gather.Run, p gather.Place, wire string) (model.Cell, error) {
	n := b.Networks[p]
	c := model.Cell{Cell: results.Cell{Plugin: p.Plugin, Topology: p.Topology, Wire: wire}, Status: n.Status, Cause: n.Cause,
		BrokeRound: n.BrokeRound, BrokeAt: n.BrokeAt, Configured: n.Configured, Contradicted: n.Contradicted,
		Fidelity: n.Fidelity, Kernel: n.Kernel, Versions: n.Versions, PodMTU: n.PodMTU, Metrics: []model.Metric{}}
	if c.Versions == nil {
		c.Versions = map[string]string{}
	}
	if plugin := b.Plugin(p.Plugin); plugin != nil {
		c.Path = plugin.Path
	}
	samples := b.Samples[c.Cell]
	c.Rounds, c.WorkedRounds = gather.Rounds(samples, c.BrokeRound)
	c.AgentCPU = agentCPU(samples)
	c.Failures = failuresOf(b, samples)
	latencies, err := latenciesOf(b, samples)
	if err != nil {
		return model.Cell{}, err
	}
	for _, described := range b.Recorded.Run.Metrics {
		m := metric(described, samples)
		if m == nil {
			continue
		}
		if m.Merged, m.MergedCI = latencies[m.Probe].percentile(m.Name); m.Merged != nil {
			m.Tail = latencies[m.Probe].tail()
		}
		m.VsStraight = vsStraight(b, samples, described)
		m.Expected = expectedOf(b, &c, described)
		c.Metrics = append(c.Metrics, *m)
	}
	if c.Status == results.StatusOK && len(samples) > 0 && len(c.Metrics) == 0 {
		c.Status, c.Cause = results.StatusFailed, words.NoSampleSucceeded.With(samples[len(samples)-1].Error)
	}
	if p.Plugin == results.HostPlugin && len(b.Recorded.Run.Asked.Contexts) > 0 {
		c.Metrics = []model.Metric{} // of several machines: only ratios are meaningful
	}
	return c, nil
}

// metric summarizes one figure. It returns nil if no sample has it.
func metric(described results.Metric, samples []results.Sample) *model.Metric {
	m := &model.Metric{Probe: described.Probe, Name: described.Name, Unit: described.Unit, Better: described.Better, Evidence: described.Evidence, Fact: described.Fact,
		Confidence: stats.Confidence, Warnings: []words.Text{}}
	failed, cause := 0, words.Text{}
	marked := map[words.Text]int{}
	deployments := [][]float64{}
	for _, s := range samples {
		if s.Probe != described.Probe {
			continue
		}
		if !s.Error.Empty() {
			failed, cause = failed+1, s.Error
			continue
		}
		v, ok := s.Values[described.Name]
		if !ok {
			continue
		}
		m.Samples = append(m.Samples, v)
		for len(deployments) <= s.Deployment {
			deployments = append(deployments, nil)
		}
		deployments[s.Deployment] = append(deployments[s.Deployment], v)
		m.Placement = s.Placement.Mode
		for _, w := range s.Warnings {
			marked[w.WithoutFigures()]++
		}
	}
	if len(m.Samples) == 0 {
		return nil
	}
	s := stats.Summarize(m.Samples)
	m.N, m.Median, m.CI = s.N, s.Median, Bounds(s.CI)
	m.Location = stats.LocationOf(deployments)
	m.LevelCI = Bounds(m.Location.CI)
	if s.Dropped > 0 {
		m.Samples = stats.Finite(m.Samples)
		m.Warnings = append(m.Warnings, words.Plural(s.Dropped, words.SampleNotFinite, words.SamplesNotFinite).With(s.Dropped))
	}
	if s.N == 0 {
		return nil
	}
	if m.Fact {
		m.Median, m.CI = m.Samples[len(m.Samples)-1], &[2]float64{slices.Min(m.Samples), slices.Max(m.Samples)}
		m.LevelCI = m.CI
	} else if s.Missing > 0 {
		m.Warnings = append(m.Warnings, words.Plural(s.N, words.SampleTooFew, words.SamplesTooFew).With(s.N, s.Missing))
	}
	if failed > 0 {
		m.Warnings = append(m.Warnings, words.SomeSamplesFailed.With(failed, failed+s.N, cause))
	}
	for _, w := range slices.SortedFunc(maps.Keys(marked), words.Compare) {
		m.Warnings = append(m.Warnings, words.SamplesMarked.With(marked[w], s.N, w))
	}
	return m
}

// agentCPU returns the median CPU time of a network's agents during streams, in CPUs,
// or nil if it was not recorded.
func agentCPU(samples []results.Sample) *float64 {
	var shares []float64
	recorded := false
	for _, s := range samples {
		if name, _, _ := strings.Cut(s.Probe, ":"); name != "tcp-stream" || !s.Error.Empty() || s.Seconds <= 0 {
			continue
		}
		// Old records do not have the time over which the agents were watched. It was
		// longer than the measured part, so the share is too large for them.
		shares = append(shares, s.AgentSeconds/cmp.Or(s.AgentWindow, s.Seconds))
		recorded = recorded || s.AgentSeconds > 0
	}
	if !recorded {
		return nil
	}
	median := stats.Summarize(shares).Median
	return &median
}
