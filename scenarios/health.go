package scenarios

import (
	"github.com/cnibench/cnibench/results"
)

// health is what the samples of a network say of it.
type health struct {
	worked   map[string]bool // probes that have ever succeeded
	failures int             // samples in a row that failed
	since    *results.Sample // the first of them
	failing  map[string]bool // probes of these
}

// givenUpAfter failed samples in a row a network is not measured any more;
// each may take seconds until its time limit, and a path that has been dead
// for three will be for the fourth.
const givenUpAfter = 3

func (h *health) succeeded(probe string) {
	if h.worked == nil {
		h.worked = map[string]bool{}
	}
	h.worked[probe] = true
	h.failures, h.since, h.failing = 0, nil, nil
}

func (h *health) failed(s *results.Sample) {
	if h.failures == 0 {
		h.since, h.failing = s, map[string]bool{}
	}
	h.failures++
	h.failing[s.Probe] = true
}

// givenUp reports whether enough samples in a row failed. Every probe that has
// ever succeeded must be among them: where some probes fail and others still
// succeed, the network has not stopped working.
func (h *health) givenUp() bool {
	for probe := range h.worked {
		if !h.failing[probe] {
			return false
		}
	}
	return h.failures >= givenUpAfter
}
