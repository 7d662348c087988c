package model

import (
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// Implausible is a result that contradicts physics or the set-up. It is
// reported, never changed.
type Implausible struct {
	Rule     string           `json:"rule"`
	Plugin   string           `json:"plugin"`
	Topology results.Topology `json:"topology"`
	Kernel   string           `json:"kernel,omitempty"` // "" for the machine's own
	Wire     string           `json:"wire"`
	Text     words.Text       `json:"text"`
	Check    words.Text       `json:"check"` // what to look at
}

// Sensitivity says whether verdicts hang on samples that something disturbed.
type Sensitivity struct {
	Samples int `json:"samples"` // all that succeeded
	// Marked counts the disturbed ones by what disturbed them; a sample may
	// count more than once.
	Marked map[string]int `json:"marked"`
	Left   int            `json:"left"` // samples that nothing disturbed
	// Changes are the verdicts that would be others without them.
	Changes []Change   `json:"changes"`
	Text    words.Text `json:"text"`
}

// Change is a verdict that another choice of samples would change.
type Change struct {
	A        string           `json:"a"`
	B        string           `json:"b"`
	Topology results.Topology `json:"topology"`
	Kernel   string           `json:"kernel,omitempty"` // "" for the machine's own
	Wire     string           `json:"wire"`
	Probe    string           `json:"probe"`
	Metric   string           `json:"metric"`
	From     stats.Verdict    `json:"from"`
	To       stats.Verdict    `json:"to"`
	N        int              `json:"n"` // blocks that are left
}
