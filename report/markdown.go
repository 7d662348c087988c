package report

import (
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/cnibench/cnibench/results"
)

// maxComment is the most characters that GitHub takes for a comment.
const maxComment = 65536

// Markdown writes the report in short tables that fit a pull request's
// comment: headlines with their ratios to host, the wire, and what is missing.
func (r *Report) Markdown(out io.Writer) error {
	m := &markdown{}
	m.line("### cnibench: %d rounds on %s", r.Run.Rounds, Inert(r.Run.Testbed))
	m.line("")
	m.line("Linux %s, %d × %s; run %s", Inert(r.Host.Kernel), r.Host.CPUs, Inert(r.Host.CPU), Inert(r.Run.ID))
	for _, w := range r.Warnings {
		m.line("")
		m.line("> **Warning:** %s", Inert(w))
	}
	for _, t := range r.tables() {
		m.figures(t)
	}
	m.wire(r)
	for i, c := range r.absent() {
		if i == 0 {
			m.line("")
			m.line("#### Without figures")
			m.line("")
		}
		m.line("- %s on %s: %s: %s", Inert(c.named()), Inert(c.Topology), c.Status, Inert(c.Cause))
	}
	m.line("")
	m.line("<sub>Medians with 95 %% intervals; × is the ratio to host, paired within blocks.</sub>")
	_, err := io.WriteString(out, m.fitting())
	return err
}

// markdown builds lines.
type markdown struct{ lines []string }

func (m *markdown) line(format string, args ...any) {
	m.lines = append(m.lines, fmt.Sprintf(format, args...))
}

func (m *markdown) row(cells ...string) { m.line("| %s |", strings.Join(cells, " | ")) }

// figures is the table of one probe: its headline alone.
func (m *markdown) figures(t *table) {
	m.line("")
	wire := "no rate"
	if t.Wire != results.WireNone {
		wire = t.Wire
	}
	m.line("#### %s, %s, %s", Inert(t.Probe), Inert(t.Topology), Inert(wire))
	m.line("")
	m.row("plugin", Inert(t.headline().Name), "vs host")
	m.row("---", "---:", "---:")
	for _, w := range t.Rows {
		figure, times := "", ""
		if h := w.Metrics[0]; h != nil {
			figure, times = withInterval(h.Median, h.CI, h.Unit), ratio(h.VsHost)
		}
		m.row(Inert(w.Cell.named()), figure, times)
	}
}

// wire is what was seen between the nodes.
func (m *markdown) wire(r *Report) {
	if len(r.Encapsulation) == 0 {
		return
	}
	m.line("")
	m.line("#### On the wire")
	m.line("")
	m.row("plugin", "topology", "configured", "seen", "agrees")
	m.row("---", "---", "---", "---", "---")
	for _, e := range r.Encapsulation {
		agrees := "yes"
		if !e.Agrees {
			agrees = "**NO**"
		}
		m.row(Inert(e.Plugin), Inert(e.Topology), Inert(form(e.Configured, e.ConfiguredPort, e.ExpectedBytes)),
			Inert(form(e.Effective, e.Port, e.OverheadBytes)), agrees)
	}
}

// fitting is the text, cut at a line if it is longer than a comment may be.
func (m *markdown) fitting() string {
	var b strings.Builder
	const cut = "\n**The rest does not fit a comment: see the run's report.**\n"
	for _, l := range m.lines {
		if b.Len()+len(l)+1+len(cut) > maxComment {
			b.WriteString(cut)
			break
		}
		b.WriteString(l + "\n")
	}
	return b.String()
}

// plain is text without any character that Markdown or HTML gives a meaning.
var plain = regexp.MustCompile(`^[\p{L}\p{N} .,;+=()%–-]*$`)

var marked = regexp.MustCompile(`[^\p{L}\p{N} ,;+=()%–-]`)

// Inert makes text stand for itself in GitHub's Markdown, in tables too.
// Characters with a meaning become references, which are never structure
// (CommonMark, 2.5); the code element keeps GitHub from taking names after @
// or addresses for links.
func Inert(s string) string {
	s = strings.TrimSpace(printable(s))
	if plain.MatchString(s) && !strings.Contains(strings.ToLower(s), "www.") {
		return s
	}
	return "<code>" + marked.ReplaceAllStringFunc(s, func(c string) string {
		return fmt.Sprintf("&#%d;", []rune(c)[0])
	}) + "</code>"
}
