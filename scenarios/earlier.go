package scenarios

import (
	"slices"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// earlier is the record of an interrupted run, or of the part of a run in another kernel; it may
// be empty.
type earlier struct{ *results.Recorded }

// part returns the records of the part of the run that is in progress.
func (e earlier) part() []results.Record {
	if e.Recorded == nil {
		return nil
	}
	_, part := e.Parts()
	return part
}

// resumed reports whether the run continues with the blocks of an earlier part. A run that was
// interrupted before its first sample starts over.
func (e earlier) resumed() bool {
	for _, record := range e.part() {
		if record.Sample != nil {
			return true
		}
	}
	return false
}

// deployment returns the deployment that the earlier part was in when it was interrupted, and the
// number of its first block.
func (e earlier) deployment() (deployment, block int) {
	for _, record := range e.part() {
		if e := record.Event; e != nil && e.Name == results.EventRedeploy {
			deployment, block = e.Deployment, e.Block
		}
	}
	return deployment, block
}

// hasSetup reports whether the earlier part recorded how a network was brought up.
func (e earlier) hasSetup(n *upNetwork, deployment int) bool {
	return e.resumed() && slices.ContainsFunc(e.part(), func(record results.Record) bool {
		s := record.Setup
		return s != nil && s.Plugin == n.instance && s.Topology == n.topology && s.Deployment == deployment
	})
}

// findings returns the findings of a network that the earlier part of a resumed run recorded.
func (e earlier) findings(instance, topology string) map[probes.Finding]bool {
	found := map[probes.Finding]bool{}
	if !e.resumed() {
		return found
	}
	for _, record := range e.part() {
		if f := record.Finding; f != nil && f.Plugin == instance && f.Topology.Name == topology {
			found[probes.Finding{Name: f.Name, Text: f.Text}] = true
		}
	}
	return found
}

// left returns the networks that the machine's own kernel does not support, each with its record.
func (e earlier) left() map[results.Cell]results.Network {
	left := map[results.Cell]results.Network{}
	if e.Recorded == nil {
		return left
	}
	before, _ := e.Parts()
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

// secondPart reports whether this part measures the networks that another kernel could not.
func (e earlier) secondPart() bool { return e.Recorded != nil && e.NextKernel() }

// interruptions returns how often the run was interrupted and resumed.
func (e earlier) interruptions() int {
	n := 0
	if e.Recorded != nil {
		for _, record := range e.Records {
			if e := record.Event; e != nil && e.Name == results.EventResumed {
				n++
			}
		}
	}
	return n
}

// health restores which probes had succeeded on a network before the run was interrupted.
func (e earlier) health(n *upNetwork) {
	if !e.resumed() {
		return
	}
	for _, record := range e.part() {
		if s := record.Sample; s != nil && s.Plugin == n.instance && s.Topology == n.topology && s.Error.Empty() {
			n.succeeded(s.Probe)
		}
	}
}

// inBoth returns the causes from both kernels for a network that neither supports.
func (e earlier) inBoth(n *results.Network, kernel string) words.Text {
	first, was := e.left()[results.Cell{Plugin: n.Plugin, Topology: n.Topology}]
	if !was {
		return n.Cause
	}
	return words.Clauses(first.Cause, words.Of(words.Quote(kernel), n.Cause))
}

// recall takes over the measurements of the earlier part of a resumed run. It returns the
// deployment to go on with.
func (r *run) recall() (deployment int) {
	if !r.earlier().resumed() {
		return 0
	}
	r.first = r.Recorded.NextBlock()
	deployment, r.next = r.earlier().deployment()
	for _, record := range r.earlier().part() {
		if n := record.Network; n != nil {
			cell := results.Cell{Plugin: n.Plugin, Topology: n.Topology}
			r.unsupported[cell] = n.Lacks != ""
			r.states[cell] = *n
		}
	}
	again := r.Recorded.Superseded()
	before, _ := r.Recorded.Parts()
	for i, record := range r.earlier().part() {
		if record.Sample != nil && !again[len(before)+i] && record.Sample.Error.Empty() {
			r.pace.seen.add(record.Sample)
		}
	}
	return deployment
}
