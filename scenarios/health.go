package scenarios

import (
	"github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/results"
)

// health summarises the outcome of a network's samples.
type health struct {
	worked   map[string]bool // probes that have ever succeeded
	failures int             // consecutive failed samples
	since    *results.Sample // the first of them
	failing  map[string]bool // probes of those samples
}

// givenUpAfter is the number of consecutive failed samples after which a network is not measured
// any more. Each may take seconds until its time limit, and a path that was dead for three will
// be dead for the fourth.
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

// givenUp reports whether enough consecutive samples failed. Every probe that has ever succeeded
// must be among them: if some probes fail and others still succeed, the network has not stopped
// working. Probes that are not sampled in every block cannot be.
func (h *health) givenUp() bool {
	for probe := range h.worked {
		p, _, err := catalogue.Parse(probe)
		if rare := err == nil && isFact(p); !h.failing[probe] && !rare {
			return false
		}
	}
	return h.failures >= givenUpAfter
}
