package model

import (
	"slices"
	"strings"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Failure is how many samples of a probe failed in a cell.
type Failure struct {
	Probe  string     `json:"probe"`
	Failed int        `json:"failed"`
	Of     int        `json:"of"`    // all samples
	Cause  words.Text `json:"cause"` // of the last one that failed
	// Shared says that none succeeded, and that the nodes' own network had none
	// that did either: the fault lies below the plugin.
	Shared bool `json:"shared,omitempty"`

	Headline  results.Metric `json:"-"` // of the probe
	Placement string         `json:"-"`
}

// All reports whether no sample succeeded.
func (f *Failure) All() bool { return f.Failed == f.Of }

// Text says it in a few words.
func (f *Failure) Text() words.Text {
	if f.Shared {
		return words.ProbeFailedHostToo.With(f.Probe, f.Failed, f.Of, f.Cause)
	}
	return words.ProbeFailed.With(f.Probe, f.Failed, f.Of, f.Cause)
}

// Failure returns what failed of a probe, nil if nothing did.
func (c *Cell) Failure(probe string) *Failure {
	for i := range c.Failures {
		if f := &c.Failures[i]; f.Probe == probe {
			return f
		}
	}
	return nil
}

// connects are the probes that any path between two pods passes, however slow it
// is. A network at which one of them never succeeds does not work. Others, such as
// udp-pps, ask for more than that packets arrive.
var connects = []string{"tcp-stream", "tcp-rr", "udp-rr", "tcp-crr"}

// Connecting reports whether a probe, with its parameters, is one of them.
func Connecting(probe string) bool {
	name, _, _ := strings.Cut(probe, ":")
	return slices.Contains(connects, name)
}

// Measured reports whether a cell has a figure of a probe.
func (c *Cell) Measured(probe string) bool {
	return slices.ContainsFunc(c.Metrics, func(m Metric) bool { return m.Probe == probe })
}

// Up reports whether the cell worked, with every probe that only sends between
// two pods.
func (c *Cell) Up() bool {
	return c.Status == results.StatusOK && !slices.ContainsFunc(c.Failures, func(f Failure) bool { return f.All() && Connecting(f.Probe) })
}

// CauseNotReached is why a network has no record: nothing was seen of it,
// neither that it works nor that it does not.
var CauseNotReached = words.RunEndedFirst
