// Package html renders a report as an HTML page.
package html

import (
	"embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"sync"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/report/view"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

//go:embed page.html network.html survey.html advice.html
var templates embed.FS

//go:embed page.css
var styleSheet string

// pageTemplate parses the templates on first use: most processes of this program are probe workers,
// which render no page.
var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page.html").Funcs(functions(nil, nil)).ParseFS(templates, "*.html"))
})

// functions returns the functions that the templates call, bound to one report and language.
func functions(r *model.Report, in *words.Language) template.FuncMap {
	return template.FuncMap{
		"share": quantity.Share, "form": facts.Form, "status": model.StatusText, "setting": view.Setting, "agrees": func(e results.Encapsulation) words.Text { return facts.AgreesText(&e) },
		"list":     func(all []words.Text) words.Text { return words.List(all...) },
		"percent":  func(v float64) int { return int(100 * min(max(v, 0), 1)) },
		"milli":    func(ms float64) string { return quantity.Format(ms/1000, "s") },
		"bytes":    func(n int64) string { return quantity.Format(float64(n), "byte") },
		"limit":    view.LimitText,
		"style":    func() template.CSS { return template.CSS(styleSheet) },
		"language": in.Name, "say": in.Say,
		"t": func(id string, args ...any) (string, error) {
			m, err := words.ByID(id)
			if err != nil {
				return "", err
			}
			return in.Say(m.With(args...)), nil
		},
		"pairSpeeds":    func() []view.NodesLine { return view.PairSpeeds(r) },
		"surveys":       func() []surveyView { return surveys(r, in) },
		"packetPaths":   func() []pathView { return packetPaths(r) },
		"adjacencyMaps": func() []mapView { return adjacencyMaps(r, in) },
		"reachMaps":     func() []mapView { return reachMaps(r, in) },
	}
}

// pageData holds what the page shows.
type pageData struct {
	*model.Report
	Machines       []words.Text
	SetupTook      words.Text
	Link           words.Text
	Matrix         view.Matrix
	AdjacencyLines []view.AdjacencyLine
	ReachLines     []view.ReachLine
	PolicyLines    []view.PolicyLine
	Tables         []tableView
	Paths          []view.PathRow
	Absent         []*model.Cell
	Broken         []*model.Cell
	Programs       string
	Took           string
}

type tableView struct {
	*view.Table
	About words.Text
	Notes []words.Text
	Plots []template.HTML
	Lines []lineView
	// Verdicts is nil if there are none.
	Verdicts *verdictView
}

type lineView struct {
	Name  words.Text
	Cells []cellView
}

type cellView struct {
	Value, Expected words.Text
	Ratio           string
}

// Write writes a report in a language (nil for English) as one self-contained page, without external
// scripts, fonts or images. Text that comes from agents is escaped.
func Write(out io.Writer, r *model.Report, in *words.Language) error {
	v := pageData{Report: r, Machines: view.Machines(r), SetupTook: view.SetupTook(r), Link: view.Link(r), Matrix: view.MatrixOf(r),
		AdjacencyLines: view.AdjacencyLines(r), ReachLines: view.ReachLines(r), PolicyLines: view.PolicyLines(r), Paths: view.Paths(r), Absent: view.Absent(r), Broken: view.Broken(r), Programs: view.Versions(r), Took: in.Say(words.CutOff)}
	if r.Run.Finished != nil {
		v.Took = fmt.Sprintf("%.0f s", r.Run.Took)
	}
	for _, t := range view.Tables(r) {
		tv := tableView{Table: t, About: t.About(), Notes: t.Notes(), Verdicts: verdictsOf(r, t)}
		for _, m := range plotted(t) {
			if !drawn(t, m) {
				continue
			}
			plot, err := plotMetric(t, m, in)
			if err != nil {
				return err
			}
			tv.Plots = append(tv.Plots, plot)
		}
		tail, err := plotTail(t, in)
		if err != nil {
			return err
		}
		if tail != "" {
			tv.Plots = append(tv.Plots, tail)
		}
		for _, w := range t.Rows {
			tv.Lines = append(tv.Lines, line(&w))
		}
		v.Tables = append(v.Tables, tv)
	}
	page, err := pageTemplate().Clone()
	if err != nil {
		return fmt.Errorf("rendering the page: %w", err)
	}
	if err := page.Funcs(functions(r, in)).Execute(out, v); err != nil {
		return fmt.Errorf("rendering the page: %w", err)
	}
	return nil
}

// drawn reports whether any row has a value for the metric.
func drawn(t *view.Table, m results.Metric) bool {
	return slices.ContainsFunc(t.Rows, func(w view.Row) bool { return w.Cell.Metric(t.Probe, m.Name) != nil })
}

// line returns a row's figures for the page.
func line(w *view.Row) lineView {
	l := lineView{Name: w.Cell.Named()}
	for i, m := range w.Metrics {
		var c cellView
		if i == 0 {
			c.Value = w.FailedText()
		}
		if m != nil {
			c.Value, c.Ratio = words.Quote(quantity.Interval(m.Median, m.CI, m.Unit)), m.VsHost.String()
			if m.Merged != nil && i > 0 {
				c.Value = words.Quote(quantity.Interval(*m.Merged, m.MergedCI, m.Unit))
			}
			if i == 0 {
				c.Expected = w.OfExpected()
			}
		}
		l.Cells = append(l.Cells, c)
	}
	return l
}
