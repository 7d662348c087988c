package view

import (
	"cmp"
	"math"
	"slices"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// Standing lists the verdicts on one plugin against the plugins below it, including
// those without a decision. Every pair is in one standing only.
type Standing struct {
	Plugin  string
	Against []Against
}

// Against lists the plugins against which one plugin has the same verdict.
type Against struct {
	Verdict stats.Verdict
	Others  []Other
}

// Other is another plugin, with the ratio of the first plugin's figure to its figure;
// nil if there is none.
type Other struct {
	Plugin string
	Ratio  *float64
}

// verdictsInOrder lists the verdicts in the order in which they are shown, with the
// sentence for each.
var verdictsInOrder = []struct {
	verdict stats.Verdict
	format  words.Message
}{{stats.Faster, words.FasterThan}, {stats.Equivalent, words.EquivalentTo}, {stats.Slower, words.SlowerThan}, {stats.Inconclusive, words.NoVerdictAgainst}}

// Text describes the standing: "faster than a (×1.20), b (×1.34)".
func (s Standing) Text() words.Text {
	var all []words.Text
	for _, a := range s.Against {
		var others []words.Text
		for _, o := range a.Others {
			ratio := words.Text{}
			if o.Ratio != nil {
				ratio = words.Quote("×" + quantity.Times(*o.Ratio))
			}
			others = append(others, words.Aside(words.Quote(o.Plugin), ratio))
		}
		for _, v := range verdictsInOrder {
			if v.verdict == a.Verdict {
				all = append(all, v.format.With(words.List(others...)))
			}
		}
	}
	return words.Clauses(all...)
}

// Family is the set of verdicts on one figure that were corrected together.
type Family []*model.Comparison

// FamilyOf returns the verdicts on the headline of a table.
func FamilyOf(r *model.Report, t *Table) Family {
	var all Family
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		if c.Topology == t.Topology && c.Wire == t.Wire && c.Probe == t.Probe && c.Metric == t.Headline().Name {
			all = append(all, c)
		}
	}
	return all
}

// Standings returns the plugins of a table from the best median to the worst, each with
// the verdicts against the plugins below it.
func (t *Table) Standings(family Family) []Standing {
	rows := slices.DeleteFunc(slices.Clone(t.Rows), func(w Row) bool { return w.Metrics[0] == nil || results.IsControl(w.Cell.Plugin) })
	slices.SortStableFunc(rows, func(a, b Row) int {
		order := cmp.Compare(a.Metrics[0].Median, b.Metrics[0].Median)
		if t.Headline().Better == "higher" {
			return -order
		}
		return order
	})
	var all []Standing
	for i, above := range rows {
		by := map[stats.Verdict][]Other{}
		for _, below := range rows[i+1:] {
			if c := between(family, above.Cell.Plugin, below.Cell.Plugin); c != nil {
				v, text := seenFrom(c, above.Cell.Plugin)
				by[v] = append(by[v], text)
			}
		}
		s := Standing{Plugin: above.Cell.Plugin}
		for _, v := range verdictsInOrder {
			if names := by[v.verdict]; len(names) > 0 {
				s.Against = append(s.Against, Against{v.verdict, names})
			}
		}
		if len(s.Against) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// between returns the comparison of two plugins in either order, or nil.
func between(family Family, one, other string) *model.Comparison {
	for _, c := range family {
		if c.A == one && c.B == other || c.A == other && c.B == one {
			return c
		}
	}
	return nil
}

// seenFrom returns the verdict from the side of one of the two plugins, and the other
// plugin with the ratio of the first one's figure to its figure.
func seenFrom(c *model.Comparison, plugin string) (stats.Verdict, Other) {
	if plugin == c.A {
		return c.Verdict, Other{c.B, c.Ratio}
	}
	other := Other{Plugin: c.A}
	if c.Ratio != nil {
		turned := 1 / *c.Ratio
		other.Ratio = &turned
	}
	switch c.Verdict {
	case stats.Faster:
		return stats.Slower, other
	case stats.Slower:
		return stats.Faster, other
	}
	return c.Verdict, other
}

// Meaning says how the verdicts of a table were reached and how small a
// difference they could have shown.
func (family Family) Meaning() words.Text {
	c := family[0]
	text := words.Clauses(family.scope(), words.MarginAndCorrection.With(quantity.Percent(c.Margin), len(family)))
	least, most := math.Inf(1), 0.0
	for _, c := range family {
		if c.Detectable == nil {
			most = math.Inf(1)
			continue
		}
		least, most = min(least, *c.Detectable), max(most, *c.Detectable)
	}
	switch {
	case math.IsInf(least, 0) && c.Judged.Logs == nil:
		return text // the sentences say why
	case math.IsInf(least, 0):
		return words.Clauses(text, words.NoDifferenceFindable.With(c.N, stats.MinRounds(len(family))))
	case math.IsInf(most, 0):
		return words.Clauses(text, words.SmallestInSomePairs.With(quantity.Percent(least)))
	case quantity.Percent(least) == quantity.Percent(most):
		return words.Clauses(text, words.SmallestFindable.With(quantity.Percent(least)))
	}
	return words.Clauses(text, words.SmallestByPair.With(quantity.Percent(least), quantity.Percent(most)))
}

// scope says what the verdicts hold for, and how much ratios vary between deployments if that was
// measured.
func (family Family) scope() words.Text {
	deployments, between, within := 0, -1.0, -1.0
	for _, c := range family {
		if c.Ratio == nil {
			continue
		}
		if deployments == 0 || c.Deployments < deployments {
			deployments = c.Deployments // the fewest that a verdict rests on
		}
		if c.Spread != nil {
			between, within = max(between, c.Spread.Between), max(within, c.Spread.Within)
		}
	}
	switch {
	case between >= 0 && deployments >= stats.MinDeployments:
		return words.FamilyOverDeployments.With(deployments, quantity.Percent(between), quantity.Percent(within))
	case deployments > 1:
		return words.FamilyInDeployments.With(deployments)
	}
	return words.FamilyInDeployment
}

// Controls describes the verdicts on plugins against their own copies.
func (family Family) Controls() []words.Text {
	var all []words.Text
	for _, c := range family {
		if c.Control {
			text := words.ControlTwice.With(c.B, quantity.VerdictText(c.Verdict))
			if c.Ratio != nil {
				text = words.ControlTwiceOutcome.With(c.B, quantity.VerdictText(c.Verdict), quantity.Ratio(*c.Ratio, c.CI))
			}
			all = append(all, text)
		}
	}
	return all
}

// Weaknesses returns the notes on verdicts, each with its pair.
func (family Family) Weaknesses() []words.Text {
	var all []words.Text
	for _, c := range family {
		for _, note := range c.Notes {
			all = append(all, words.PairNote.With(c.A, c.B, note))
		}
	}
	return all
}
