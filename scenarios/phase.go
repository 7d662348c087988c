package scenarios

import (
	"context"
	"fmt"
	"time"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
)

// Phase is a part of a run whose networks are up at the same time and measured in the same
// blocks. Blocks are numbered across all phases, so figures of different phases never share one.
type Phase struct {
	Testbed   testbed.Testbed
	Instances []string // networks to bring up, the baseline first
	// Deployment is the deployment of the run that the phase belongs to, from 0; see
	// [results.Asked.Redeploy].
	Deployment int
}

// Phases divides a run on a testbed into phases: all networks at once or, if the run installs the
// plugins or they belong to several clusters, one plugin after the other, each with its own
// baseline; and again for every deployment.
func Phases(bed testbed.Testbed, a results.Asked) []Phase {
	var all []Phase
	for deployment := range a.Deployments() {
		for _, instances := range together(a) {
			all = append(all, Phase{Testbed: bed, Instances: instances, Deployment: deployment})
		}
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

// share returns how many of a number of blocks a deployment measures: blocks are divided among the
// deployments as evenly as possible, and the first ones measure the rest.
func share(blocks, deployments, deployment int) int {
	n := blocks / deployments
	if deployment < blocks%deployments {
		n++
	}
	return n
}

// all runs the phases.
func (r *run) all(ctx context.Context) error {
	resumed := r.recall()
	for i, p := range r.Phases {
		if p.Deployment < resumed {
			continue
		}
		first := r.Phases[0]
		r.phase, r.number, r.hostKnown = p, i+1, i > 0 && p.Deployment == first.Deployment && p.Testbed == first.Testbed
		r.part = partOf(r.Asked, p, r.number)
		if err := r.measurePhase(ctx); err != nil {
			return err
		}
	}
	return nil
}

// partOf names a phase in names of files, "" if it is the only one.
func partOf(a results.Asked, p Phase, number int) string {
	switch {
	case a.Deployments() > 1:
		return fmt.Sprintf("deployment=%d", p.Deployment+1)
	case a.Apart():
		return fmt.Sprintf("phase=%d", number)
	}
	return ""
}

// measurePhase brings the phase's networks up, measures them and takes them
// down.
func (r *run) measurePhase(ctx context.Context) error {
	begun := time.Now()
	if err := r.up(ctx); err != nil {
		return err
	}
	upTook := time.Since(begun)
	if err := r.Journal.Sync(); err != nil {
		return err
	}
	if !r.earlier().resumed() && r.phase.Deployment == 0 {
		if err := r.once(ctx); err != nil {
			return err
		}
		if err := r.pairs(ctx); err != nil {
			return err
		}
	}
	r.begin = r.next
	r.meter = newMeter(r, upTook)
	if err := r.blocks(ctx); err != nil {
		return err
	}
	if err := r.closing(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	if next := r.phase.Deployment + 1; r.number < len(r.Phases) && r.Phases[r.number].Deployment == next {
		r.write().event(results.Event{Name: results.EventRedeploy, Deployment: next, Block: r.next})
	}
	r.down(ctx)
	return nil
}

// blocks measures the phase's blocks.
func (r *run) blocks(ctx context.Context) error {
	r.next = max(r.begin, r.first)
	for end := r.begin + r.pace.rounds(r.phase.Deployment); r.next < end && r.networks.worthwhile(r.Asked.Apart()); r.next++ {
		if r.pace.enough(r.next-r.begin, r.networks.alive()) {
			break
		}
		if err := r.block(ctx, r.next); err != nil {
			return err
		}
	}
	return nil
}
