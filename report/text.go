package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"golang.org/x/text/width"
)

// Text writes the report for a terminal. Nothing that agents wrote can move
// the cursor.
func (r *Report) Text(out io.Writer) error {
	t := &text{report: r}
	t.answer()
	t.head()
	t.matrix()
	for _, table := range r.tables() {
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
	_, err := io.WriteString(out, t.String())
	return err
}

// text builds the report for a terminal.
type text struct {
	strings.Builder
	report *Report
}

func (t *text) line(format string, args ...any) {
	fmt.Fprintln(t, printable(t.report.language.Sayf(format, args...)))
}

// raw writes a line of which the parts have been said.
func (t *text) raw(format string, args ...any) {
	fmt.Fprintln(t, printable(fmt.Sprintf(format, args...)))
}

func (t *text) say(english string) string { return t.report.language.Say(english) }

// columns writes lines of tab-separated cells as a table.
func (t *text) columns(lines [][]string) {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	for _, cells := range lines {
		for i := range cells {
			cell := printable(t.say(cells[i]))
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

func (t *text) head() {
	r := t.report
	took := "cut off"
	if r.Run.Finished != nil {
		took = fmt.Sprintf("%.0f s", r.Run.Finished.Sub(r.Run.Started).Seconds())
	}
	t.line("run %s: %s, %d rounds, %s, seed %d", r.Run.ID, r.Run.Testbed, r.Run.Rounds, took, r.Run.Seed)
	if r.OnCluster() {
		for _, m := range r.machines() {
			t.line("%s", m)
		}
		t.line("TCP of the probes: %s", r.Run.CongestionControl)
	} else {
		t.line("machine: Linux %s, %d × %s, virtualization %s; TCP of the probes: %s", r.Host.Kernel, r.Host.CPUs, r.Host.CPU,
			r.Host.Virtualization, r.Run.CongestionControl)
	}
	if link := r.underlay(); link != "" {
		t.line("link: %s", link)
	}
	if versions := r.versions(); versions != "" {
		t.line("programs: %s", versions)
	}
	for _, w := range r.Warnings {
		t.line("WARNING: %s", w)
	}
}

// versions lists the programs behind the cells.
func (r *Report) versions() string {
	all := map[string]string{}
	for _, c := range r.Cells {
		maps.Copy(all, c.Versions)
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, name+" "+all[name])
	}
	return strings.Join(list, ", ")
}

func (t *text) table(tb *table) {
	t.line("")
	t.line("%s", tb.about())
	head := []string{"PLUGIN", tb.headline().Name, "vs host"}
	expected := slices.ContainsFunc(tb.Rows, func(w row) bool { return w.Metrics[0] != nil && w.Metrics[0].Expected != nil })
	if expected {
		head = append(head, "of expected")
	}
	for _, m := range tb.Metrics[1:] {
		head = append(head, m.Name)
	}
	lines := [][]string{head}
	for _, w := range tb.Rows {
		lines = append(lines, w.text(expected))
	}
	t.columns(lines)
	for _, note := range tb.notes() {
		t.line("  note: %s", note)
	}
	t.verdicts(tb)
}

// text are the cells of a row.
func (w *row) text(expected bool) []string {
	cells := []string{w.Cell.named(), w.failed(), ""}
	if m := w.Metrics[0]; m != nil {
		cells[1], cells[2] = withInterval(m.Median, m.CI, m.Unit), ratio(m.VsHost)
	}
	if expected {
		cells = append(cells, w.ofExpected())
	}
	for _, m := range w.Metrics[1:] {
		cell := ""
		if m != nil {
			cell = quantity(m.value(), m.Unit)
		}
		cells = append(cells, cell)
	}
	return cells
}

// ofExpected is the headline as a share of what arithmetic allows.
func (w *row) ofExpected() string {
	m := w.Metrics[0]
	if m == nil || m.Expected == nil {
		return ""
	}
	return fmt.Sprintf("%.1f %% of %s", 100*m.Median / *m.Expected, quantity(*m.Expected, m.Unit))
}

func (t *text) loss() {
	lines := [][]string{{"PLUGIN", "topology", "wire", "goodput lost", "headers", "the rest", "what the rest is, by evidence"}}
	for _, c := range t.report.Cells {
		if c.Loss != nil {
			lines = append(lines, []string{c.named(), c.Topology, c.Wire, share(c.Loss.Total), share(c.Loss.Header), share(c.Loss.Rest), strings.Join(c.Loss.Causes, "; ")})
		}
	}
	if len(lines) > 1 {
		t.line("")
		t.line("goodput lost against host: what headers explain (arithmetic), and the rest")
		t.columns(lines)
	}
}

func (t *text) wire() {
	lines := [][]string{{"PLUGIN", "topology", "configured", "seen", "frames", "agrees", "headers"}}
	for _, e := range t.report.Encapsulation {
		agrees := "yes"
		if !e.Agrees {
			agrees = "NO"
		}
		lines = append(lines, []string{e.Plugin, e.Topology, form(e.Configured, e.ConfiguredPort, e.ExpectedBytes),
			form(e.Effective, e.Port, e.OverheadBytes), fmt.Sprintf("%d of %d", e.Frames, e.Sent), agrees, strings.Join(e.Layers, " | ")})
	}
	if len(lines) > 1 {
		t.line("")
		t.line("on the wire between the nodes")
		t.columns(lines)
	}
}

func (t *text) findings() {
	for i, f := range t.report.Findings {
		if i == 0 {
			t.line("")
			t.line("found")
		}
		t.line("  %s on %s: %s: %s", f.Plugin, f.Topology, f.Name, f.Text)
	}
}

func (t *text) setup() {
	lines := [][]string{{"PLUGIN", "topology", t.report.setupTook(), "CNI ADD", "agents", "their memory"}}
	for _, s := range t.report.Setup {
		add := ""
		if len(s.CNIAdds) > 0 {
			add = quantity(s.CNIAddMS/1000, "s")
		}
		memory := ""
		if s.Agents > 0 {
			memory = quantity(float64(s.AgentRSSBytes), "byte")
		}
		lines = append(lines, []string{s.Plugin, s.Topology, quantity(s.NetworkReadyMS/1000, "s"), add, fmt.Sprint(s.Agents), memory})
	}
	if len(lines) > 1 {
		t.line("")
		t.line("set-up")
		t.columns(lines)
	}
}

func (t *text) absent() {
	for i, c := range t.report.absent() {
		if i == 0 {
			t.line("")
			t.line("without figures")
		}
		t.line("  %s on %s: %s: %s", c.Plugin, c.Topology, c.Status, c.Cause)
	}
	for i, c := range t.report.broken() {
		if i == 0 {
			t.line("")
			t.line("broke during the run")
		}
		t.line("  %s on %s: %s", c.Plugin, c.Topology, c.broke())
	}
}
