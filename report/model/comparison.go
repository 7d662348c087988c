package model

import (
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// Comparison is the verdict on one pair of plugins by the headline of one
// probe: how A stands to B. [stats.Judge] says how it is reached.
type Comparison struct {
	A        string           `json:"a"`
	B        string           `json:"b"`
	Topology results.Topology `json:"topology"`
	Kernel   string           `json:"kernel,omitempty"` // "" for the machine's own
	Wire     string           `json:"wire"`
	Probe    string           `json:"probe"`
	Metric   string           `json:"metric"`
	// Ratio of A's figure to B's; null if no block has one.
	Ratio     *float64      `json:"ratio"`
	CI        *[2]float64   `json:"ci"` // null: fewer blocks than an interval needs
	P         float64       `json:"p"`
	PAdjusted float64       `json:"p_adjusted"` // by Holm, over the pairs of this topology, wire, probe and metric
	Verdict   stats.Verdict `json:"verdict"`
	N         int           `json:"n"` // blocks that have both
	Margin    float64       `json:"margin"`
	// PMarginAdjusted is the corrected p-value against a difference of the
	// margin or more.
	PMarginAdjusted float64 `json:"p_margin_adjusted"`
	// Detectable is the smallest difference that would have been found with
	// 80 % probability; null: none could.
	Detectable *float64 `json:"detectable"`
	Better     string   `json:"better"`
	// ThroughHost marks two that were never up at once: Ratio is that of their
	// ratios to the baseline, each in blocks of its own.
	ThroughHost bool `json:"through_host,omitempty"`
	// Control marks a plugin that is compared with its own copy.
	Control bool `json:"control"`
	// Sentence is the verdict in words; Notes say what weakens it.
	Sentence words.Text   `json:"sentence"`
	Notes    []words.Text `json:"notes"`

	Judged stats.Comparison `json:"-"`
	Family int              `json:"-"` // number of comparisons that were corrected together
	Common int              `json:"-"` // blocks that have samples of both, zeros included
	Away   string           `json:"-"` // which of the two took another path, so that nothing is compared
}
