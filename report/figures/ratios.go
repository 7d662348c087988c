package figures

import (
	"maps"
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
			if facts.ApartOnWire(b.Report, c.Plugin, results.HostPlugin, c.Topology) != "" {
				m.Warnings = append(m.Warnings, words.NoRatioToHost)
				continue
			}
			// Zeros have no ratio, and the blocks without zeros do not represent all
			// (retransmits).
			if r, common, _ := Ratio(b, b.Samples[c.Cell], b.Samples[host], m); r.N > 0 && r.N == common {
				m.VsHost = &model.VsHost{N: r.N, Ratio: r.Ratio, CI: Bounds(r.CI), Judged: r}
				if blocks := r.Ratios(); m.Fact {
					m.VsHost.CI = &[2]float64{slices.Min(blocks), slices.Max(blocks)}
				}
			}
		}
		c.Loss = lossOf(b, c)
	}
}

// Ratio compares one figure of two networks in their common blocks. It returns the number of these and
// of the deployments that they belong to. In a run with [stats.MinDeployments] or more, deployments count instead of blocks, also for two
// networks that do not have all of them.
func Ratio(run *gather.Run, a, b []results.Sample, m *model.Metric) (r stats.Ratio, common, deployments int) {
	return paired(run, a, ByBlock(a, m), ByBlock(b, m), m.Fact)
}

// vsStraight compares a figure with that of the straight path in the same samples. It returns nil for
// a figure without one.
func vsStraight(run *gather.Run, samples []results.Sample, described results.Metric) *model.VsStraight {
	if described.Straight == "" {
		return nil
	}
	through := model.Metric{Probe: described.Probe, Name: described.Name}
	straight := model.Metric{Probe: described.Probe, Name: described.Straight}
	// As with the host, zeros have no ratio.
	r, common, _ := paired(run, samples, ByBlock(samples, &through), ByBlock(samples, &straight), false)
	if r.N == 0 || r.N != common {
		return nil
	}
	return &model.VsStraight{Name: described.Straight, N: r.N, Ratio: r.Ratio, CI: Bounds(r.CI)}
}

// paired compares two figures by block, of which the first belongs to the samples.
func paired(run *gather.Run, a []results.Sample, mine, its map[int]float64, fact bool) (r stats.Ratio, common, deployments int) {
	common = Common(mine, its)
	blocks := map[int]map[int]float64{} // of a, by deployment
	for _, s := range a {
		v, ok := mine[s.Block]
		if _, both := its[s.Block]; !ok || !both {
			continue
		}
		if blocks[s.Deployment] == nil {
			blocks[s.Deployment] = map[int]float64{}
		}
		blocks[s.Deployment][s.Block] = v
	}
	if fact || run.Deployments < stats.MinDeployments {
		return stats.Paired(mine, its), common, len(blocks)
	}
	var each []stats.Ratio
	for _, deployment := range slices.Sorted(maps.Keys(blocks)) {
		each = append(each, stats.Paired(blocks[deployment], its))
	}
	return stats.OverDeployments(each), common, len(blocks)
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

// Bounds returns an interval as it is written in reports; nil if there is none.
func Bounds(i *stats.Interval) *[2]float64 {
	if i == nil {
		return nil
	}
	return &[2]float64{i.Low, i.High}
}
