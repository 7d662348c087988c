package results

// Superseded marks the records that do not count, by their index in Records:
// samples of a block that an interruption broke off and that was measured again
// after the run was resumed; and all that was noted before the first sample, if
// the run was interrupted there, since it then began anew. They stay in the
// journal, which only grows.
func (r *Recorded) Superseded() map[int]bool {
	marked := map[int]bool{}
	again, resumed := 0, false // the earliest block that was measured again later
	for i := len(r.Records) - 1; i >= 0; i-- {
		switch e, s := r.Records[i].Event, r.Records[i].Sample; {
		case e != nil && e.Name == EventResumed:
			if !resumed || e.Block < again {
				again, resumed = e.Block, true
			}
		case s != nil && resumed && s.Block >= again:
			marked[i] = true
		}
	}
	for i, record := range r.Records {
		if record.Sample != nil {
			break
		}
		if e := record.Event; e != nil && e.Name == EventResumed {
			for j := range i {
				marked[j] = true
			}
		}
	}
	return marked
}

// NextBlock is the number of the first block that is not whole in the record.
func (r *Recorded) NextBlock() int {
	next := 0
	for _, record := range r.Records {
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
		if e := record.Event; e != nil && (e.Name == EventFinished || e.Name == EventResumed) {
			complete = e.Complete
		}
	}
	return complete
}

// counted calls f with each sample that counts, in the order of the journal.
func (r *Recorded) counted(f func(*Sample) error) error {
	skip := r.Superseded()
	for i, record := range r.Records {
		if record.Sample == nil || skip[i] {
			continue
		}
		if err := f(record.Sample); err != nil {
			return err
		}
	}
	return nil
}
