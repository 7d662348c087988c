package report

import (
	"io"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/results"
)

// metricUnit is a unit as OpenMetrics spells it in names.
type metricUnit struct {
	name string
	by   float64 // how many of ours make one of it
}

// metricUnits are the units of figures. Prometheus counts in bytes, not bits
// (prometheus.io/docs/practices/naming). Units of others ("1": a count) are
// none.
var metricUnits = map[string]metricUnit{
	"bit/s": {"bytes_per_second", 8}, "s": {"seconds", 1}, "1/s": {"per_second", 1}, "byte": {"bytes", 1},
	"s/GB": {"seconds_per_gigabyte", 1}, "1/GB": {"per_gigabyte", 1}, "s/kpkt": {"seconds_per_kilopacket", 1},
}

// unitOf returns the unit of a figure.
func unitOf(m Metric) metricUnit {
	if u, ok := metricUnits[m.Unit]; ok {
		return u
	}
	return metricUnit{"", 1}
}

// OpenMetrics writes the figures for a textfile collector: medians, the bounds
// of their intervals and ratios to host.
func (r *Report) OpenMetrics(out io.Writer) error {
	run := label{"run", r.Run.ID}
	info := results.Gauges{Name: "cnibench_run_info", Help: "The run that the figures are of.",
		Points: []results.Gauge{{Labels: []label{run, {"kernel", r.Host.Kernel}, {"cpu", r.Host.CPU}, {"testbed", r.Run.Testbed},
			{"version", r.Run.Versions["cnibench"]}}, Value: 1}}}
	if r.OnCluster() { // the machine that called is no part of it
		info.Points[0].Labels = slices.DeleteFunc(info.Points[0].Labels, func(l label) bool { return l[0] == "kernel" || l[0] == "cpu" })
	}
	up := results.Gauges{Name: "cnibench_cell_up", Help: "1 if the plugin worked in this cell to the end, 0 if it failed or broke; unsupported cells are missing."}
	samples := results.Gauges{Name: "cnibench_samples", Help: "Samples of a probe of which some failed."}
	failed := results.Gauges{Name: "cnibench_failed_samples", Help: "Samples of a probe that failed."}
	ratios := results.Gauges{Name: "cnibench_vs_host_ratio", Unit: "ratio", Help: "Figure over that of the nodes' own network, paired within blocks."}
	figures := &families{}
	for i := range r.Cells {
		c := &r.Cells[i]
		cell := []label{run, {"plugin", c.Plugin}, {"topology", c.Topology}, {"wire", c.Wire}}
		if c.Status != results.StatusUnsupported {
			up.Points = append(up.Points, results.Gauge{Labels: cell, Value: oneIf(c.up())})
		}
		for _, f := range c.Failures {
			labels := append(cell[:len(cell):len(cell)], label{"probe", f.Probe})
			samples.Points = append(samples.Points, results.Gauge{Labels: labels, Value: float64(f.Of)})
			failed.Points = append(failed.Points, results.Gauge{Labels: labels, Value: float64(f.Failed)})
		}
		for _, m := range c.Metrics {
			labels := append(cell[:len(cell):len(cell)], label{"probe", m.Probe})
			f := figures.of(m)
			f.Points = append(f.Points, withBounds(labels, m.Median, m.CI, unitOf(m).by)...)
			if m.VsHost != nil {
				named := append(labels[:len(labels):len(labels)], label{"metric", m.Name})
				ratios.Points = append(ratios.Points, withBounds(named, m.VsHost.Ratio, m.VsHost.CI, 1)...)
			}
		}
	}
	all := []results.Gauges{info, up, samples, failed}
	for _, f := range figures.list {
		all = append(all, *f)
	}
	return results.OpenMetrics(out, append(append(all, ratios), r.setupGauges(run)...))
}

// up reports whether the cell worked, with every probe that only sends between
// two pods.
func (c *Cell) up() bool {
	return c.Status == results.StatusOK && !slices.ContainsFunc(c.Failures, func(f Failure) bool { return f.All() && connecting(f.Probe) })
}

type label = [2]string

// families are gauges by name, in the order of their first figure.
type families struct{ list []*results.Gauges }

// of returns the family that a figure belongs to.
func (f *families) of(m Metric) *results.Gauges {
	name, unit := "cnibench_"+results.MetricName(m.Name), unitOf(m).name
	if unit != "" {
		name += "_" + unit
	}
	for _, g := range f.list {
		if g.Name == name {
			return g
		}
	}
	g := &results.Gauges{Name: name, Unit: unit, Help: "Median of " + strings.ReplaceAll(m.Name, `"`, "'") + ", and the bounds of its 95 % interval."}
	f.list = append(f.list, g)
	return g
}

// withBounds are the gauges of an estimate and its interval, in another unit.
func withBounds(labels []label, estimate float64, ci *[2]float64, by float64) []results.Gauge {
	one := func(stat string, v float64) results.Gauge {
		return results.Gauge{Labels: append(labels[:len(labels):len(labels)], label{"stat", stat}), Value: v / by}
	}
	all := []results.Gauge{one("median", estimate)}
	if ci != nil {
		all = append(all, one("low", ci[0]), one("high", ci[1]))
	}
	return all
}

// setupGauges tell what it took to bring the networks up.
func (r *Report) setupGauges(run label) []results.Gauges {
	ready := results.Gauges{Name: "cnibench_network_ready_seconds", Unit: "seconds", Help: "From the start of the first agent to the first packet between pods."}
	if r.OnCluster() {
		ready.Help = strings.ToUpper(r.setupTook()[:1]) + r.setupTook()[1:] + "."
	}
	add := results.Gauges{Name: "cnibench_cni_add_seconds", Unit: "seconds", Help: "Median duration of CNI ADD."}
	memory := results.Gauges{Name: "cnibench_agent_rss_bytes", Unit: "bytes", Help: "Resident memory of all agents on all nodes."}
	agrees := results.Gauges{Name: "cnibench_encapsulation_agrees", Help: "1 if the wire showed the encapsulation that is configured."}
	for _, s := range r.Setup {
		labels := []label{run, {"plugin", s.Plugin}, {"topology", s.Topology}}
		ready.Points = append(ready.Points, results.Gauge{Labels: labels, Value: s.NetworkReadyMS / 1000})
		if len(s.CNIAdds) > 0 {
			add.Points = append(add.Points, results.Gauge{Labels: labels, Value: s.CNIAddMS / 1000})
		}
		if s.Agents > 0 {
			memory.Points = append(memory.Points, results.Gauge{Labels: labels, Value: float64(s.AgentRSSBytes)})
		}
	}
	for _, e := range r.Encapsulation {
		agrees.Points = append(agrees.Points, results.Gauge{Labels: []label{run, {"plugin", e.Plugin}, {"topology", e.Topology}}, Value: oneIf(e.Agrees)})
	}
	return []results.Gauges{ready, add, memory, agrees}
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
