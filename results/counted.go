package results

// Superseded marks the records that do not count, by their index in Records:
// samples of a block that an interruption broke off and that was measured again
// after the run was resumed; and all that was noted before the first sample, if
// the run was interrupted there, since it then began anew. They stay in the
// journal, which only grows.
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
	for i := len(part) - 1; i >= 0; i-- {
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

// endsPart reports whether what follows is measured in another kernel, in
// blocks of its own.
func (r Record) endsPart() bool { return r.Event != nil && r.Event.Name == EventNextKernel }

// Parts splits the records at the change of the kernel: the last part is the
// one that is, or was, under way.
func (r *Recorded) Parts() (before, last []Record) {
	for i := len(r.Records) - 1; i >= 0; i-- {
		if r.Records[i].endsPart() {
			return r.Records[:i+1], r.Records[i+1:]
		}
	}
	return nil, r.Records
}

// NextKernel reports whether the machine's own kernel has done its part, and
// what it lacks something for is to be measured in another one.
func (r *Recorded) NextKernel() bool {
	before, _ := r.Parts()
	return len(before) > 0
}

// NextBlock is the number of the first block that is not whole in the part of
// the record that is under way.
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

// Complete reports whether the run did all that was asked.
func (r *Recorded) Complete() bool {
	complete := false
	for _, record := range r.Records {
		if e := record.Event; e != nil && (e.Name == EventFinished || e.Name == EventResumed || e.Name == EventNextKernel) {
			complete = e.Complete
		}
	}
	return complete
}
