package change

import (
	"fmt"

	"github.com/cnibench/cnibench/report/figures"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// noRatio is the cause of a figure that has no ratio.
const noRatio = "some samples are zero, so there is no ratio"

// Standard deviations, as logarithms, by which the ratio to host of one version of a plugin varies
// between deployments on one machine, used for runs with too few deployments to show it. Runs of
// the same versions on one machine differed by 2 to 5 % in goodput and by 9 to 14 % in latency
// (docs/statistics.md).
const (
	apartGoodput = 0.05
	apartLatency = 0.14
)

// Apart returns by how much the ratio to host of a figure with this unit is assumed to vary between
// deployments of one version, as the standard deviation of its logarithm. It is 0 if both runs have
// enough deployments to show it.
func Apart(now, was stats.Ratio, unit string) float64 {
	enough := func(r stats.Ratio) bool { return r.Spread != nil && r.Spread.Deployments >= stats.MinDeployments }
	switch {
	case enough(now) && enough(was):
		return 0
	case unit == "s":
		return apartLatency
	}
	return apartGoodput
}

// ratioOf compares two figures of a plugin by their ratios to host, each in the blocks of its run, and
// two figures of host itself by their levels. If that is not possible, why says the reason.
func ratioOf(plugin string, now, was *model.Metric) (r stats.Ratio, why string) {
	switch {
	case plugin == results.HostPlugin:
		r = moved(now, was)
	case now.VsHost == nil || was.VsHost == nil:
		return r, "runs are compared by ratios to host, and there is none"
	default:
		a, b := now.VsHost.Judged, was.VsHost.Judged
		r = stats.Between(a, b, Apart(a, b, now.Unit))
	}
	switch {
	case r.N > 0:
	case min(now.N, was.N) < stats.MinSamples:
		why = "there are too few samples for an interval"
	default:
		why = noRatio
	}
	return r, why
}

// moved compares two figures of host itself, on one machine.
func moved(now, was *model.Metric) stats.Ratio {
	return stats.Between(now.Location.Ratio(now.N), was.Location.Ratio(was.N), 0)
}

// hostMoved says that the host's own figure moved between two runs on one machine: what changed the
// machine may have changed its ratios too. It is empty for host itself, and if host is not shown to
// have moved, or only within the margin.
func hostMoved(old, now *model.Report, cell results.Cell, m *model.Metric, margin float64) string {
	if cell.Plugin == results.HostPlugin {
		return ""
	}
	cell.Plugin = results.HostPlugin
	one, other := now.Cell(cell), old.Cell(cell)
	if one == nil || other == nil {
		return ""
	}
	a, b := one.Metric(m.Probe, m.Name), other.Metric(m.Probe, m.Name)
	if a == nil || b == nil {
		return ""
	}
	r := moved(a, b)
	if r.CI == nil || r.CI.Contains(1) || r.CI.Within(margin) {
		return ""
	}
	return fmt.Sprintf("host itself moved between the runs (%s), so something other than the plugin changed", quantity.Ratio(r.Ratio, figures.Bounds(r.CI)))
}

// deploymentsOf returns on how many deployments every ratio to host of a run rests, 0 if it has none.
func deploymentsOf(r *model.Report) int {
	n := 0
	for _, c := range r.Comparisons {
		if c.B == results.HostPlugin && c.Ratio != nil && (n == 0 || c.Deployments < n) {
			n = c.Deployments
		}
	}
	return n
}
