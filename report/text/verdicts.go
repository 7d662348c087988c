package text

import (
	"github.com/cnibench/cnibench/report/view"
)

// verdicts writes what a table's figures amount to.
func (t *terminal) verdicts(tb *view.Table) {
	family := view.FamilyOf(t.report, tb)
	if len(family) == 0 {
		return
	}
	t.line("verdicts by %s (%s)", tb.Headline().Name, family.Meaning())
	var lines [][]string
	for _, s := range tb.Standings(family) {
		lines = append(lines, []string{"  " + s.Plugin, s.Said(t.in)})
	}
	t.columns(lines)
	for _, control := range family.Controls() {
		t.line("  %s", control)
	}
	for _, w := range family.Weaknesses() {
		t.line("  note: %s", w)
	}
}

// trust says how far the verdicts hold.
func (t *terminal) trust() {
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
