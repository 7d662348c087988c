package scenarios

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/cnibench/cnibench/results"
)

// closing samples the probes of facts a second time at the end of a phase, in the last deployment.
// The samples belong to the last block and are recorded after its end.
func (r *run) closing(ctx context.Context) error {
	last := r.next - 1
	if last < r.begin || r.phase.Deployment != r.Asked.Deployments()-1 {
		return nil
	}
	steps := r.steps(last, isFact)
	slices.SortStableFunc(steps, func(a, b step) int { // one network after the other, for the progress
		return cmp.Compare(slices.Index(r.networks, a.network), slices.Index(r.networks, b.network))
	})
	for position, s := range steps {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if s.network.dead || slices.Contains(s.network.absent, s.probe) || r.earlier().closed(s) {
			continue
		}
		r.Progress(Progress{Phase: "inspecting the network again", Now: s.Plugin + " on " + s.Topology.Name})
		if err := r.sample(ctx, s, last, position); err != nil {
			return err
		}
	}
	return r.Journal.Sync()
}

// closed reports whether the earlier part has a sample that was taken after the last block.
func (e earlier) closed(s step) bool {
	ended, closed := -1, false
	for _, record := range e.part() {
		switch event, sample := record.Event, record.Sample; {
		case event != nil && event.Name == results.EventBlockEnd:
			ended, closed = event.Block, false
		case sample != nil && sample.Block <= ended && sample.Cell == s.Cell && sample.Probe == s.probe:
			closed = true
		}
	}
	return closed
}

// first returns the earliest figures of a probe in a cell, nil if there are none.
func (s seen) first(cell results.Cell, probe string) map[string]float64 {
	var values map[string]float64
	for f, byBlock := range s {
		if f.Cell != cell || f.probe != probe {
			continue
		}
		if values == nil {
			values = map[string]float64{}
		}
		values[f.metric] = byBlock[slices.Min(slices.Collect(maps.Keys(byBlock)))]
	}
	return values
}
