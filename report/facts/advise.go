package facts

import (
	"slices"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

// Advise turns what was measured into advice, and tests the claims.
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

// byTopology joins what was seen of one topology in several kernels. Whether a plugin works, what it
// puts on the wire and whom it lets in is a fact in whichever kernel it was
// seen; its speed is compared only with that of plugins in the same kernel.
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

// joined adds the facts of another kernel. A plugin that was measured in both
// counts where it works, in the first one if it does in both.
func joined(f, other advice.Facts) advice.Facts {
	gone := map[string]bool{} // from the other kernel's comparisons
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
	f.NeededRounds = max(f.NeededRounds, other.NeededRounds)
	return f
}
