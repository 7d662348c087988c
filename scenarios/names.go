package scenarios

import (
	"fmt"
	"slices"

	"github.com/cnibench/cnibench/results"
)

// nameParts are the parts of the name of a file of this run, see
// [results.FileName]: what the file is of, and what tells it from that of the
// same name in another kernel, in another phase, and before an interruption,
// after which a block that was broken off is measured again.
func (r *run) nameParts(of ...string) []string {
	parts := slices.Clone(of)
	if r.Kernel != "" {
		parts = append(parts, "kernel="+r.Kernel)
	}
	if len(r.Phases) > 1 {
		parts = append(parts, fmt.Sprintf("phase=%d", r.number))
	}
	if n := r.interruptions(); n > 0 {
		parts = append(parts, fmt.Sprintf("resumed=%d", n))
	}
	return parts
}

// interruptions is how often the run was interrupted and resumed.
func (r *run) interruptions() int {
	n := 0
	if r.Recorded != nil {
		for _, record := range r.Recorded.Records {
			if e := record.Event; e != nil && e.Name == results.EventResumed {
				n++
			}
		}
	}
	return n
}
