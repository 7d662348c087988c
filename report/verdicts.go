package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// standing is how one plugin stands to those that do worse than it, and to
// those with which there is no telling. Every pair is in one standing only.
type standing struct {
	Plugin string
	Words  []string // "faster than a (×1.20), b (×1.34)"
}

// comparisons are the verdicts of a table.
func (r *Report) comparisons(t *table) []*Comparison {
	var all []*Comparison
	for i := range r.Comparisons {
		c := &r.Comparisons[i]
		if c.Topology == t.Topology && c.Wire == t.Wire && c.Probe == t.Probe && c.Metric == t.headline().Name {
			all = append(all, c)
		}
	}
	return all
}

// standings orders the plugins of a table from the best median to the worst,
// each against those below it.
func (t *table) standings(family []*Comparison) []standing {
	rows := slices.DeleteFunc(slices.Clone(t.Rows), func(w row) bool { return w.Metrics[0] == nil || results.IsControl(w.Cell.Plugin) })
	slices.SortStableFunc(rows, func(a, b row) int {
		order := cmp.Compare(a.Metrics[0].Median, b.Metrics[0].Median)
		if t.headline().Better == "higher" {
			return -order
		}
		return order
	})
	var all []standing
	for i, above := range rows {
		words := map[stats.Verdict][]string{}
		for _, below := range rows[i+1:] {
			if c := between(family, above.Cell.Plugin, below.Cell.Plugin); c != nil {
				v, text := c.from(above.Cell.Plugin)
				words[v] = append(words[v], text)
			}
		}
		s := standing{Plugin: above.Cell.Plugin}
		for _, v := range []struct {
			verdict stats.Verdict
			words   string
		}{{stats.Faster, "faster than "}, {stats.Equivalent, "equivalent to "}, {stats.Slower, "slower than "}, {stats.Inconclusive, "no verdict against "}} {
			if names := words[v.verdict]; len(names) > 0 {
				s.Words = append(s.Words, v.words+strings.Join(names, ", "))
			}
		}
		if len(s.Words) > 0 {
			all = append(all, s)
		}
	}
	return all
}

// between finds the comparison of two plugins, whichever comes first.
func between(family []*Comparison, one, other string) *Comparison {
	for _, c := range family {
		if c.A == one && c.B == other || c.A == other && c.B == one {
			return c
		}
	}
	return nil
}

// from is the verdict as one of the two sees it, and the other with the ratio
// of this one's figure to it.
func (c *Comparison) from(plugin string) (stats.Verdict, string) {
	verdict, other, turned := c.Verdict, c.B, 1.0
	if plugin == c.B {
		other, turned = c.A, -1
		switch verdict {
		case stats.Faster:
			verdict = stats.Slower
		case stats.Slower:
			verdict = stats.Faster
		}
	}
	if c.Ratio == nil {
		return verdict, other
	}
	return verdict, fmt.Sprintf("%s (×%s)", other, times(math.Pow(*c.Ratio, turned)))
}

// meaning says how the verdicts of a table were reached and how small a
// difference they could have shown.
func meaning(family []*Comparison) string {
	c := family[0]
	text := fmt.Sprintf("margin %s, %d comparisons corrected together (Holm)", percent(c.Margin), len(family))
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
		return text + fmt.Sprintf("; smallest difference that could be found: from %s, in some pairs none", percent(least))
	case percent(least) == percent(most):
		return text + "; smallest difference that could be found: " + percent(least)
	}
	return text + fmt.Sprintf("; smallest difference that could be found: %s to %s, by pair", percent(least), percent(most))
}

// controls are the verdicts on plugins against their own copies, in words.
func controls(family []*Comparison) []string {
	var all []string
	for _, c := range family {
		if c.Control {
			text := fmt.Sprintf("A/A control, %s twice: %s", c.B, c.Verdict)
			if c.Ratio != nil {
				text += " " + ratio(&VsHost{N: c.N, Ratio: *c.Ratio, CI: c.CI})
			}
			all = append(all, text)
		}
	}
	return all
}

// weaknesses are the notes on verdicts, each with its pair.
func weaknesses(family []*Comparison) []string {
	var all []string
	for _, c := range family {
		for _, note := range c.Notes {
			all = append(all, fmt.Sprintf("%s against %s: %s", c.A, c.B, note))
		}
	}
	return all
}

// verdicts writes what a table's figures amount to.
func (t *text) verdicts(tb *table) {
	family := t.report.comparisons(tb)
	if len(family) == 0 {
		return
	}
	t.line("verdicts by %s (%s)", tb.headline().Name, meaning(family))
	var lines [][]string
	for _, s := range tb.standings(family) {
		lines = append(lines, []string{"  " + s.Plugin, strings.Join(s.Words, "; ")})
	}
	t.columns(lines)
	for _, control := range controls(family) {
		t.line("  %s", control)
	}
	for _, w := range weaknesses(family) {
		t.line("  note: %s", w)
	}
}

// trust says how far the verdicts hold.
func (t *text) trust() {
	if len(t.report.Comparisons) == 0 {
		return
	}
	t.line("")
	t.line("how far the verdicts hold")
	t.line("  %s", t.report.Sensitivity.Text)
	if len(t.report.Implausible) == 0 {
		t.line("  No order contradicts physics.")
	}
	for _, i := range t.report.Implausible {
		t.line("  IMPLAUSIBLE (%s): %s Check %s.", i.Rule, i.Text, i.Check)
	}
}

// verdictView are a table's verdicts for the page.
type verdictView struct {
	Meaning    string
	Standings  []standing
	Controls   []string
	Weaknesses []string
	Pairs      []pairView
}

type pairView struct {
	Sentence, Verdict, Ratio, P, Detectable string
	N                                       int
}

// verdictsOf prepares a table's verdicts for the page; nil if there are none.
func (r *Report) verdictsOf(t *table) *verdictView {
	family := r.comparisons(t)
	if len(family) == 0 {
		return nil
	}
	v := &verdictView{Meaning: meaning(family), Standings: t.standings(family), Controls: controls(family), Weaknesses: weaknesses(family)}
	for _, c := range family {
		p := pairView{Sentence: c.Sentence, Verdict: string(c.Verdict), P: fmt.Sprintf("%.2g", c.PAdjusted), N: c.N, Detectable: "none"}
		if c.Ratio != nil {
			p.Ratio = ratio(&VsHost{N: c.N, Ratio: *c.Ratio, CI: c.CI})
		}
		if c.Detectable != nil {
			p.Detectable = percent(*c.Detectable)
		}
		v.Pairs = append(v.Pairs, p)
	}
	return v
}
