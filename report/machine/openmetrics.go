package machine

import (
	"io"
	"strings"

	dto "github.com/prometheus/client_model/go"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/view"
	"github.com/cnibench/cnibench/results"
)

// metricUnit is a unit, named as in OpenMetrics metric names.
type metricUnit struct {
	name string
	by   float64 // how many of our units make one of this unit
}

// metricUnits maps the units of figures to those of OpenMetrics. Prometheus uses bytes, not bits
// (prometheus.io/docs/practices/naming). All other units, such as "1" for a count, map to no unit.
var metricUnits = map[string]metricUnit{
	"bit/s": {"bytes_per_second", 8}, "s": {"seconds", 1}, "1/s": {"per_second", 1}, "byte": {"bytes", 1},
	"s/GB": {"seconds_per_gigabyte", 1}, "1/GB": {"per_gigabyte", 1}, "s/kpkt": {"seconds_per_kilopacket", 1},
}

// unitOf returns the OpenMetrics unit of a metric.
func unitOf(m model.Metric) metricUnit {
	if u, ok := metricUnits[m.Unit]; ok {
		return u
	}
	return metricUnit{"", 1}
}

// OpenMetrics writes the figures for a textfile collector: medians, the bounds of their intervals, and
// ratios to host.
func OpenMetrics(out io.Writer, r *model.Report) error {
	run := label{"run", r.Run.ID}
	info := gauges("cnibench_run_info", "", "The run that the figures are of.")
	about := []label{run, {"testbed", r.Run.Testbed}, {"version", r.Run.Versions["cnibench"]}}
	if !r.OnCluster() { // on a cluster, the calling machine is not part of the run
		about = append(about, label{"kernel", r.Host.Kernel}, label{"cpu", r.Host.CPU})
	}
	add(info, about, 1)
	up := gauges("cnibench_cell_up", "", "1 if the plugin worked in this cell to the end, 0 if it failed or broke; unsupported cells are missing.")
	samples := gauges("cnibench_samples", "", "Samples of a probe of which some failed.")
	failed := gauges("cnibench_failed_samples", "", "Samples of a probe that failed.")
	ratios := gauges("cnibench_vs_host_ratio", "ratio", "Figure over that of the nodes' own network, paired within blocks.")
	straight := gauges("cnibench_vs_straight_ratio", "ratio", "Figure over a path over that over the straight path from pod to pod, paired within samples.")
	figures := &families{}
	for i := range r.Cells {
		c := &r.Cells[i]
		cell := []label{run, {"plugin", c.Plugin}, {"topology", c.Topology.String()}, {"wire", c.Wire}}
		if c.Status != results.StatusUnsupported {
			add(up, cell, oneIf(c.Up()))
		}
		for _, f := range c.Failures {
			labels := append(cell[:len(cell):len(cell)], label{"probe", f.Probe})
			add(samples, labels, float64(f.Of))
			add(failed, labels, float64(f.Failed))
		}
		for _, m := range c.Metrics {
			labels := append(cell[:len(cell):len(cell)], label{"probe", m.Probe})
			f := figures.of(m)
			addEstimate(f, labels, m.Median, m.CI, unitOf(m).by)
			if m.VsHost != nil {
				named := append(labels[:len(labels):len(labels)], label{"metric", m.Name})
				addEstimate(ratios, named, m.VsHost.Ratio, m.VsHost.CI, 1)
			}
			if m.VsStraight != nil {
				named := append(labels[:len(labels):len(labels)], label{"metric", m.Name})
				addEstimate(straight, named, m.VsStraight.Ratio, m.VsStraight.CI, 1)
			}
		}
	}
	all := append([]*dto.MetricFamily{info, up, samples, failed}, figures.list...)
	all = append(append(all, ratios, straight), setupGauges(r, run)...)
	all = append(append(all, policyGauges(r, run)...), surveyGauges(r, run)...)
	return writeGauges(out, all)
}

// policyGauges returns whether rules that deny traffic took effect, and how soon.
func policyGauges(r *model.Report, run label) []*dto.MetricFamily {
	enforced := gauges("cnibench_policy_enforced", "", "1 if a rule that denies traffic between two pods took effect.")
	held := gauges("cnibench_policy_effect_seconds", "seconds", "From applying such a rule to the last packet that passed.")
	gone := gauges("cnibench_policy_lifted_seconds", "seconds", "From removing such a rule to the first packet that passed again.")
	for i := range r.Policy {
		p := &r.Policy[i]
		labels := []label{run, {"plugin", p.Plugin}, {"topology", p.Topology.String()}, {"direction", string(p.At())}}
		add(enforced, labels, oneIf(p.Enforced))
		if p.Enforced {
			add(held, labels, p.Seconds)
		}
		if p.LiftedSeconds != nil {
			add(gone, labels, *p.LiftedSeconds)
		}
	}
	return []*dto.MetricFamily{enforced, held, gone}
}

// families holds gauges by name, in the order in which they first occur.
type families struct{ list []*dto.MetricFamily }

// of returns the family of a metric, and creates it if needed.
func (f *families) of(m model.Metric) *dto.MetricFamily {
	name, unit := "cnibench_"+MetricName(m.Name), unitOf(m).name
	if unit != "" {
		name += "_" + unit
	}
	for _, g := range f.list {
		if g.GetName() == name {
			return g
		}
	}
	g := gauges(name, unit, "Median of "+strings.ReplaceAll(m.Name, `"`, "'")+", and the range that holds the median of these rounds (of a fact: all values).")
	f.list = append(f.list, g)
	return g
}

// addEstimate adds an estimate and the bounds of its interval, each divided by by.
func addEstimate(f *dto.MetricFamily, labels []label, estimate float64, ci *[2]float64, by float64) {
	one := func(stat string, v float64) {
		add(f, append(labels[:len(labels):len(labels)], label{"stat", stat}), v/by)
	}
	one("median", estimate)
	if ci != nil {
		one("low", ci[0])
		one("high", ci[1])
	}
}

// setupGauges returns the time and memory that it took to bring the networks up, and whether the wire
// showed the configured encapsulation.
func setupGauges(r *model.Report, run label) []*dto.MetricFamily {
	help := "From the start of the first agent to the first packet between pods."
	if r.OnCluster() {
		help = strings.ToUpper(view.SetupTook(r).String()[:1]) + view.SetupTook(r).String()[1:] + "."
	}
	ready := gauges("cnibench_network_ready_seconds", "seconds", help)
	added := gauges("cnibench_cni_add_seconds", "seconds", "Median duration of CNI ADD.")
	memory := gauges("cnibench_agent_rss_bytes", "bytes", "Resident memory of all agents on all nodes.")
	agrees := gauges("cnibench_encapsulation_agrees", "", "1 if the wire showed the encapsulation that is configured.")
	for _, s := range r.Setup {
		labels := []label{run, {"plugin", s.Plugin}, {"topology", s.Topology.String()}}
		add(ready, labels, s.NetworkReadyMS/1000)
		if len(s.CNIAdds) > 0 {
			add(added, labels, s.CNIAddMS/1000)
		}
		if s.Agents > 0 {
			add(memory, labels, float64(s.AgentRSSBytes))
		}
	}
	for _, e := range r.Encapsulation {
		if !facts.Looked(&e) {
			continue
		}
		add(agrees, []label{run, {"plugin", e.Plugin}, {"topology", e.Topology.String()}}, oneIf(e.Agrees))
	}
	return []*dto.MetricFamily{ready, added, memory, agrees}
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}
