package scenarios

import (
	"context"
	"errors"
	"runtime/debug"
	"slices"
	"time"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/probes"
	probecatalogue "github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/words"
)

// Config is everything that a run needs.
type Config struct {
	Asked     results.Asked // already checked by [Check]
	Catalogue catalogue.Catalogue
	Phases    []Phase // see [Phases]
	Journal   *results.Journal
	CPUs      []int // that ends may be pinned to
	Progress  func(Progress)
	// Recorded is the record of an interrupted run to resume; nil for a new run.
	Recorded *results.Recorded
	// Took is called with every sample after it was journaled; it may be nil.
	Took func(*results.Sample)
	// Kernel is the kernel that the testbed's nodes run on, "" for the machine's own.
	Kernel string
	// NextKernel says that, after this part of the run, the networks that this kernel does not
	// support are measured in another kernel.
	NextKernel bool
}

// Progress describes how far a run has come.
type Progress struct {
	Phase string // current activity, for display
	Now   string // its subject
	Done  int    // samples taken
	Total int    // samples planned; 0 while unknown
	Left  time.Duration
	// Precision describes the widest interval so far, in a run that continues until all intervals
	// are narrow enough; "" while there is none.
	Precision string
}

// run is a run in progress.
type run struct {
	Config
	phase  Phase
	number int // of the phase, from 1
	// hostKnown says that an earlier phase has already recorded the facts of the baseline: on one
	// testbed it stays the same, unless it is deployed again.
	hostKnown bool
	part      string   // of the run that the phase is, in names of files; "" for all of it
	networks  networks // of the phase
	before    networks // of the phase before
	states    states
	pace      pace
	meter     meter
	first     int // first block to measure in a resumed run
	begin     int // the phase's first block
	next      int // number of the next phase's first block
	now       int // block being measured
	// unsupported are the networks that the kernel does not support.
	unsupported map[results.Cell]bool
}

// Run brings the networks up, phase by phase, measures them and takes them down. It journals
// results as they arrive. The error is the run's own; a failing network is a result, not an
// error. When ctx is done, Run stops at once, keeps the record and returns the context's error.
func Run(ctx context.Context, c Config) error {
	r := &run{Config: c, states: states{}, pace: pace{asked: c.Asked, seen: seen{}}, unsupported: map[results.Cell]bool{}}
	// Collect garbage less often: its work would land on a CPU that is being measured.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	err := r.all(ctx)
	if ctx.Err() != nil {
		// Skip CNI DEL: the user is waiting, and the namespaces are removed anyway.
		r.write().event(results.Event{Name: results.EventStopped})
		return errors.Join(ctx.Err(), r.Journal.Sync())
	}
	if err != nil {
		return err
	}
	r.finished()
	return r.Journal.Sync()
}

func (r *run) earlier() earlier { return earlier{r.Recorded} }
func (r *run) write() writer    { return writer{r.Journal, r.Kernel, r.part, r.earlier()} }
func (r *run) stage() stage     { return stage{r.Asked, r.Catalogue, r.CPUs, r.phase.Testbed} }

// up brings the networks up one after the other, so that none slows down the start of another.
func (r *run) up(ctx context.Context) error {
	r.before, r.networks = r.networks, nil
	for _, topology := range r.Asked.Topology {
		for _, instance := range r.instances(topology) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.Progress(Progress{Phase: "bringing up", Now: instance + " on " + results.On(topology).In(r.Kernel).String()})
			if err := r.bringUp(ctx, instance, topology); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) bringUp(ctx context.Context, instance, topology string) error {
	if (r.phase.Deployment > 0 || r.earlier().resumed()) && r.states.givenUp(instance, topology) {
		return nil // it is not tried again, or its failure would be forgotten
	}
	plugin := r.Catalogue.Get(results.Original(instance))
	network, err := r.phase.Testbed.Up(ctx, plugin, instance, topology)
	switch {
	case network != nil:
		return r.cameUp(&upNetwork{Network: network, instance: instance, topology: results.On(topology), passed: probes.Passes{}, dead: err != nil})
	case ctx.Err() != nil:
		return ctx.Err()
	case r.phase.Deployment > 0:
		return r.notAgain(instance, topology, err)
	}
	facts := results.Network{Plugin: instance, Topology: results.On(topology), Fidelity: string(plugin.Fidelity),
		Status: results.StatusFailed, Cause: words.OfError(err), Kernel: r.Kernel}
	var unsupported *testbed.UnsupportedError
	if errors.As(err, &unsupported) {
		facts.Status, facts.Lacks = results.StatusUnsupported, unsupported.Lacks
		facts.Cause = r.earlier().inBoth(&facts, r.Kernel)
		if facts.Lacks != "" {
			r.unsupported[results.Cell{Plugin: instance, Topology: results.On(topology)}] = true
		}
	}
	return r.state(facts)
}

// once takes each network's facts, which do not vary.
func (r *run) once(ctx context.Context) error {
	for _, name := range r.Asked.Probes {
		probe, params, err := probecatalogue.Parse(name)
		if err != nil {
			return err
		}
		if !probe.Once {
			continue
		}
		for _, n := range r.networks {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if !probe.Span.Covers(n.topology.Name) || n.dead && !probe.Unreached || probe.Pods && n.instance == results.HostPlugin || r.hostKnown && n.instance == results.HostPlugin {
				continue
			}
			r.Progress(Progress{Phase: "inspecting the network", Now: n.instance + " on " + n.topology.Name})
			if err := r.fact(ctx, n, name, probe, params); err != nil {
				return err
			}
		}
	}
	return nil
}

// steps lists the samples of a block on the networks that came up, in the block's order.
func (r *run) steps(number int, which func(*probes.Probe) bool) []step {
	return r.networks.steps(block(r.Asked, r.phase.Instances, number, which))
}

// block measures every cell once. number counts blocks within the run.
func (r *run) block(ctx context.Context, number int) error {
	which := varies
	if number == r.begin && r.phase.Deployment == 0 {
		which = sampled
	}
	for position, s := range r.steps(number, which) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.Progress(r.meter.at(number, position, s, r.pace.precision()))
		if s.network.dead || slices.Contains(s.network.absent, s.probe) {
			continue
		}
		if err := r.sample(ctx, s, number, position); err != nil {
			return err
		}
	}
	r.write().event(results.Event{Name: results.EventBlockEnd, Block: number})
	return r.Journal.Sync()
}

// fail marks a network as failed, or as broken if it has worked before; it is not measured any
// more.
func (r *run) fail(n *upNetwork, cause error) error {
	n.dead = true
	facts, _ := n.Facts()
	facts.Status, facts.Cause = results.StatusFailed, words.OfError(cause)
	switch {
	case len(n.worked) > 0:
		facts.Status = results.StatusBroke
		facts.BrokeRound, facts.BrokeAt = r.now+1, time.Now()
		if n.failures > 0 {
			facts.BrokeRound, facts.BrokeAt = n.since.Block+1, n.since.Start
		}
	case n.failures > 0 && facts.Fidelity != string(plugins.Cluster): // where the testbed sends a first packet
		facts.Cause = words.FirstPacketPassedBut.With(facts.Cause)
	}
	return r.state(facts)
}

// down takes the networks down in order. Failures of the plugins to clean up are recorded; they
// do not affect any result.
func (r *run) down(ctx context.Context) {
	for _, n := range r.networks {
		if n.Network == nil {
			continue
		}
		r.Progress(Progress{Phase: "taking down", Now: n.instance + " on " + n.topology.Name})
		if err := n.Down(ctx); err != nil {
			r.write().event(results.Event{Name: results.EventCNIDel, Plugin: n.instance, Topology: n.topology, Text: words.OfError(err)})
		}
	}
}
