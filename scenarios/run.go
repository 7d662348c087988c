package scenarios

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/testbed"
)

// Config is what a run needs.
type Config struct {
	Asked     results.Asked // checked
	Catalogue catalogue.Catalogue
	Testbed   testbed.Testbed
	Journal   *results.Journal
	CPUs      []int // that ends may be pinned to
	Progress  func(Progress)
}

// Progress says how far a run is.
type Progress struct {
	Phase string // what is going on, for people
	Now   string // what it is done to
	Done  int    // samples taken
	Total int    // samples planned; 0 while that is not known
	Left  time.Duration
}

// run is a run in progress.
type run struct {
	Config
	networks []*upNetwork
	seen     seen
	started  time.Time // of the first block
}

// upNetwork is a network that came up, and what it has shown since.
type upNetwork struct {
	testbed.Network
	instance, topology string
	wire               string
	failures           int // samples in a row that failed
	dead               bool
}

// givenUpAfter failed samples in a row a network is not measured any more;
// each may take seconds until its time limit, and a path that has been dead
// for three will be for the fourth.
const givenUpAfter = 3

// Run brings all networks up, measures them and takes them down. What it finds
// goes into the journal as it is found. The error is the run's own: networks
// that fail are results. When ctx ends, it stops at once, keeps the record and
// returns the context's error.
func Run(ctx context.Context, c Config) error {
	r := &run{Config: c, seen: seen{}}
	// The collector's work would land on a CPU that is being measured.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	err := r.all(ctx)
	if ctx.Err() != nil {
		// No CNI DEL: the person waits, and the namespaces go anyway.
		r.event(results.Event{Name: results.EventStopped})
		return errors.Join(ctx.Err(), r.Journal.Sync())
	}
	if err != nil {
		return err
	}
	r.down(ctx)
	r.event(results.Event{Name: results.EventFinished, Complete: true})
	return r.Journal.Sync()
}

func (r *run) all(ctx context.Context) error {
	if err := r.up(ctx); err != nil {
		return err
	}
	if err := r.Journal.Sync(); err != nil {
		return err
	}
	if err := r.once(ctx); err != nil {
		return err
	}
	r.started = time.Now()
	for number := 0; number < r.rounds(); number++ {
		if err := r.block(ctx, number); err != nil {
			return err
		}
		if r.Asked.Rounds == 0 && number+1 >= stats.MinSamples && r.seen.precise(r.Asked.Precision) {
			break
		}
	}
	return nil
}

// rounds is how many blocks are measured at most.
func (r *run) rounds() int {
	if r.Asked.Rounds > 0 {
		return r.Asked.Rounds
	}
	return r.Asked.MaxRounds
}

// up brings every network up, one after the other, so that none slows the
// start of another down.
func (r *run) up(ctx context.Context) error {
	for _, topology := range r.Asked.Topology {
		for _, instance := range instances(r.Asked) {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r.Progress(Progress{Phase: "bringing up", Now: instance + " on " + topology})
			if err := r.bringUp(ctx, instance, topology); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *run) bringUp(ctx context.Context, instance, topology string) error {
	name, _ := cutControl(instance)
	plugin := r.Catalogue.Get(name)
	network, err := r.Testbed.Up(ctx, plugin, instance, topology)
	if err == nil {
		facts, setup := network.Facts()
		r.networks = append(r.networks, &upNetwork{Network: network, instance: instance, topology: topology})
		return errors.Join(r.append(results.Record{Network: &facts}), r.append(results.Record{Setup: &setup}))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	facts := results.Network{Plugin: instance, Topology: topology, Fidelity: string(plugin.Fidelity),
		Status: results.StatusFailed, Cause: err.Error()}
	var unsupported *testbed.UnsupportedError
	if errors.As(err, &unsupported) {
		facts.Status = results.StatusUnsupported
	}
	return r.append(results.Record{Network: &facts})
}

// once takes the facts of each network that do not vary.
func (r *run) once(ctx context.Context) error {
	for _, name := range r.Asked.Probes {
		probe, params, err := probes.Parse(name)
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
			r.Progress(Progress{Phase: "looking at the wire", Now: n.instance + " on " + n.topology})
			if err := r.fact(ctx, n, name, probe, params); err != nil {
				return err
			}
		}
	}
	return nil
}

// block measures every cell once.
func (r *run) block(ctx context.Context, number int) error {
	steps := block(r.Asked, r.networks, number)
	for position, s := range steps {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.progress(number, position, len(steps), s)
		if s.network.dead {
			continue
		}
		if err := r.sample(ctx, s, number, position); err != nil {
			return err
		}
	}
	r.event(results.Event{Name: results.EventBlockEnd, Block: number})
	return r.Journal.Sync()
}

// progress reports the step that is about to be taken.
func (r *run) progress(number, position, inBlock int, s step) {
	done := number*inBlock + position
	total := r.rounds() * inBlock
	each := r.Asked.Duration.Duration() + 20*time.Millisecond
	if done >= inBlock {
		each = time.Since(r.started) / time.Duration(done)
	}
	r.Progress(Progress{Phase: fmt.Sprintf("round %d/%d", number+1, r.rounds()),
		Now: fmt.Sprintf("%s %s, wire %s", s.Plugin, s.probe, s.Wire), Done: done, Total: total,
		Left: time.Duration(total-done) * each})
}

// fail marks a network as failed; it is not measured any more.
func (r *run) fail(n *upNetwork, cause error) error {
	n.dead = true
	facts, _ := n.Facts()
	facts.Status, facts.Cause = results.StatusFailed, cause.Error()
	return r.append(results.Record{Network: &facts})
}

// down takes the networks down in order. What the plugins leave undone is
// noted; it changes no result.
func (r *run) down(ctx context.Context) {
	for _, n := range r.networks {
		r.Progress(Progress{Phase: "taking down", Now: n.instance + " on " + n.topology})
		if err := n.Down(ctx); err != nil {
			r.event(results.Event{Name: results.EventCNIDel, Plugin: n.instance, Topology: n.topology, Text: err.Error()})
		}
	}
}

func (r *run) append(rec results.Record) error {
	if rec.Time.IsZero() {
		rec.Time = time.Now()
	}
	if err := r.Journal.Append(rec); err != nil {
		return fmt.Errorf("writing the journal: %w", err)
	}
	return nil
}

// event notes an event. A journal that cannot be written shows at the next
// sample, which must not go on without it.
func (r *run) event(e results.Event) { _ = r.append(results.Record{Event: &e}) }
