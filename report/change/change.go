// Package change compares a later run with an earlier one: first the environment, and
// then each cell, by its ratios to host in the two runs.
package change

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/report/figures"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// Ratio is a later figure over the earlier one.
type Ratio struct {
	Ratio float64     `json:"ratio"`
	CI    *[2]float64 `json:"ci"`
}

// Of compares one figure of a cell with the same figure of an earlier run on the same machine:
// the ratio of the later ratio to host and the earlier one, or for host, of the figures themselves.
// If that is not possible, why says the reason.
func Of(earlier, later *model.Report, c *model.Cell, m *model.Metric) (r Ratio, why string) {
	if d := Machine(reported(earlier), reported(later)); len(d) > 0 {
		return r, "the runs are not known to come from one machine, so only ratios to host can be compared: " + strings.Join(d, ", ")
	}
	before := earlier.Cell(c.Cell)
	if before == nil || before.Metric(m.Probe, m.Name) == nil {
		return r, fmt.Sprintf("the earlier run has no %s %s for this cell", m.Probe, m.Name)
	}
	old := before.Metric(m.Probe, m.Name)
	if d := placed(old, m); d != "" {
		return r, d
	}
	if m.Fact && old.Median != 0 {
		return exactly(m.Median, old.Median), ""
	}
	i, why := ratioOf(c.Plugin, m, old)
	if why == "" {
		why = hostMoved(earlier, later, c.Cell, m, stats.DefaultMargin)
	}
	if why != "" {
		return r, why
	}
	return Ratio{i.Ratio, figures.Bounds(i.CI)}, ""
}

// placed says that the ends of two figures were placed on CPUs differently, which
// changes figures more than most plugins do. It is empty if the placement is the same.
func placed(old, m *model.Metric) string {
	if old.Placement == m.Placement {
		return ""
	}
	return fmt.Sprintf("the placement of the ends differs: %s, now %s", old.Placement, m.Placement)
}

// reported returns the part of a run that identifies its machine, from a report.
func reported(r *model.Report) results.Run {
	return results.Run{Host: r.Host, Asked: results.Asked{Testbed: r.Run.Testbed}, Clusters: r.Run.Clusters}
}

// Environment lists the differences between two runs other than the measured figures:
// the machine or the clusters, the kernel, versions, and how the runs were made.
func Environment(a, b results.Run) []string {
	all := Machine(a, b)
	if !onCluster(a) && !onCluster(b) {
		all = append(all, differences([][3]string{
			{"kernel", a.Host.Kernel, b.Host.Kernel}, {"privilege", a.Host.Privilege, b.Host.Privilege},
			{"default congestion control", a.Host.CongestionControl, b.Host.CongestionControl},
		})...)
	}
	all = append(all, software(a, b)...)
	all = append(all, differences([][3]string{
		{"congestion control of the probes", a.CongestionControl, b.CongestionControl},
		{"link", a.Asked.Link.String(), b.Asked.Link.String()}, {"MTU", fmt.Sprint(a.Asked.MTU), fmt.Sprint(b.Asked.MTU)},
		{"nodes", fmt.Sprint(a.Asked.Nodes), fmt.Sprint(b.Asked.Nodes)}, {"placement", a.Asked.Placement, b.Asked.Placement},
		{"duration of a sample", fmt.Sprint(float64(a.Asked.Duration)), fmt.Sprint(float64(b.Asked.Duration))},
	})...)
	programs := map[string]bool{}
	for _, versions := range []map[string]string{a.Versions, b.Versions} {
		for name := range versions {
			programs[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(programs)) {
		all = append(all, differences([][3]string{{"version of " + name, a.Versions[name], b.Versions[name]}})...)
	}
	return all
}

// differences describes the pairs that differ.
func differences(pairs [][3]string) []string {
	var all []string
	for _, p := range pairs {
		if p[1] != p[2] {
			all = append(all, fmt.Sprintf("%s %s, now %s", p[0], named(p[1]), named(p[2])))
		}
	}
	return all
}

func named(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
