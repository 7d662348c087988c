// Package text renders a report for a terminal.
package text

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/text/width"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/report/view"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Write writes a report in a language (nil for English) for a terminal. Text that comes from agents
// cannot move the cursor.
func Write(out io.Writer, r *model.Report, in *words.Language) error {
	t := &terminal{report: r, in: in}
	t.answer()
	t.head()
	t.matrix()
	t.nodes(words.SurveyTitle, view.Surveys(r))
	t.nodes(words.PairsTitle, view.PairSpeeds(r))
	for _, table := range view.Tables(r) {
		t.table(table)
	}
	t.paths()
	t.trust()
	t.loss()
	t.wire()
	t.findings()
	t.network()
	t.setup()
	t.absent()
	t.claims()
	t.advice()
	t.empty()
	t.line(words.MediansText)
	t.line(words.TailsText)
	return t.flush(out)
}

// terminal builds the report for a terminal.
type terminal struct {
	strings.Builder
	report *model.Report
	in     *words.Language
}

// flush writes the whole report at once.
func (t *terminal) flush(out io.Writer) error {
	if _, err := io.WriteString(out, t.String()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// line writes a text, preceded by marks such as the indentation of a list.
func (t *terminal) line(text words.Text, mark ...string) {
	fmt.Fprintln(t, results.Printable(strings.Join(mark, "")+t.in.Say(text)))
}

// empty writes an empty line, which separates two parts.
func (t *terminal) empty() { fmt.Fprintln(t) }

// raw writes a line that is the same in every language or whose parts are already translated.
func (t *terminal) raw(format string, args ...any) {
	fmt.Fprintln(t, results.Printable(fmt.Sprintf(format, args...)))
}

// title begins a new part with its title.
func (t *terminal) title(text words.Text) {
	t.empty()
	t.line(text)
}

// columns writes lines of cells as a table.
func (t *terminal) columns(lines [][]words.Text) {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	for _, line := range lines {
		var cells []string
		for _, text := range line {
			cell := results.Printable(t.in.Say(text))
			cells = append(cells, cell+strings.Repeat(companion, wide(cell)))
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	w.Flush()
	for line := range strings.Lines(strings.ReplaceAll(table.String(), companion, "")) {
		t.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
}

// companion stands for the second column of a wide character: tabwriter counts characters, but a
// terminal gives a wide character two columns. It is a private-use character (Unicode 16, 23.5) and is
// removed again.
const companion = "\ue000"

// wide returns the number of characters that take two columns on a terminal (Unicode Standard
// Annex 11).
func wide(s string) int {
	n := 0
	for _, r := range s {
		if k := width.LookupRune(r).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			n++
		}
	}
	return n
}

func (t *terminal) head() {
	r := t.report
	took := words.CutOff
	if r.Run.Finished != nil {
		took = words.Quotef("%.0f s", r.Run.Took)
	}
	t.line(words.Plural(r.Run.Rounds, words.RunLineRound, words.RunLineRounds).With(r.Run.ID, r.Run.Testbed, r.Run.Rounds, took, r.Run.Seed))
	if r.OnCluster() {
		for _, m := range view.Machines(r) {
			t.line(m)
		}
		t.line(words.ProbesTCP.With(r.Run.CongestionControl))
	} else {
		t.line(words.MachineLine.With(r.Host.Kernel, r.Host.CPUs, r.Host.CPU, view.Setting(r.Host.Virtualization), r.Run.CongestionControl))
	}
	if link := view.Link(r); !link.Empty() {
		t.line(words.LinkLine.With(link))
	}
	if versions := view.Versions(r); versions != "" {
		t.line(words.ProgramsLine.With(versions))
	}
	for _, w := range r.Warnings {
		t.line(words.WarningLine.With(w))
	}
}

func (t *terminal) table(tb *view.Table) {
	t.title(tb.About())
	head := []words.Text{words.PluginHead, words.Quote(tb.Headline().Name), words.VsHost}
	expected := slices.ContainsFunc(tb.Rows, func(w view.Row) bool { return w.Metrics[0] != nil && w.Metrics[0].Expected != nil })
	if expected {
		head = append(head, words.Expected)
	}
	for _, m := range tb.Metrics[1:] {
		head = append(head, words.Quote(m.Name))
	}
	lines := [][]words.Text{head}
	for _, w := range tb.Rows {
		lines = append(lines, cells(&w, expected))
	}
	t.columns(lines)
	for _, note := range tb.Notes() {
		t.line(words.NoteLine.With(note), "  ")
	}
	t.verdicts(tb)
}

// cells returns the cells of a row.
func cells(w *view.Row, expected bool) []words.Text {
	line := []words.Text{w.Cell.Named(), w.FailedText(), {}}
	if m := w.Metrics[0]; m != nil {
		line[1], line[2] = words.Quote(quantity.Interval(m.Median, m.CI, m.Unit)), words.Quote(m.VsHost.String())
	}
	if expected {
		line = append(line, w.OfExpected())
	}
	for _, m := range w.Metrics[1:] {
		var cell words.Text
		if m != nil {
			cell = words.Quote(quantity.Format(m.Value(), m.Unit))
		}
		line = append(line, cell)
	}
	return line
}

// nodes writes what was found between nodes, and below it what is wrong.
func (t *terminal) nodes(title words.Text, lines []view.NodesLine) {
	for i, l := range lines {
		if i == 0 {
			t.title(title)
		}
		t.line(words.Of(l.Where, l.Text), "  ")
		for _, fault := range l.Faults {
			t.line(fault, "    ")
		}
	}
}

func (t *terminal) paths() {
	lines := [][]words.Text{{words.PluginHead, words.Topology, words.PathHead, words.Figure, words.OverPath, words.OverStraight, words.VsStraight}}
	for _, w := range view.Paths(t.report) {
		lines = append(lines, []words.Text{w.Cell.Named(), words.Quote(w.Cell.Topology.String()), w.Path, words.Quote(w.Metric.Name),
			words.Quote(w.Over()), words.Quote(w.OverStraight()), words.Quote(w.Ratio())})
	}
	if len(lines) > 1 {
		t.title(words.AppPathsTitle)
		t.columns(lines)
	}
}

func (t *terminal) loss() {
	lines := [][]words.Text{{words.PluginHead, words.Topology, words.Wire, words.GoodputLost, words.Headers, words.Rest, words.CausesOfRest}}
	for _, c := range t.report.Cells {
		if c.Loss != nil {
			lines = append(lines, []words.Text{c.Named(), words.Quote(c.Topology.String()), view.Setting(c.Wire), words.Quote(quantity.Share(c.Loss.Total)),
				words.Quote(quantity.Share(c.Loss.Header)), words.Quote(quantity.Share(c.Loss.Rest)), words.Clauses(c.Loss.Causes...)})
		}
	}
	if len(lines) > 1 {
		t.title(words.GoodputLostAgainstHost)
		t.columns(lines)
	}
}

func (t *terminal) wire() {
	lines := [][]words.Text{{words.PluginHead, words.Topology, words.Configured, words.Seen, words.Frames, words.Agrees, words.Headers}}
	for _, e := range t.report.Encapsulation {
		lines = append(lines, []words.Text{words.Quote(e.Plugin), words.Quote(e.Topology.String()), facts.Form(e.Configured, e.ConfiguredPort, e.ExpectedBytes),
			facts.Form(e.Effective, e.Port, e.OverheadBytes), words.CountOf.With(e.Frames, e.Sent), facts.AgreesText(&e), words.Columns(words.Quotes(e.Layers)...)})
	}
	if len(lines) > 1 {
		t.title(words.WireTitle)
		t.columns(lines)
	}
}

func (t *terminal) findings() {
	for i, f := range t.report.Findings {
		if i == 0 {
			t.title(words.FoundTitle)
		}
		t.line(words.Of(words.On.With(f.Plugin, f.Topology), words.Of(words.Quote(f.Name), f.Text)), "  ")
	}
}

func (t *terminal) setup() {
	lines := [][]words.Text{{words.PluginHead, words.Topology, view.SetupTook(t.report), words.CNIADD, words.Agents, words.TheirMemory}}
	for _, s := range t.report.Setup {
		var add, memory words.Text
		if len(s.CNIAdds) > 0 {
			add = words.Quote(quantity.Format(s.CNIAddMS/1000, "s"))
		}
		if s.Agents > 0 {
			memory = words.Quote(quantity.Format(float64(s.AgentRSSBytes), "byte"))
		}
		lines = append(lines, []words.Text{words.Quote(s.Plugin), words.Quote(s.Topology.String()), words.Quote(quantity.Format(s.NetworkReadyMS/1000, "s")), add,
			words.Quotef("%d", s.Agents), memory})
	}
	if len(lines) > 1 {
		t.title(words.SetUp)
		t.columns(lines)
	}
}

func (t *terminal) absent() {
	for i, c := range view.Absent(t.report) {
		if i == 0 {
			t.title(words.WithoutFigures)
		}
		t.line(words.Of(words.On.With(c.Plugin, c.Topology), c.Outcome()), "  ")
	}
	for i, c := range view.Broken(t.report) {
		if i == 0 {
			t.title(words.BrokeTitle)
		}
		t.line(words.Of(words.On.With(c.Plugin, c.Topology), c.Outcome()), "  ")
	}
}
