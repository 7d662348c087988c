package results

import "time"

// Superseded returns the indexes, in Records, of the records that do not count: the samples of a
// block that was interrupted and measured again after the run was resumed; all but the last of
// samples that are recorded twice; and, if the run was interrupted before its first sample and so
// started over, everything recorded until then. They stay in the journal, which is append-only.
func (r *Recorded) Superseded() map[int]bool {
	marked := map[int]bool{}
	for start := 0; start < len(r.Records); {
		end := start
		for end < len(r.Records) && !r.Records[end].endsPart() {
			end++
		}
		supersededIn(r.Records[start:end], func(i int) { marked[start+i] = true })
		start = end + 1
	}
	return marked
}

// supersededIn marks the records of one part of a run.
func supersededIn(part []Record, mark func(int)) {
	again, resumed := 0, false // the earliest block that was measured again later
	type once struct {
		Cell
		probe string
		block int
		start time.Time
	}
	seen := map[once]bool{}
	for i := len(part) - 1; i >= 0; i-- {
		if s := part[i].Sample; s != nil {
			key := once{s.Cell, s.Probe, s.Block, s.Start}
			if seen[key] {
				mark(i)
			}
			seen[key] = true
		}
		switch e, s := part[i].Event, part[i].Sample; {
		case e != nil && e.Name == EventResumed:
			if !resumed || e.Block < again {
				again, resumed = e.Block, true
			}
		case s != nil && resumed && s.Block >= again:
			mark(i)
		}
	}
	for i, record := range part {
		if record.Sample != nil {
			break
		}
		if e := record.Event; e != nil && e.Name == EventResumed {
			for j := range i {
				mark(j)
			}
		}
	}
}

// endsPart reports whether the records that follow were measured in another kernel, in blocks of
// their own.
func (r Record) endsPart() bool { return r.Event != nil && r.Event.Name == EventNextKernel }

// Parts splits the records where the kernel changes. The last part is the one that is, or was, in
// progress.
func (r *Recorded) Parts() (before, last []Record) {
	for i := len(r.Records) - 1; i >= 0; i-- {
		if r.Records[i].endsPart() {
			return r.Records[:i+1], r.Records[i+1:]
		}
	}
	return nil, r.Records
}

// NextKernel reports whether the part of the run in the machine's own kernel is done, and the
// networks that this kernel does not support are to be measured in another one.
func (r *Recorded) NextKernel() bool {
	before, _ := r.Parts()
	return len(before) > 0
}

// NextBlock returns the number of the first incomplete block in the part of the record that is in
// progress.
func (r *Recorded) NextBlock() int {
	next := 0
	_, part := r.Parts()
	for _, record := range part {
		if e := record.Event; e != nil && e.Name == EventBlockEnd {
			next = max(next, e.Block+1)
		}
	}
	return next
}

// Complete reports whether the run did everything that was requested.
func (r *Recorded) Complete() bool {
	complete := false
	for _, record := range r.Records {
		if e := record.Event; e != nil && (e.Name == EventFinished || e.Name == EventResumed || e.Name == EventNextKernel) {
			complete = e.Complete
		}
	}
	return complete
}
