package stats

import (
	"cmp"
	"math"
	"slices"
)

// Verdict says how the first of two figures compares to the second.
type Verdict string

// The verdicts. Faster means better: a higher goodput or a lower latency.
const (
	Faster       Verdict = "faster"
	Slower       Verdict = "slower"
	Equivalent   Verdict = "equivalent"
	Inconclusive Verdict = "inconclusive"
)

// DefaultMargin is the difference, as a share, below which plugins are equivalent unless a run
// sets another margin. Runs on different machines, or of the next patch release, differ by as
// much.
const DefaultMargin = 0.03

// MinDeployments is the least number of deployments of two plugins from which a verdict on the
// plugins themselves follows, rather than on what one run deployed.
const MinDeployments = 6

// Level is the maximum probability of a wrong verdict in a family of comparisons.
const Level = 1 - Confidence

// Comparison is a ratio with its verdict.
type Comparison struct {
	Ratio
	// PAdjusted is P after Holm's correction over the family.
	PAdjusted float64
	// PMargin is the p-value against the hypothesis that the two differ by the margin or more;
	// PMarginAdjusted is the same after Holm's correction.
	PMargin, PMarginAdjusted float64
	Verdict                  Verdict
}

// Judge gives every ratio of a family its verdict. A family consists of the comparisons for one
// question: all pairs of plugins for one figure. Paired ratios must have been widened [Together].
//
// Each pair is subject to two questions, each corrected separately over the family with Holm's
// procedure. Is there a difference, that is, is the ratio not 1? Is it smaller than the margin,
// that is, neither 1+margin nor 1/(1+margin)? Of the two p-values of the latter, the larger one
// counts (two one-sided tests: Schuirmann, J. Pharmacokinetics and Biopharmaceutics 15, 1987; each
// at half the level, so that the 95 % interval is inside the margin). The verdicts are
//
//   - equivalent: smaller than the margin, whether there is a difference or not;
//   - faster, slower: there is a difference, in the direction of the interval;
//   - inconclusive: neither can be shown.
//
// So the probability that any pair of a family without a difference is called faster or slower is
// at most 5 %, and so is the probability that any pair that differs by the margin or more is
// called equivalent. What the former rests on: in paired blocks, the order is drawn at random, so
// two equal plugins could have got each other's samples (Fisher's randomisation argument), and
// what a plugin's own wandering adds is estimated ([Together]). Figures that share no blocks
// ([Between]) have no such argument; they rest on the independence of the two sides. The interval
// of a ratio is not widened for the family: it covers its own ratio with 95 %. A verdict never
// contradicts the interval.
func Judge(family []Ratio, higherIsBetter bool, margin float64) []Comparison {
	all := make([]Comparison, len(family))
	p, near := make([]float64, len(family)), make([]float64, len(family))
	for i, r := range family {
		all[i] = Comparison{Ratio: r, PMargin: r.pMargin(margin)}
		p[i], near[i] = r.P, all[i].PMargin
	}
	p, near = Holm(p), Holm(near)
	for i := range all {
		c := &all[i]
		c.PAdjusted, c.PMarginAdjusted = p[i], near[i]
		c.Verdict = c.judge(higherIsBetter, margin)
	}
	return all
}

// JudgeControl judges a plugin against its own copy again, with Bonferroni's correction over a
// family of the given size. Holm's procedure does not correct the last p-value at all once all
// others are small, so beside plugins that do differ, one control in twenty would be found
// different by chance. That is a valid level for a question, but a control's alarm makes the
// reader doubt everything else.
func (c *Comparison) JudgeControl(comparisons int, higherIsBetter bool, margin float64) {
	c.PAdjusted = min(1, c.P*float64(comparisons))
	c.PMarginAdjusted = min(1, c.PMargin*float64(comparisons))
	c.Verdict = c.judge(higherIsBetter, margin)
}

func (c *Comparison) judge(higherIsBetter bool, margin float64) Verdict {
	switch {
	case c.CI == nil:
		return Inconclusive
	case c.PMarginAdjusted <= Level && c.CI.Within(margin):
		return Equivalent
	case c.PAdjusted > Level || c.CI.Contains(1):
		return Inconclusive
	case (c.CI.Low > 1) == higherIsBetter:
		return Faster
	}
	return Slower
}

// pMargin returns the smallest level at which the interval is inside the margin, or 1 if not even
// the estimate is. The margin is the same for a ratio and its inverse, so that a verdict does not
// depend on which figure comes first.
func (r Ratio) pMargin(margin float64) float64 {
	limit := math.Log1p(margin)
	if r.N == 0 || math.Abs(math.Log(r.Ratio)) >= limit {
		return 1
	}
	return max(r.against(limit), r.against(-limit))
}

// Holm adjusts p-values so that all values at or below a level can be called significant together
// at that level (Holm, A simple sequentially rejective multiple test procedure, Scandinavian
// Journal of Statistics 6, 1979; R: p.adjust(method = "holm")). NaN counts as 1.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	clean := slices.Clone(p)
	for i := range order {
		order[i] = i
		if math.IsNaN(clean[i]) {
			clean[i] = 1
		}
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(clean[i], clean[j]) })
	adjusted := make([]float64, len(p))
	most := 0.0
	for rank, i := range order {
		most = max(most, min(1, float64(len(p)-rank)*clean[i]))
		adjusted[i] = most
	}
	return adjusted
}
