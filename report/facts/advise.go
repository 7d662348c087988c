package facts

import (
	"slices"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

// Advise adds the advice and the tested claims to a report.
func Advise(r *model.Report, needs *results.Needs) {
	if needs == nil {
		needs = &results.Needs{}
	}
	facts := All(r)
	r.Recommendation = model.Recommendations{}
	for _, f := range byTopology(facts) {
		r.Recommendation = append(r.Recommendation, advice.Recommend(*needs, f))
	}
	r.Claims = advice.Claims(facts)
}

// byTopology joins the facts of one topology from several kernels. Whether a plugin
// works, what it puts on the wire and who reaches its pods holds in every kernel;
// its speed is compared only with that of plugins in the same kernel.
func byTopology(seen []advice.Facts) []advice.Facts {
	var all []advice.Facts
	for _, g := range seen {
		for i := range g.Plugins {
			g.Plugins[i].Kernel = g.Topology.Kernel
		}
		g.Topology.Kernel = ""
		i := slices.IndexFunc(all, func(f advice.Facts) bool { return f.Topology == g.Topology })
		if i < 0 {
			all = append(all, g)
			continue
		}
		all[i] = joined(all[i], g)
	}
	return all
}

// joined adds the facts from another kernel. Of a plugin that was measured in both,
// it takes those from the kernel in which it works, preferring the first.
func joined(f, other advice.Facts) advice.Facts {
	gone := map[string]bool{} // plugins to leave out of the other kernel's comparisons
	for _, p := range other.Plugins {
		i := slices.IndexFunc(f.Plugins, func(q advice.Plugin) bool { return q.Name == p.Name })
		switch {
		case i < 0:
			f.Plugins = append(f.Plugins, p)
		case f.Plugins[i].Facts[advice.Works].Value != "yes" && p.Facts[advice.Works].Value == "yes":
			f.Plugins[i] = p
			f.Comparisons = slices.DeleteFunc(slices.Clone(f.Comparisons), func(c advice.Comparison) bool { return c.A == p.Name || c.B == p.Name })
		default:
			gone[p.Name] = true
		}
	}
	for _, c := range other.Comparisons {
		if !gone[c.A] && !gone[c.B] {
			f.Comparisons = append(f.Comparisons, c)
		}
	}
	if f.Link.Value == "" {
		f.Link = other.Link
	}
	for _, name := range other.ControlDiffers {
		if !slices.Contains(f.ControlDiffers, name) {
			f.ControlDiffers = append(f.ControlDiffers, name)
		}
	}
	f.Figures = max(f.Figures, other.Figures)
	f.NeededRounds = max(f.NeededRounds, other.NeededRounds)
	return f
}
