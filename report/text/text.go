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
	"github.com/cnibench/cnibench/report/lang"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/report/view"
	"github.com/cnibench/cnibench/results"
)

// Write writes a report in a language (nil for English) for a terminal. Nothing
// that agents wrote can move the cursor.
func Write(out io.Writer, r *model.Report, in *lang.Language) error {
	t := &terminal{report: r, in: in}
	t.answer()
	t.head()
	t.matrix()
	for _, table := range view.Tables(r) {
		t.table(table)
	}
	t.trust()
	t.loss()
	t.wire()
	t.findings()
	t.network()
	t.setup()
	t.absent()
	t.claims()
	t.advice()
	t.line("")
	t.line("Medians with 95 %% intervals of order statistics; × is the ratio to host, paired within blocks (Hodges–Lehmann).")
	t.line("Tails of latencies are those of all blocks' histograms merged.")
	return t.flush(out)
}

// terminal builds the report for a terminal.
type terminal struct {
	strings.Builder
	report *model.Report
	in     *lang.Language
}

// flush hands everything over at once.
func (t *terminal) flush(out io.Writer) error {
	if _, err := io.WriteString(out, t.String()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

func (t *terminal) line(format string, args ...any) {
	fmt.Fprintln(t, results.Printable(t.in.Sayf(format, args...)))
}

// raw writes a line of which the parts have been said.
func (t *terminal) raw(format string, args ...any) {
	fmt.Fprintln(t, results.Printable(fmt.Sprintf(format, args...)))
}

func (t *terminal) say(english string) string { return t.in.Say(english) }

// columns writes lines of tab-separated cells as a table.
func (t *terminal) columns(lines [][]string) {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	for _, cells := range lines {
		for i := range cells {
			cell := results.Printable(t.say(cells[i]))
			cells[i] = cell + strings.Repeat(companion, wide(cell))
		}
		fmt.Fprintln(w, strings.Join(cells, "\t"))
	}
	w.Flush()
	for line := range strings.Lines(strings.ReplaceAll(table.String(), companion, "")) {
		t.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
}

// companion stands for the second place of a wide character: tabwriter counts
// characters, and a terminal gives these two places each. It is a private one
// (Unicode 16, 23.5) and is taken out again.
const companion = "\ue000"

// wide counts a text's characters that take two places on a terminal (Unicode
// Standard Annex 11).
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
	took := "cut off"
	if r.Run.Finished != nil {
		took = fmt.Sprintf("%.0f s", r.Run.Took)
	}
	head := "run %s: %s, %d rounds, %s, seed %d"
	if r.Run.Rounds == 1 {
		head = "run %s: %s, %d round, %s, seed %d"
	}
	t.line(head, r.Run.ID, r.Run.Testbed, r.Run.Rounds, took, r.Run.Seed)
	if r.OnCluster() {
		for _, m := range view.Machines(r) {
			t.line("%s", m)
		}
		t.line("TCP of the probes: %s", r.Run.CongestionControl)
	} else {
		t.line("machine: Linux %s, %d × %s, virtualization %s; TCP of the probes: %s", r.Host.Kernel, r.Host.CPUs, r.Host.CPU,
			r.Host.Virtualization, r.Run.CongestionControl)
	}
	if link := view.Link(r); link != "" {
		t.line("link: %s", link)
	}
	if versions := view.Versions(r); versions != "" {
		t.line("programs: %s", versions)
	}
	for _, w := range r.Warnings {
		t.line("WARNING: %s", w)
	}
}

func (t *terminal) table(tb *view.Table) {
	t.line("")
	t.line("%s", tb.About())
	head := []string{"PLUGIN", tb.Headline().Name, "vs host"}
	expected := slices.ContainsFunc(tb.Rows, func(w view.Row) bool { return w.Metrics[0] != nil && w.Metrics[0].Expected != nil })
	if expected {
		head = append(head, "of expected")
	}
	for _, m := range tb.Metrics[1:] {
		head = append(head, m.Name)
	}
	lines := [][]string{head}
	for _, w := range tb.Rows {
		lines = append(lines, cells(&w, expected))
	}
	t.columns(lines)
	for _, note := range tb.Notes() {
		t.line("  note: %s", note)
	}
	t.verdicts(tb)
}

// cells are those of a row.
func cells(w *view.Row, expected bool) []string {
	line := []string{w.Cell.Named(), w.FailedText(), ""}
	if m := w.Metrics[0]; m != nil {
		line[1], line[2] = quantity.Interval(m.Median, m.CI, m.Unit), m.VsHost.String()
	}
	if expected {
		line = append(line, w.OfExpected())
	}
	for _, m := range w.Metrics[1:] {
		cell := ""
		if m != nil {
			cell = quantity.Format(m.Value(), m.Unit)
		}
		line = append(line, cell)
	}
	return line
}

func (t *terminal) loss() {
	lines := [][]string{{"PLUGIN", "topology", "wire", "goodput lost", "headers", "the rest", "what the rest is, by evidence"}}
	for _, c := range t.report.Cells {
		if c.Loss != nil {
			lines = append(lines, []string{c.Named(), c.Topology, c.Wire, quantity.Share(c.Loss.Total), quantity.Share(c.Loss.Header), quantity.Share(c.Loss.Rest), strings.Join(c.Loss.Causes, "; ")})
		}
	}
	if len(lines) > 1 {
		t.line("")
		t.line("goodput lost against host: what headers explain (arithmetic), and the rest")
		t.columns(lines)
	}
}

func (t *terminal) wire() {
	lines := [][]string{{"PLUGIN", "topology", "configured", "seen", "frames", "agrees", "headers"}}
	for _, e := range t.report.Encapsulation {
		agrees := "yes"
		if !e.Agrees {
			agrees = "NO"
		}
		lines = append(lines, []string{e.Plugin, e.Topology, facts.Form(e.Configured, e.ConfiguredPort, e.ExpectedBytes),
			facts.Form(e.Effective, e.Port, e.OverheadBytes), fmt.Sprintf("%d of %d", e.Frames, e.Sent), agrees, strings.Join(e.Layers, " | ")})
	}
	if len(lines) > 1 {
		t.line("")
		t.line("on the wire between the nodes")
		t.columns(lines)
	}
}

func (t *terminal) findings() {
	for i, f := range t.report.Findings {
		if i == 0 {
			t.line("")
			t.line("found")
		}
		t.line("  %s on %s: %s: %s", f.Plugin, f.Topology, f.Name, f.Text)
	}
}

func (t *terminal) setup() {
	lines := [][]string{{"PLUGIN", "topology", view.SetupTook(t.report), "CNI ADD", "agents", "their memory"}}
	for _, s := range t.report.Setup {
		add := ""
		if len(s.CNIAdds) > 0 {
			add = quantity.Format(s.CNIAddMS/1000, "s")
		}
		memory := ""
		if s.Agents > 0 {
			memory = quantity.Format(float64(s.AgentRSSBytes), "byte")
		}
		lines = append(lines, []string{s.Plugin, s.Topology, quantity.Format(s.NetworkReadyMS/1000, "s"), add, fmt.Sprint(s.Agents), memory})
	}
	if len(lines) > 1 {
		t.line("")
		t.line("set-up")
		t.columns(lines)
	}
}

func (t *terminal) absent() {
	for i, c := range view.Absent(t.report) {
		if i == 0 {
			t.line("")
			t.line("without figures")
		}
		t.line("  %s on %s: %s: %s", c.Plugin, c.Topology, c.Status, c.Cause)
	}
	for i, c := range view.Broken(t.report) {
		if i == 0 {
			t.line("")
			t.line("broke during the run")
		}
		t.line("  %s on %s: %s", c.Plugin, c.Topology, c.Outcome())
	}
}
