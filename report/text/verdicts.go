package text

import (
	"github.com/cnibench/cnibench/report/view"
	"github.com/cnibench/cnibench/words"
)

// verdicts writes the verdicts on a table's figures.
func (t *terminal) verdicts(tb *view.Table) {
	family := view.FamilyOf(t.report, tb)
	if len(family) == 0 {
		return
	}
	t.line(words.Aside(words.VerdictsBy.With(tb.Headline().Name), family.Meaning()))
	var lines [][]words.Text
	for _, s := range tb.Standings(family) {
		lines = append(lines, []words.Text{words.Quote("  " + s.Plugin), s.Text()})
	}
	t.columns(lines)
	for _, control := range family.Controls() {
		t.line(control, "  ")
	}
	for _, w := range family.Weaknesses() {
		t.line(words.NoteLine.With(w), "  ")
	}
}

// trust writes how far the verdicts can be trusted.
func (t *terminal) trust() {
	if len(t.report.Comparisons) == 0 {
		return
	}
	t.title(words.TrustTitle)
	if !t.report.RunWide.Text.Empty() {
		t.line(t.report.RunWide.Text, "  ")
	}
	t.line(t.report.Sensitivity.Text, "  ")
	if len(t.report.Implausible) == 0 {
		t.line(words.NoOrderContradictsPhysics, "  ")
	}
	for _, i := range t.report.Implausible {
		t.line(words.ImplausibleLine.With(i.Rule, i.Text, i.Check), "  ")
	}
}
