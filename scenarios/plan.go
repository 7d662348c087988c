package scenarios

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// instances returns the names under which networks come up: the plugins, and the second copy of
// the control.
func instances(a results.Asked) []string {
	names := append([]string{}, a.Plugins...)
	if a.Control != "" {
		names = append(names, a.Control+results.ControlSuffix)
	}
	return names
}

// step is one sample to take.
type step struct {
	results.Cell
	probe   string // as requested, parameters included
	network *upNetwork
}

// block lists every cell's samples once, in the order of round number. The order depends only on
// the seed and the number, so a resumed run continues in the order of an uninterrupted one.
func block(a results.Asked, networks []*upNetwork, number int) []step {
	var steps []step
	for _, n := range networks {
		for _, wire := range a.Wire {
			for _, probe := range a.Probes {
				p, _, err := catalogue.Parse(probe)
				if err == nil && !p.Once && !(p.Pods && n.instance == results.HostPlugin) {
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

// betweenSamples is the time that a sample takes in addition to its warm-up and its duration, for
// the ends to connect and report.
const betweenSamples = 20 * time.Millisecond

// sampleTakes returns how long a sample usually takes.
func sampleTakes(duration results.Seconds) time.Duration {
	d := duration.Duration()
	return probes.WarmUp(d) + d + betweenSamples
}

// Plan describes what a run would do.
type Plan struct {
	Networks []Planned
	Facts    []string // probes that measure each network once
	Cells    []results.Cell
	// Order lists the samples of the first block, "plugin topology wire probe".
	Order []string
	// Least and Most are the bounds of the number of blocks; they differ if the precision
	// decides.
	Least, Most int
	// Comparisons is the size of the family in which verdicts are corrected together. Needed is
	// the minimum number of blocks with which it can reach any verdict.
	Comparisons, Needed int
	// Phases is how many times the blocks are measured: once, or once for each plugin that is
	// installed alone.
	Phases int
	// Block is the duration of one block. The time to bring networks up comes on top of it and is
	// not known in advance.
	Block time.Duration
}

// Short says what the planned number of blocks cannot show, or returns "" if it is enough for a
// verdict. Networks that fail make the family smaller.
func (p Plan) Short() string {
	if p.Comparisons == 0 || len(p.Order) == 0 || p.Most >= p.Needed {
		return ""
	}
	return fmt.Sprintf("%d rounds cannot show any difference among %d comparisons: %d are needed (--rounds %d)", p.Most, p.Comparisons, p.Needed, p.Needed)
}

// Planned is a network that would be brought up.
type Planned struct{ Plugin, Topology string }

// PlanOf plans a run from what was requested, as completed by [Check]. The plan includes networks
// that will turn out not to work here.
func PlanOf(a results.Asked) Plan {
	p := Plan{Least: a.Rounds, Most: a.Rounds, Comparisons: len(results.Pairs(instances(a)))}
	p.Needed = stats.MinRounds(p.Comparisons)
	if a.Rounds == 0 {
		p.Least, p.Most = min(p.Needed, a.MaxRounds), a.MaxRounds
	}
	phases := together(a)
	p.Phases = len(phases)
	var networks []*upNetwork // of the first phase
	for _, topology := range a.Topology {
		for _, instance := range instances(a) {
			p.Networks = append(p.Networks, Planned{instance, topology})
			if slices.Contains(phases[0], instance) {
				networks = append(networks, &upNetwork{instance: instance, topology: results.On(topology)})
			}
			for _, wire := range a.Wire {
				p.Cells = append(p.Cells, results.Cell{Plugin: instance, Topology: results.On(topology), Wire: wire})
			}
		}
	}
	for _, name := range a.Probes {
		if probe, _, err := catalogue.Parse(name); err == nil && probe.Once {
			p.Facts = append(p.Facts, name)
		}
	}
	for _, s := range block(a, networks, 0) {
		p.Order = append(p.Order, s.Plugin+" "+s.Topology.Name+" "+s.Wire+" "+s.probe)
	}
	p.Block = time.Duration(len(p.Order)) * sampleTakes(a.Duration)
	return p
}
