package html

import (
	"fmt"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/report/view"
	"github.com/cnibench/cnibench/words"
)

// verdictView holds a table's verdicts for the page.
type verdictView struct {
	Meaning    words.Text
	Standings  []view.Standing
	Controls   []words.Text
	Weaknesses []words.Text
	Pairs      []pairView
}

type pairView struct {
	Sentence, Verdict, Detectable words.Text
	Ratio, P                      string
	N                             int
}

// verdictsOf returns a table's verdicts for the page, or nil if there are none.
func verdictsOf(r *model.Report, t *view.Table) *verdictView {
	family := view.FamilyOf(r, t)
	if len(family) == 0 {
		return nil
	}
	v := &verdictView{Meaning: words.Stop(family.Meaning()), Standings: t.Standings(family), Controls: family.Controls(), Weaknesses: family.Weaknesses()}
	for _, c := range family {
		p := pairView{Sentence: c.Sentence, Verdict: quantity.VerdictText(c.Verdict), P: fmt.Sprintf("%.2g", c.PAdjusted), N: c.N, Detectable: words.None}
		if c.Ratio != nil {
			p.Ratio = quantity.Ratio(*c.Ratio, c.CI)
		}
		if c.Detectable != nil {
			p.Detectable = words.Quote(quantity.Percent(*c.Detectable))
		}
		v.Pairs = append(v.Pairs, p)
	}
	return v
}
