package model

import (
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// Implausible is a result that contradicts physics or the setup. It is reported,
// never changed.
type Implausible struct {
	Rule     string           `json:"rule"`
	Plugin   string           `json:"plugin"`
	Topology results.Topology `json:"topology"`
	Kernel   string           `json:"kernel,omitempty"` // "" for the machine's own
	Wire     string           `json:"wire"`
	Text     words.Text       `json:"text"`
	Check    words.Text       `json:"check"` // what to look at
}

// Sensitivity reports whether verdicts depend on disturbed samples.
type Sensitivity struct {
	Samples int `json:"samples"` // all that succeeded
	// Marked counts the disturbed samples by cause; a sample may have several.
	Marked map[string]int `json:"marked"`
	Left   int            `json:"left"` // samples that nothing disturbed
	// Changes lists the verdicts that differ without the disturbed samples.
	Changes []Change   `json:"changes"`
	Text    words.Text `json:"text"`
}

// RunWide says how often a run has some wrong verdict, although each family of comparisons has few.
type RunWide struct {
	// Families is the number of families in which a verdict is possible: tables of their own.
	Families int `json:"families"`
	// AnyWrong bounds the share of runs of plugins that do not differ in which any pair would be called
	// different in any family (Boole's inequality: families may depend on each other).
	AnyWrong float64    `json:"any_wrong"`
	Text     words.Text `json:"text"`
}

// Change is a verdict that differs for another choice of samples.
type Change struct {
	Pair
	From stats.Verdict `json:"from"`
	To   stats.Verdict `json:"to"`
	N    int           `json:"n"` // blocks that are left
}
