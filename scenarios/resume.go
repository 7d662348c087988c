package scenarios

import (
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
)

// part is what is recorded of the part of the run that is under way.
func (r *run) part() []results.Record {
	if r.Recorded == nil {
		return nil
	}
	_, part := r.Recorded.Parts()
	return part
}

// resumed reports whether the run goes on with blocks of an earlier part. One
// that was interrupted before its first sample begins anew.
func (r *run) resumed() bool {
	for _, record := range r.part() {
		if record.Sample != nil {
			return true
		}
	}
	return false
}

// recall takes over what the earlier part of a resumed run has measured.
func (r *run) recall() {
	if !r.resumed() {
		return
	}
	r.first = r.Recorded.NextBlock()
	for _, record := range r.part() {
		if n := record.Network; n != nil {
			r.unsupported[results.Cell{Plugin: n.Plugin, Topology: n.Topology}] = n.Lacks != ""
		}
	}
	again := r.Recorded.Superseded()
	before, _ := r.Recorded.Parts()
	for i, record := range r.part() {
		if record.Sample != nil && !again[len(before)+i] && record.Sample.Error == "" {
			r.seen.add(record.Sample)
		}
	}
}

// wasGivenUp reports whether a network of the earlier part failed or could not
// be carried; it stays so, or its failure would be forgotten. One that had been
// up keeps its place in the blocks, whose order depends on it.
func (r *run) wasGivenUp(instance, topology string) (bool, *upNetwork) {
	if !r.resumed() {
		return false, nil
	}
	status, up := "", false
	for _, record := range r.part() {
		if n := record.Network; n != nil && n.Plugin == instance && n.Topology == topology {
			status = n.Status
		}
		if s := record.Setup; s != nil && s.Plugin == instance && s.Topology == topology {
			up = true
		}
	}
	switch {
	case status == "" || status == results.StatusOK:
		return false, nil
	case up:
		return true, &upNetwork{instance: instance, topology: topology, dead: true}
	}
	return true, nil
}

// foundBefore are the findings of a network that the earlier part of a resumed
// run has recorded.
func (r *run) foundBefore(instance, topology string) map[probes.Finding]bool {
	found := map[probes.Finding]bool{}
	if !r.resumed() {
		return found
	}
	for _, record := range r.part() {
		if f := record.Finding; f != nil && f.Plugin == instance && f.Topology == topology {
			found[probes.Finding{Name: f.Name, Text: f.Text}] = true
		}
	}
	return found
}
