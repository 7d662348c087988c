package scenarios

import (
	"context"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
)

// Phase is a part of a run whose networks are up at the same time and measured in the same
// blocks. Blocks are numbered across all phases, so figures of different phases never share one.
type Phase struct {
	Testbed   testbed.Testbed
	Instances []string // networks to bring up, the baseline first
}

// Phases divides a run on a testbed into phases: all networks at once or, if the run installs the
// plugins or they belong to several clusters, one plugin after the other, each with its own
// baseline.
func Phases(bed testbed.Testbed, a results.Asked) []Phase {
	var all []Phase
	for _, instances := range together(a) {
		all = append(all, Phase{Testbed: bed, Instances: instances})
	}
	return all
}

// together lists the networks that are up at the same time, phase by phase.
func together(a results.Asked) [][]string {
	if !a.Apart() {
		return [][]string{instances(a)}
	}
	var all [][]string
	for _, plugin := range a.Plugins {
		if plugin != results.HostPlugin {
			all = append(all, []string{results.HostPlugin, plugin})
		}
	}
	return all
}

// all runs the phases.
func (r *run) all(ctx context.Context) error {
	r.recall()
	for i, p := range r.Phases {
		r.phase, r.later, r.number = p, i > 0, i+1
		r.networks = nil
		if err := r.measurePhase(ctx); err != nil {
			return err
		}
	}
	return nil
}

// measurePhase brings the phase's networks up, measures them and takes them
// down.
func (r *run) measurePhase(ctx context.Context) error {
	if err := r.up(ctx); err != nil {
		return err
	}
	if err := r.Journal.Sync(); err != nil {
		return err
	}
	if !r.earlier().resumed() {
		if err := r.once(ctx); err != nil {
			return err
		}
	}
	r.started = time.Now()
	begin, end := r.next, r.next+r.pace.rounds()
	for number := max(begin, r.first); number < end && !r.pace.enough(number-begin, r.alive()) && r.worthwhile(); number++ {
		if err := r.block(ctx, number, number-begin); err != nil {
			return err
		}
		r.next = number + 1
	}
	if ctx.Err() == nil {
		r.down(ctx)
	}
	return nil
}

// worthwhile reports whether there is anything to measure. If plugins are measured one after the
// other and one did not come up, there is nothing to compare with the baseline.
func (r *run) worthwhile() bool {
	if !r.Asked.Apart() {
		return len(r.networks) > 0
	}
	for _, n := range r.networks {
		if !n.dead && n.instance != results.HostPlugin {
			return true
		}
	}
	return false
}

// known reports whether an earlier phase has already recorded a network's facts: the baseline of
// one testbed stays the same.
func (r *run) known(instance string) bool {
	return r.later && instance == results.HostPlugin && r.phase.Testbed == r.Phases[0].Testbed
}

// foundSoFar returns the findings of a network that are already in the record.
func (r *run) foundSoFar(instance, topology string) map[probes.Finding]bool {
	if r.known(instance) && r.found[topology] != nil {
		return r.found[topology]
	}
	found := r.earlier().findings(instance, topology)
	if instance == results.HostPlugin {
		r.found[topology] = found
	}
	return found
}
