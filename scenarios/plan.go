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
	probe   string     // as requested, parameters included
	network *upNetwork // nil in a plan
}

// block lists every cell's samples once, in the order of round number, of the probes for which
// which is true. The networks are shuffled within each question (a probe on a topology at a rate
// limit), and the questions among each other, so that the samples of a pair are close together in
// time and share what disturbs the machine. The order depends only on the seed and the number, not on which networks came up, so a
// resumed run continues in the order of an uninterrupted one.
func block(a results.Asked, instances []string, number int, which func(*probes.Probe) bool) []step {
	rng := rand.New(rand.NewPCG(a.Seed, uint64(number)))
	var questions [][]step
	for _, topology := range a.Topology {
		for _, wire := range a.Wire {
			for _, probe := range a.Probes {
				if question := samplesOf(instances, topology, wire, probe, which); len(question) > 0 {
					rng.Shuffle(len(question), func(i, j int) { question[i], question[j] = question[j], question[i] })
					questions = append(questions, question)
				}
			}
		}
	}
	rng.Shuffle(len(questions), func(i, j int) { questions[i], questions[j] = questions[j], questions[i] })
	return slices.Concat(questions...)
}

// Kinds of probes whose samples a block has. Figures that do not vary are sampled with the first
// block and after the last one.
func varies(p *probes.Probe) bool  { return !p.Once && p.Changed == nil }
func isFact(p *probes.Probe) bool  { return !p.Once && p.Changed != nil }
func sampled(p *probes.Probe) bool { return !p.Once }

// samplesOf lists the samples of one question, one for each network that a probe can measure.
func samplesOf(instances []string, topology, wire, probe string, which func(*probes.Probe) bool) []step {
	p, _, err := catalogue.Parse(probe)
	if err != nil || !which(p) || !p.Span.Covers(topology) {
		return nil
	}
	var steps []step
	for _, instance := range instances {
		if p.Pods && instance == results.HostPlugin {
			continue
		}
		cell := results.Cell{Plugin: instance, Topology: results.On(topology), Wire: wire}
		steps = append(steps, step{Cell: cell, probe: probe})
	}
	return steps
}

// betweenSamples is the time that a sample, or a part of one, takes in addition to its warm-up and
// its duration, for the ends to connect and report.
const betweenSamples = 20 * time.Millisecond

// usualTime returns how long the samples of the steps usually take.
func usualTime(steps []step, duration results.Seconds) (all time.Duration) {
	for _, s := range steps {
		parts := time.Duration(1)
		if p, _, err := catalogue.Parse(s.probe); err == nil && p.Parts > 1 {
			parts = time.Duration(p.Parts)
		}
		d := duration.Duration()
		if parts > 1 {
			d = max(d/parts, probes.MinDuration)
		}
		all += parts * (probes.WarmUp(d) + d + betweenSamples)
	}
	return all
}

// Plan describes what a run would do.
type Plan struct {
	Networks []Planned
	Facts    []string // probes that measure each network once
	AtEnds   []string // probes that are sampled at the start and at the end
	Cells    []results.Cell
	// Streams is how many streams between pairs of nodes are measured on each network, with Partners
	// for each node, and PairsTake how long they take on all networks, without the comparisons of nodes
	// that seem slow. They are 0 if there are none.
	Streams, Partners int
	PairsTake         time.Duration
	// Samples is the number of samples of a block other than the first.
	Samples int
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
	// Deployments is how many deployments the blocks are divided among. LeastEach and MostEach
	// are the bounds of the number of blocks of one of them.
	Deployments, LeastEach, MostEach int
	// Block is the duration of one block. The time to bring networks up comes on top of it and is
	// not known in advance.
	Block time.Duration
}

// Short says what the planned number of blocks cannot show, or returns "" if it is enough for a
// verdict. Networks that fail make the family smaller.
func (p Plan) Short() string {
	if p.Comparisons == 0 || p.Samples == 0 || p.Most >= p.Needed {
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
		p.Least, p.Most = min(max(p.Needed, LeastRounds), a.MaxRounds), a.MaxRounds
	}
	p.Deployments = a.Deployments()
	if p.Deployments >= stats.MinDeployments {
		p.Needed = p.Deployments // deployments count, not rounds
	}
	p.LeastEach, p.MostEach = max(share(p.Least, p.Deployments, p.Deployments-1), 1), share(p.Most, p.Deployments, 0)
	phases := together(a)
	p.Phases = len(phases)
	for _, topology := range a.Topology {
		for _, instance := range instances(a) {
			p.Networks = append(p.Networks, Planned{instance, topology})
			for _, wire := range a.Wire {
				p.Cells = append(p.Cells, results.Cell{Plugin: instance, Topology: results.On(topology), Wire: wire})
			}
		}
	}
	for _, name := range a.Probes {
		switch probe, _, err := catalogue.Parse(name); {
		case err == nil && probe.Once:
			p.Facts = append(p.Facts, name)
		case err == nil && isFact(probe):
			p.AtEnds = append(p.AtEnds, name)
		}
	}
	p.planPairs(a)
	for _, s := range block(a, phases[0], 0, sampled) {
		p.Order = append(p.Order, s.Plugin+" "+s.Topology.Name+" "+s.Wire+" "+s.probe)
	}
	steps := block(a, phases[0], 0, varies)
	p.Samples, p.Block = len(steps), usualTime(steps, a.Duration)
	return p
}
