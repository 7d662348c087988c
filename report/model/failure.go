package model

import (
	"slices"
	"strings"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Failure counts the failed samples of a probe in a cell.
type Failure struct {
	Probe  string     `json:"probe"`
	Failed int        `json:"failed"`
	Of     int        `json:"of"`    // all samples
	Cause  words.Text `json:"cause"` // of the last one that failed
	// Shared reports that no sample succeeded, in the nodes' own network neither:
	// the fault is in the underlay, not in the plugin.
	Shared bool `json:"shared,omitempty"`

	Headline  results.Metric `json:"-"` // of the probe
	Placement string         `json:"-"`
}

// All reports whether no sample succeeded.
func (f *Failure) All() bool { return f.Failed == f.Of }

// Text describes the failure in a few words.
func (f *Failure) Text() words.Text {
	if f.Shared {
		return words.ProbeFailedHostToo.With(f.Probe, f.Failed, f.Of, f.Cause)
	}
	return words.ProbeFailed.With(f.Probe, f.Failed, f.Of, f.Cause)
}

// Failure returns the failures of a probe, or nil if it had none.
func (c *Cell) Failure(probe string) *Failure {
	for i := range c.Failures {
		if f := &c.Failures[i]; f.Probe == probe {
			return f
		}
	}
	return nil
}

// connects lists the probes that succeed on any path that carries packets, however
// slow it is. A network on which one of them never succeeds does not work. Other
// probes, such as udp-pps, require more than that.
var connects = []string{"tcp-stream", "tcp-rr", "udp-rr", "tcp-crr"}

// Connecting reports whether a probe, given with its parameters, succeeds on any
// path that carries packets.
func Connecting(probe string) bool {
	name, _, _ := strings.Cut(probe, ":")
	return slices.Contains(connects, name)
}

// Measured reports whether a cell has a figure of a probe.
func (c *Cell) Measured(probe string) bool {
	return slices.ContainsFunc(c.Metrics, func(m Metric) bool { return m.Probe == probe })
}

// Up reports whether the cell worked with every probe that only needs a path
// between the two pods.
func (c *Cell) Up() bool {
	return c.Status == results.StatusOK && !slices.ContainsFunc(c.Failures, func(f Failure) bool { return f.All() && Connecting(f.Probe) })
}

// CauseNotReached is the cause of a network without any record, of which nobody
// knows whether it works.
var CauseNotReached = words.RunEndedFirst
