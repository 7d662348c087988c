package scenarios

import (
	"slices"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// A run on a testbed with two kernels has two parts: the machine's own kernel carries what it
// can, then the other kernel the rest. Each part has its own blocks and its own baseline, because
// comparing figures from two kernels says nothing about the plugins.

// instances lists the networks of a topology for this part. It omits the baseline if this part
// has nothing to compare with it.
func (r *run) instances(topology string) []string {
	all := slices.Clone(r.phase.Instances)
	if r.earlier().secondPart() {
		left := r.earlier().left()
		all = slices.DeleteFunc(all, func(instance string) bool {
			_, is := left[results.Cell{Plugin: instance, Topology: results.On(topology)}]
			return !is && instance != results.HostPlugin
		})
	} else if !r.NextKernel || len(all) == 1 {
		return all
	}
	carried := func(instance string) bool {
		return instance != results.HostPlugin && r.stage().lacks(r.Catalogue.Get(results.Original(instance))) == ""
	}
	if !slices.ContainsFunc(all, carried) {
		all = slices.DeleteFunc(all, func(instance string) bool { return instance == results.HostPlugin })
	}
	return all
}

// finished journals the end of the run or of its part: if networks are left for another kernel,
// the run continues there.
func (r *run) finished() {
	var left []words.Text
	for _, topology := range r.Asked.Topology {
		for _, instance := range instances(r.Asked) {
			if r.unsupported[results.Cell{Plugin: instance, Topology: results.On(topology)}] {
				left = append(left, words.On.With(instance, topology))
			}
		}
	}
	if r.NextKernel && len(left) > 0 {
		r.write().event(results.Event{Name: results.EventNextKernel, Text: words.List(left...)})
		return
	}
	r.write().event(results.Event{Name: results.EventFinished, Complete: true})
}
