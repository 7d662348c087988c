package model

import (
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// Pair names what a verdict is on: two plugins, by one figure of one probe.
type Pair struct {
	A        string           `json:"a"`
	B        string           `json:"b"`
	Topology results.Topology `json:"topology"`
	Kernel   string           `json:"kernel,omitempty"` // "" for the machine's own
	Wire     string           `json:"wire"`
	Probe    string           `json:"probe"`
	Metric   string           `json:"metric"`
}

// Comparison is the verdict on one pair of plugins by the headline figure of one
// probe: how A compares with B. [stats.Judge] describes how it is reached.
type Comparison struct {
	Pair
	// Ratio is A's figure divided by B's; null if no block has both.
	Ratio     *float64      `json:"ratio"`
	CI        *[2]float64   `json:"ci"` // null: fewer blocks than an interval needs
	P         float64       `json:"p"`
	PAdjusted float64       `json:"p_adjusted"` // by Holm, over the pairs of this topology, wire, probe and metric
	Verdict   stats.Verdict `json:"verdict"`
	N         int           `json:"n"` // blocks with samples of both
	Margin    float64       `json:"margin"`
	// PMarginAdjusted is the corrected p-value against a difference of the
	// margin or more.
	PMarginAdjusted float64 `json:"p_margin_adjusted"`
	// Detectable is the smallest difference that would have been found with
	// 80 % probability; null: none could.
	Detectable *float64 `json:"detectable"`
	Better     string   `json:"better"`
	// Deployments is how many deployments of the two the verdict is based on. From
	// [stats.MinDeployments] on, it is a verdict on the plugins; with fewer, it holds for
	// what was deployed in this run.
	Deployments int `json:"deployments"`
	// Spread says how much the ratio varies between and within deployments; null if there are too
	// few.
	Spread *Spread `json:"spread"`
	// ThroughHost marks two plugins that were never up at the same time: Ratio
	// divides their ratios to the baseline, each from its own blocks.
	ThroughHost bool `json:"through_host,omitempty"`
	// Control marks a plugin that is compared with its own copy.
	Control bool `json:"control"`
	// Sentence states the verdict, Notes what weakens it.
	Sentence words.Text   `json:"sentence"`
	Notes    []words.Text `json:"notes"`

	Judged stats.Comparison `json:"-"`
	// Series are the logarithms of the ratios in the order of their blocks: one series, or one for
	// each side of a comparison through host. There is none if deployments count.
	Series [][]float64 `json:"-"`
	Family int         `json:"-"` // number of comparisons corrected together
	Common int         `json:"-"` // blocks with samples of both, including zeros
	Away   string      `json:"-"` // the one that took another path, so that the two are not compared
}

// Spread is how much a ratio varies, in standard deviations as a share of it.
type Spread struct {
	Between float64 `json:"between_deployments"`
	Within  float64 `json:"within_deployment"` // from round to round
}
