package main

import (
	"github.com/cnibench/cnibench/report/change"
	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/figures"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/stats"
)

// procedure is a way to reach verdicts: that of this program, or that of an earlier version.
type procedure struct {
	name string
	// judge returns the verdicts on all pairs of a run's plugins, as if a higher figure were better.
	judge func(w *world) []stats.Comparison
	// level returns the interval of a plugin's level, from which thresholds are decided.
	level func(w *world, plugin int) *stats.Interval
	// changed compares plugins in two runs, one pair of a plugin and the host for each.
	changed func(was, now []*world) []stats.Verdict
	// through compares two plugins that were measured one after the other, each with the host.
	through func(a, b *world) stats.Verdict
	// fastest returns the number of the plugin that the advice calls the fastest, or -1. The
	// families are the verdicts of several figures.
	fastest func(families [][]stats.Comparison) int
	// detectable returns the smallest difference that a comparison says it could have found.
	detectable func(c stats.Comparison, family int) float64
	// stops reports whether an adaptive run may stop.
	stops func(w *world) bool
}

// settings are the defaults of a run.
var settings = scenarios.Defaults()

// current is this program's procedure.
func current() procedure {
	return procedure{name: "now",
		judge: func(w *world) []stats.Comparison {
			return stats.Judge(stats.Together(w.ratios()), true, stats.DefaultMargin)
		},
		level: func(w *world, plugin int) *stats.Interval { return stats.LocationOf(w.rounds(plugin)).CI },
		changed: func(was, now []*world) []stats.Verdict {
			var family []stats.Ratio
			for i := range was {
				a, b := now[i].ratios()[0], was[i].ratios()[0]
				family = append(family, stats.Between(a, b, change.Apart(a, b, "bit/s")))
			}
			var verdicts []stats.Verdict
			for _, c := range stats.Judge(family, true, stats.DefaultMargin) {
				verdicts = append(verdicts, c.Verdict)
			}
			return verdicts
		},
		through: func(a, b *world) stats.Verdict {
			return stats.Judge([]stats.Ratio{stats.Between(a.ratios()[0], b.ratios()[0], 0)}, true, stats.DefaultMargin)[0].Verdict
		},
		fastest:    advised,
		detectable: func(c stats.Comparison, family int) float64 { return c.Detectable(family) },
		stops: func(w *world) bool {
			for _, r := range stats.Together(w.ratios()) {
				if r.CI.RelativeWidth(r.Ratio) > stats.TargetWidth(settings.Precision, r.Ratio) {
					return false
				}
			}
			return true
		},
	}
}

// ratios returns the ratios of all pairs, those of the first plugin first.
func (w *world) ratios() []stats.Ratio {
	var all []stats.Ratio
	for i := range w.plugins {
		for j := i + 1; j < len(w.plugins); j++ {
			all = append(all, w.ratio(i, j))
		}
	}
	return all
}

// ratio compares two plugins, over the deployments if there are enough.
func (w *world) ratio(i, j int) stats.Ratio {
	if len(w.begins) < stats.MinDeployments {
		return stats.Paired(w.plugins[i], w.plugins[j])
	}
	var each []stats.Ratio
	for d := range w.begins {
		each = append(each, stats.Paired(w.deployment(i, d), w.deployment(j, d)))
	}
	return stats.OverDeployments(each)
}

// untilPrecise measures as an adaptive run does.
func (w *world) untilPrecise(p procedure) *world {
	w.measure(max(scenarios.LeastRounds, stats.MinRounds(len(w.plugins)*(len(w.plugins)-1)/2)))
	for w.blocks < settings.MaxRounds && !p.stops(w) {
		w.measure(1)
	}
	return w
}

// contenders names plugins between which nothing but speed and documented preferences decide.
var contenders = []string{"flannel-host-gw", "flannel-vxlan", "calico-bgp", "calico-vxlan", "flannel-vxlan-directrouting"}

// advised returns the plugin that the report's advice calls the fastest. The families are figures
// of the contenders without the host.
func advised(families [][]stats.Comparison) int {
	r := &model.Report{}
	r.Run.Complete = true
	topology := results.On("l2")
	for _, name := range contenders {
		r.Cells = append(r.Cells, model.Cell{Cell: results.Cell{Plugin: name, Topology: topology, Wire: results.WireNone}, Status: results.StatusOK,
			Fidelity: "agent", Rounds: settings.MaxRounds, Metrics: []model.Metric{{Probe: "tcp-stream", Name: "goodput", N: settings.MaxRounds, Median: 1}}})
	}
	for f, family := range families {
		at := 0
		for i, a := range contenders {
			for _, b := range contenders[i+1:] {
				c := &family[at]
				at++
				r.Comparisons = append(r.Comparisons, model.Comparison{
					Pair:   model.Pair{A: a, B: b, Topology: topology, Wire: wireOf(f), Probe: "tcp-stream", Metric: "goodput"},
					Better: "higher", Ratio: &c.Ratio.Ratio, CI: figures.Bounds(c.CI), P: c.P, PAdjusted: c.PAdjusted, PMarginAdjusted: c.PMarginAdjusted,
					Verdict: c.Verdict, N: c.N, Margin: stats.DefaultMargin, Judged: *c, Family: len(family), Common: c.N, Deployments: 1})
			}
		}
	}
	facts.Advise(r, nil)
	if len(r.Recommendation) == 0 {
		return -1
	}
	for _, reason := range r.Recommendation[0].Because {
		if reason.Rule != "fastest" {
			continue
		}
		for i, name := range contenders {
			if r.Recommendation[0].Plugin == name {
				return i
			}
		}
	}
	return -1
}

// wireOf names a rate limit for each family, so that each is a figure of its own.
func wireOf(family int) string {
	return []string{results.WireNone, "1gbit", "10gbit", "100mbit"}[family]
}

// called reports whether a verdict calls two plugins different.
func called(v stats.Verdict) bool { return v == stats.Faster || v == stats.Slower }

// anyCalled reports whether any verdict does.
func anyCalled(family []stats.Comparison) bool {
	for _, c := range family {
		if called(c.Verdict) {
			return true
		}
	}
	return false
}
