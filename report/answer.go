package report

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/results"
)

// Recommendations is the advice, one for each topology. In JSON it is an
// object if there is one topology, and a list otherwise.
type Recommendations []advice.Recommendation

// MarshalJSON writes one as an object.
func (r Recommendations) MarshalJSON() ([]byte, error) {
	if len(r) == 1 {
		return json.Marshal(r[0])
	}
	return json.Marshal([]advice.Recommendation(r))
}

// UnmarshalJSON reads either form.
func (r *Recommendations) UnmarshalJSON(text []byte) error {
	var one advice.Recommendation
	if json.Unmarshal(text, &one) == nil {
		*r = Recommendations{one}
		return nil
	}
	if err := json.Unmarshal(text, (*[]advice.Recommendation)(r)); err != nil {
		return fmt.Errorf("reading the recommendation: %w", err)
	}
	return nil
}

// advise turns what was measured into advice, and tests the claims.
func (r *Report) advise(needs *results.Needs) {
	if needs == nil {
		needs = &results.Needs{}
	}
	facts := r.facts()
	r.Recommendation = Recommendations{}
	for _, f := range byTopology(facts) {
		r.Recommendation = append(r.Recommendation, advice.Recommend(*needs, f))
	}
	r.Claims = advice.Claims(facts)
}

// byTopology joins the grounds of one topology. Whether a plugin works, what it
// puts on the wire and whom it lets in is a fact in whichever kernel it was
// seen; its speed is compared only with that of plugins in the same kernel.
func byTopology(grounds []advice.Facts) []advice.Facts {
	var all []advice.Facts
	for _, g := range grounds {
		topology, kernel := results.SplitGround(g.Topology)
		for i := range g.Plugins {
			g.Plugins[i].Kernel = kernel
		}
		g.Topology = topology
		i := slices.IndexFunc(all, func(f advice.Facts) bool { return f.Topology == topology })
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
