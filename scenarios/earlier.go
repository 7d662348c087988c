package scenarios

import (
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

// wasGivenUp reports whether a network failed or was unsupported in the earlier part. It is not
// tried again, or its failure would be forgotten.
func (e earlier) wasGivenUp(instance, topology string) bool {
	if !e.resumed() {
		return false
	}
	status := results.StatusOK
	for _, record := range e.part() {
		if n := record.Network; n != nil && n.Plugin == instance && n.Topology.Name == topology {
			status = n.Status
		}
	}
	return status != results.StatusOK
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

// recall takes over the measurements of the earlier part of a resumed run.
func (r *run) recall() {
	if !r.earlier().resumed() {
		return
	}
	r.first = r.Recorded.NextBlock()
	for _, record := range r.earlier().part() {
		if n := record.Network; n != nil {
			r.unsupported[results.Cell{Plugin: n.Plugin, Topology: n.Topology}] = n.Lacks != ""
		}
	}
	again := r.Recorded.Superseded()
	before, _ := r.Recorded.Parts()
	for i, record := range r.earlier().part() {
		if record.Sample != nil && !again[len(before)+i] && record.Sample.Error.Empty() {
			r.pace.seen.add(record.Sample)
		}
	}
}
