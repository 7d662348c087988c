package main

import (
	"math"
	"math/rand/v2"
)

// truth is what is true of a simulated run.
type truth struct {
	// factors multiply the samples of each plugin; there are as many plugins.
	factors []float64
	// wander is the correlation from round to round of a plugin's own level, which then varies by
	// wanderBy (standard deviation of its logarithm); 0 if it does not.
	wander float64
	// deployments is how many deployments the rounds are divided among, at least 1. The level of
	// each network differs between them by apart (standard deviation of its logarithm).
	deployments int
	apart       float64
	// carry is the share by which a sample after one of the first plugin is slower.
	carry float64
}

// wanderBy is how much a wandering plugin's level varies. It is as large as the noise of most
// traces, so that neither hides the other.
const wanderBy = 0.03

// identical is the truth of n plugins that do not differ.
func identical(n int) truth {
	t := truth{deployments: 1}
	for range n {
		t.factors = append(t.factors, 1)
	}
	return t
}

// but returns the truth with another factor for the first plugin.
func (t truth) but(factor float64) truth {
	t.factors = append([]float64{factor}, t.factors[1:]...)
	return t
}

// world is a simulated run.
type world struct {
	*walk
	truth
	plugins []map[int]float64 // samples by block
	blocks  int
	// begins lists the first block of each deployment.
	begins  []int
	levels  []float64 // logarithms of the deployments' effects
	wanders []float64 // standardised state of each plugin's own movement
}

// newWorld returns a run without samples.
func newWorld(t trace, rng *rand.Rand, is truth) *world {
	w := &world{walk: newWalk(t, rng), truth: is}
	for range is.factors {
		w.plugins = append(w.plugins, map[int]float64{})
		w.wanders = append(w.wanders, rng.NormFloat64())
		w.levels = append(w.levels, 0)
	}
	return w
}

// bringUp is how many samples of the trace pass while networks are taken down and brought up.
const bringUp = 10

// deploy begins another deployment.
func (w *world) deploy() {
	if len(w.begins) > 0 {
		for range bringUp {
			w.next()
		}
	}
	w.begins = append(w.begins, w.blocks)
	for i := range w.levels {
		w.levels[i] = w.apart * w.rng.NormFloat64()
	}
}

// measure adds blocks of one sample for each plugin, taken in random order.
func (w *world) measure(blocks int) {
	if len(w.begins) == 0 {
		w.deploy()
	}
	for range blocks {
		previous := -1
		for _, plugin := range w.rng.Perm(len(w.plugins)) {
			v := w.next() * w.factors[plugin] * math.Exp(w.levels[plugin]+w.wandered(plugin))
			if previous == 0 {
				v *= 1 - w.carry
			}
			w.plugins[plugin][w.blocks], previous = v, plugin
		}
		w.blocks++
	}
}

// wandered moves a plugin's own level and returns its logarithm.
func (w *world) wandered(plugin int) float64 {
	if w.wander == 0 {
		return 0
	}
	now := w.wanders[plugin]
	w.wanders[plugin] = w.wander*now + w.rng.NormFloat64()*math.Sqrt(1-w.wander*w.wander)
	return wanderBy * now
}

// run measures this many rounds, divided among the deployments.
func (w *world) run(rounds int) *world {
	for d := range w.deployments {
		w.deploy()
		w.measure((rounds*(d+1))/w.deployments - (rounds*d)/w.deployments)
	}
	return w
}

// deployment returns the samples of a plugin in one deployment.
func (w *world) deployment(plugin, d int) map[int]float64 {
	end := w.blocks
	if d+1 < len(w.begins) {
		end = w.begins[d+1]
	}
	all := map[int]float64{}
	for block := w.begins[d]; block < end; block++ {
		all[block] = w.plugins[plugin][block]
	}
	return all
}

// rounds returns the samples of a plugin by deployment, in their order.
func (w *world) rounds(plugin int) [][]float64 {
	all := make([][]float64, len(w.begins))
	for d := range w.begins {
		for block := range w.blocks {
			if v, ok := w.deployment(plugin, d)[block]; ok {
				all[d] = append(all[d], v)
			}
		}
	}
	return all
}
