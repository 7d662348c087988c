package detect

import (
	"slices"

	"github.com/cnibench/cnibench/words"
)

// readKilo reads the agents of Kilo and its annotations (pkg/k8s/backend.go of
// squat/kilo).
func readKilo(s *state) *candidate { return s.readAnnotated(kilo, "kilo", "kilo.squat.ai/") }

// beneathKilo sorts out a plugin that Kilo adds itself to: pods of one location are
// connected by that plugin, those of different locations by Kilo's WireGuard. Which of
// the two carries a pair's packets depends on the pair, so only the wire tells.
func beneathKilo(all []*candidate) []*candidate {
	k := find(all, kilo)
	if k == nil {
		return all
	}
	for _, f := range []family{flannel, cilium} {
		if c := find(all, f); c != nil && len(all) == 2 {
			k.mode = mode{plugin: "kilo", says: words.KiloOver.With(string(f)), settings: undeclared()}
			k.rank = max(k.rank, c.rank)
			k.places = append(slices.Clone(k.places), c.places...)
			return without(all, c)
		}
	}
	return all
}
