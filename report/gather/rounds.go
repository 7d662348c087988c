package gather

import (
	"time"

	"github.com/cnibench/cnibench/results"
)

// underWay returns how long a run took. The time between the last record before an
// interruption and the record of the resumption does not count.
func underWay(run results.Run, records []results.Record) time.Duration {
	var took time.Duration
	began, last := run.Started, run.Started
	for _, r := range records {
		if r.Event != nil && r.Event.Name == results.EventResumed {
			took += last.Sub(began)
			began, last = r.Time, r.Time
		}
		if r.Time.After(last) {
			last = r.Time
		}
	}
	return took + last.Sub(began)
}

// Rounds counts the blocks in which a sample succeeded, and those of them before the
// round in which the network broke (counted from 1; 0 if it did not break).
func Rounds(samples []results.Sample, broke int) (all, worked int) {
	seen := map[int]bool{}
	for _, s := range samples {
		if !s.Error.Empty() || seen[s.Block] {
			continue
		}
		seen[s.Block] = true
		all++
		if s.Block+1 < broke {
			worked++
		}
	}
	return all, worked
}
