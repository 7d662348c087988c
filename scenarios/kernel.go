package scenarios

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
)

// A run whose testbed has two kernels has two parts: the machine's own kernel
// carries what it can, then the other one the rest. Each has blocks and a
// baseline of its own, since figures of two kernels say nothing about the
// plugins on them.

// left names the networks that the machine's own kernel lacks something for,
// with what it said of each.
func (r *run) left() map[results.Cell]results.Network {
	left := map[results.Cell]results.Network{}
	if r.Recorded == nil {
		return left
	}
	before, _ := r.Recorded.Parts()
	for _, record := range before {
		if n := record.Network; n != nil {
			cell := results.Cell{Plugin: n.Plugin, Topology: n.Topology}
			delete(left, cell)
			if n.Lacks != "" {
				left[cell] = *n
			}
		}
	}
	return left
}

// secondPart reports whether this part carries what another kernel left.
func (r *run) secondPart() bool { return r.Recorded != nil && r.Recorded.NextKernel() }

// instances lists the networks of a topology for this part. The baseline is
// left out where this part has nothing to compare with it.
func (r *run) instances(topology string) []string {
	all := slices.Clone(r.phase.Instances)
	if r.secondPart() {
		left := r.left()
		all = slices.DeleteFunc(all, func(instance string) bool {
			_, is := left[results.Cell{Plugin: instance, Topology: topology}]
			return !is && instance != results.HostPlugin
		})
	} else if !r.NextKernel || len(all) == 1 {
		return all
	}
	carried := func(instance string) bool {
		return instance != results.HostPlugin && r.lacks(r.Catalogue.Get(results.Original(instance))) == ""
	}
	if !slices.ContainsFunc(all, carried) {
		all = slices.DeleteFunc(all, func(instance string) bool { return instance == results.HostPlugin })
	}
	return all
}

// lacks is what the testbed's kernel lacks for a plugin, "" for nothing.
func (r *run) lacks(p *plugins.Plugin) string {
	if k, ok := r.phase.Testbed.(testbed.Kernel); ok {
		return k.Lacks(p)
	}
	return ""
}

// slower is how many times longer things take on the testbed's kernel, 0 for
// no longer.
func (r *run) slower() int {
	if k, ok := r.phase.Testbed.(testbed.Kernel); ok {
		return k.Slower()
	}
	return 0
}

// inBoth turns what this part's kernel says of a network that it cannot carry
// either into what both say.
func (r *run) inBoth(n *results.Network) string {
	first, was := r.left()[results.Cell{Plugin: n.Plugin, Topology: n.Topology}]
	if !was {
		return n.Cause
	}
	return fmt.Sprintf("%s; %s: %s", first.Cause, r.Kernel, n.Cause)
}

// finished notes the end of the run, or of its part: where networks are left
// that another kernel is to carry, the run goes on there.
func (r *run) finished() {
	var left []string
	for _, topology := range r.Asked.Topology {
		for _, instance := range instances(r.Asked) {
			if r.unsupported[results.Cell{Plugin: instance, Topology: topology}] {
				left = append(left, instance+" on "+topology)
			}
		}
	}
	if r.NextKernel && len(left) > 0 {
		r.event(results.Event{Name: results.EventNextKernel, Text: strings.Join(left, ", ")})
		return
	}
	r.event(results.Event{Name: results.EventFinished, Complete: true})
}
