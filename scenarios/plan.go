package scenarios

import (
	"math/rand/v2"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
)

// controlSuffix marks the second network of the plugin that is compared with
// itself.
const controlSuffix = "+control"

// instances are the names under which networks come up: the plugins, and a
// second one of the control.
func instances(a results.Asked) []string {
	names := append([]string{}, a.Plugins...)
	if a.Control != "" {
		names = append(names, a.Control+controlSuffix)
	}
	return names
}

// step is one sample to take.
type step struct {
	results.Cell
	probe   string // as asked for, parameters included
	network *upNetwork
}

// block lists every cell's samples once, in the order of round number. The
// order depends on the seed and the number alone, so a resumed run goes on
// with the one that an unbroken run would have had.
func block(a results.Asked, networks []*upNetwork, number int) []step {
	var steps []step
	for _, n := range networks {
		for _, wire := range a.Wire {
			for _, probe := range a.Probes {
				if p, _, err := probes.Parse(probe); err == nil && !p.Once {
					cell := results.Cell{Plugin: n.instance, Topology: n.topology, Wire: wire}
					steps = append(steps, step{cell, probe, n})
				}
			}
		}
	}
	rng := rand.New(rand.NewPCG(a.Seed, uint64(number)))
	rng.Shuffle(len(steps), func(i, j int) { steps[i], steps[j] = steps[j], steps[i] })
	return steps
}
