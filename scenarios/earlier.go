package scenarios

import (
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// earlier is what an interrupted run, or the part of a run in another kernel,
// has recorded; it may hold nothing.
type earlier struct{ *results.Recorded }

// part is what is recorded of the part of the run that is under way.
func (e earlier) part() []results.Record {
	if e.Recorded == nil {
		return nil
	}
	_, part := e.Parts()
	return part
}

// resumed reports whether the run goes on with blocks of an earlier part. One
// that was interrupted before its first sample begins anew.
func (e earlier) resumed() bool {
	for _, record := range e.part() {
		if record.Sample != nil {
			return true
		}
	}
	return false
}

// wasGivenUp reports whether a network of the earlier part failed or could not
// be carried; it stays so, or its failure would be forgotten. One that had been
// up keeps its place in the blocks, whose order depends on it.
func (e earlier) wasGivenUp(instance, topology string) (bool, *upNetwork) {
	if !e.resumed() {
		return false, nil
	}
	status, up := "", false
	for _, record := range e.part() {
		if n := record.Network; n != nil && n.Plugin == instance && n.Topology.Name == topology {
			status = n.Status
		}
		if s := record.Setup; s != nil && s.Plugin == instance && s.Topology.Name == topology {
			up = true
		}
	}
	switch {
	case status == "" || status == results.StatusOK:
		return false, nil
	case up:
		return true, &upNetwork{instance: instance, topology: results.On(topology), dead: true}
	}
	return true, nil
}

// findings are the findings of a network that the earlier part of a resumed
// run has recorded.
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

// left names the networks that the machine's own kernel lacks something for,
// with what it said of each.
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

// secondPart reports whether this part carries what another kernel left.
func (e earlier) secondPart() bool { return e.Recorded != nil && e.NextKernel() }

// interruptions is how often the run was interrupted and resumed.
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

// health takes over which probes have succeeded on a network before the
// run was interrupted.
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

// inBoth turns what this part's kernel says of a network that it cannot carry
// either into what both say.
func (e earlier) inBoth(n *results.Network, kernel string) words.Text {
	first, was := e.left()[results.Cell{Plugin: n.Plugin, Topology: n.Topology}]
	if !was {
		return n.Cause
	}
	return words.Clauses(first.Cause, words.Of(words.Quote(kernel), n.Cause))
}

// recall takes over what the earlier part of a resumed run has measured.
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
