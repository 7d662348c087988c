package view

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/cnibench/cnibench/report/lang"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// Standing is how one plugin stands to those that do worse than it, and to
// those with which there is no telling. Every pair is in one standing only.
type Standing struct {
	Plugin  string
	Against []Against
}

// Against are the plugins to which one stands by the same verdict.
type Against struct {
	Verdict stats.Verdict
	Others  []Other
}

// Other is a plugin, and the ratio of the one's figure to its: nil if there is
// none.
type Other struct {
	Plugin string
	Ratio  *float64
}

// verdictsInOrder are verdicts in the order in which people read them, and the
// sentence of each.
var verdictsInOrder = []struct {
	verdict stats.Verdict
	format  string
}{{stats.Faster, "faster than %s"}, {stats.Equivalent, "equivalent to %s"}, {stats.Slower, "slower than %s"}, {stats.Inconclusive, "no verdict against %s"}}

// Said is the standing in a language: "faster than a (×1.20), b (×1.34)".
func (s Standing) Said(in *lang.Language) string {
	var all []string
	for _, a := range s.Against {
		var others []string
		for _, o := range a.Others {
			if o.Ratio != nil {
				o.Plugin += in.Aside("×" + quantity.Times(*o.Ratio))
			}
			others = append(others, o.Plugin)
		}
		for _, v := range verdictsInOrder {
			if v.verdict == a.Verdict {
				all = append(all, in.Sayf(v.format, lang.Plain(in.List(others))))
			}
		}
	}
	return in.Clauses(all)
}

// Family are the verdicts on one figure that were corrected together.
type Family []*model.Comparison

// FamilyOf are the verdicts of a table.
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

// Standings orders the plugins of a table from the best median to the worst,
// each against those below it.
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
		words := map[stats.Verdict][]Other{}
		for _, below := range rows[i+1:] {
			if c := between(family, above.Cell.Plugin, below.Cell.Plugin); c != nil {
				v, text := seenFrom(c, above.Cell.Plugin)
				words[v] = append(words[v], text)
			}
		}
		s := Standing{Plugin: above.Cell.Plugin}
		for _, v := range verdictsInOrder {
			if names := words[v.verdict]; len(names) > 0 {
				s.Against = append(s.Against, Against{v.verdict, names})
			}
		}
		if len(s.Against) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// between finds the comparison of two plugins, whichever comes first.
func between(family Family, one, other string) *model.Comparison {
	for _, c := range family {
		if c.A == one && c.B == other || c.A == other && c.B == one {
			return c
		}
	}
	return nil
}

// seenFrom is the verdict as one of the two sees it, and the other with the
// ratio of this one's figure to it.
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
func (family Family) Meaning() string {
	c := family[0]
	text := fmt.Sprintf("margin %s, %d comparisons corrected together (Holm)", quantity.Percent(c.Margin), len(family))
	least, most := math.Inf(1), 0.0
	for _, c := range family {
		if c.Detectable == nil {
			most = math.Inf(1)
			continue
		}
		least, most = min(least, *c.Detectable), max(most, *c.Detectable)
	}
	switch {
	case math.IsInf(least, 0):
		return text + fmt.Sprintf("; no difference can be shown in %d rounds, %d are needed", c.N, stats.MinRounds(len(family)))
	case math.IsInf(most, 0):
		return text + fmt.Sprintf("; smallest difference that could be found: from %s, in some pairs none", quantity.Percent(least))
	case quantity.Percent(least) == quantity.Percent(most):
		return text + "; smallest difference that could be found: " + quantity.Percent(least)
	}
	return text + fmt.Sprintf("; smallest difference that could be found: %s to %s, by pair", quantity.Percent(least), quantity.Percent(most))
}

// Controls are the verdicts on plugins against their own copies, in words.
func (family Family) Controls() []string {
	var all []string
	for _, c := range family {
		if c.Control {
			text := fmt.Sprintf("A/A control, %s twice: %s", c.B, c.Verdict)
			if c.Ratio != nil {
				text += " " + quantity.Ratio(*c.Ratio, c.CI)
			}
			all = append(all, text)
		}
	}
	return all
}

// Weaknesses are the notes on verdicts, each with its pair.
func (family Family) Weaknesses() []string {
	var all []string
	for _, c := range family {
		for _, note := range c.Notes {
			all = append(all, fmt.Sprintf("%s against %s: %s", c.A, c.B, note))
		}
	}
	return all
}
