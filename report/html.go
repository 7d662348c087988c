package report

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/lang"
	"github.com/cnibench/cnibench/results"
)

//go:embed page.html
var page string

// answerPage holds the page's parts that are about the network and the advice.
//
//go:embed answer.html
var answerPage string

// pageTemplate is parsed when it is first asked for: most processes of this
// program are probe workers, which render no page.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(pageFuncs).Parse(page + answerPage))
})

var pageFuncs = template.FuncMap{
	"quantity": quantity, "interval": withInterval, "ratio": ratio, "share": share, "form": form,
	"join":     strings.Join,
	"language": func() string { return "" }, "say": (*lang.Language).Say, "t": (*lang.Language).Sayf, // each rendering has its own
	"percent": func(v float64) int { return int(100 * min(max(v, 0), 1)) },
	"milli":   func(ms float64) string { return quantity(ms/1000, "s") },
	"bytes":   func(n int64) string { return quantity(float64(n), "byte") },
	"matrix":  (*Report).matrix, "adjacent": (*Report).adjacent, "reached": (*Report).reachedLines, "ways": (*Report).ways,
	"machines": (*Report).machines, "setupTook": (*Report).setupTook, "broke": (*Cell).broke,
	"adjacencyMaps": (*Report).adjacencyMaps, "reachMaps": (*Report).reachMaps, "policy": policyText, "underlay": (*Report).underlay, "limit": limitText, // of its language too
}

// view is what the page shows.
type view struct {
	*Report
	Tables   []tableView
	Absent   []*Cell
	Broken   []*Cell
	Programs string
	Took     string
}

type tableView struct {
	*table
	About string
	Notes []string
	Plots []template.HTML
	Lines []lineView
	// Verdicts are nil if there are none.
	Verdicts *verdictView
}

type lineView struct {
	Name  string
	Cells []cellView
}

type cellView struct{ Value, Ratio, Expected string }

// HTML writes the report as one page that needs nothing else: no scripts, no
// fonts, no pictures from elsewhere. Texts of agents are escaped.
func (r *Report) HTML(out io.Writer) error {
	v := view{Report: r, Absent: r.absent(), Broken: r.broken(), Programs: r.versions(), Took: r.language.Say("cut off")}
	if r.Run.Finished != nil {
		v.Took = fmt.Sprintf("%.0f s", r.Run.Finished.Sub(r.Run.Started).Seconds())
	}
	for _, t := range r.tables() {
		tv := tableView{table: t, About: t.about(), Notes: t.notes(), Verdicts: r.verdictsOf(t)}
		for _, m := range t.plotted() {
			if !t.drawn(m) {
				continue
			}
			drawn, err := t.plot(m, r.language)
			if err != nil {
				return err
			}
			tv.Plots = append(tv.Plots, drawn)
		}
		tail, err := t.plotTail(r.language)
		if err != nil {
			return err
		}
		if tail != "" {
			tv.Plots = append(tv.Plots, tail)
		}
		for _, w := range t.Rows {
			tv.Lines = append(tv.Lines, w.line())
		}
		v.Tables = append(v.Tables, tv)
	}
	page, err := pageTemplate().Clone()
	if err != nil {
		return fmt.Errorf("rendering the page: %w", err)
	}
	page.Funcs(template.FuncMap{"language": r.language.Name, "say": r.language.Say, "t": r.language.Sayf,
		"limit": func(l advice.Limit) string { return limitText(l, r.language) }})
	if err := page.Execute(out, v); err != nil {
		return fmt.Errorf("rendering the page: %w", err)
	}
	return nil
}

// drawn reports whether any row has the figure.
func (t *table) drawn(m results.Metric) bool {
	return slices.ContainsFunc(t.Rows, func(w row) bool { return w.Cell.Metric(t.Probe, m.Name) != nil })
}

// line are a row's figures for the page.
func (w *row) line() lineView {
	l := lineView{Name: w.Cell.named()}
	for i, m := range w.Metrics {
		var c cellView
		if i == 0 {
			c.Value = w.failed()
		}
		if m != nil {
			c.Value, c.Ratio = withInterval(m.Median, m.CI, m.Unit), ratio(m.VsHost)
			if m.Merged != nil && i > 0 {
				c.Value = withInterval(*m.Merged, m.MergedCI, m.Unit)
			}
			if i == 0 {
				c.Expected = w.ofExpected()
			}
		}
		l.Cells = append(l.Cells, c)
	}
	return l
}
