package figures

import (
	"slices"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// CompareWithHost pairs every figure with that of the baseline in the same blocks.
func CompareWithHost(b *gather.Run) {
	for i := range b.Report.Cells {
		c := &b.Report.Cells[i]
		if c.Plugin == results.HostPlugin {
			continue
		}
		host := results.Cell{Plugin: results.HostPlugin, Topology: c.Topology, Wire: c.Wire}
		for j := range c.Metrics {
			m := &c.Metrics[j]
			mine, its := ByBlock(b.Samples[c.Cell], m), ByBlock(b.Samples[host], m)
			if facts.ApartOnWire(b.Report, c.Plugin, results.HostPlugin, c.Topology) != "" {
				m.Warnings = append(m.Warnings, words.NoRatioToHost)
				continue
			}
			// Zeros have no ratio, and the blocks without zeros do not represent all
			// (retransmits).
			if r := stats.Paired(mine, its); r.N > 0 && r.N == Common(mine, its) {
				m.VsHost = &model.VsHost{N: r.N, Ratio: r.Ratio, CI: Bounds(r.CI), Blocks: r.Ratios()}
				if m.Fact {
					m.VsHost.CI = &[2]float64{slices.Min(m.VsHost.Blocks), slices.Max(m.VsHost.Blocks)}
				}
			}
		}
		c.Loss = lossOf(b, c)
	}
}

// Common counts the blocks that both figures have.
func Common(a, b map[int]float64) int {
	n := 0
	for block := range a {
		if _, ok := b[block]; ok {
			n++
		}
	}
	return n
}

// ByBlock returns the values of one figure by block number.
func ByBlock(samples []results.Sample, m *model.Metric) map[int]float64 {
	values := map[int]float64{}
	for _, s := range samples {
		if v, ok := s.Values[m.Name]; ok && s.Probe == m.Probe && s.Error.Empty() {
			values[s.Block] = v
		}
	}
	return values
}

func Bounds(i *stats.Interval) *[2]float64 {
	if i == nil {
		return nil
	}
	return &[2]float64{i.Low, i.High}
}
