package report

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"

	"github.com/cnibench/cnibench/report/lang"
	"github.com/cnibench/cnibench/results"
)

// maxComment is the most characters that GitHub takes for a comment.
const maxComment = 65536

// Markdown writes the report in short tables that fit a pull request's
// comment: headlines with their ratios to host, the wire, and what is missing.
func (r *Report) Markdown(out io.Writer) error {
	m := &markdown{language: r.language}
	m.line("### %s", m.say("cnibench: %d rounds on %s", r.Run.Rounds, r.Run.Testbed))
	m.line("")
	if r.OnCluster() {
		for _, text := range r.machines() {
			m.line("- %s", m.say("%s", text))
		}
		m.line("- %s", m.say("run %s", r.Run.ID))
	} else {
		m.line("Linux %s, %d × %s; %s", Inert(r.Host.Kernel), r.Host.CPUs, Inert(r.Host.CPU), m.say("run %s", r.Run.ID))
	}
	if link := r.underlay(); link != "" {
		m.line("")
		m.line("%s", m.say("link: %s", link))
	}
	for _, w := range r.Warnings {
		m.line("")
		m.line("> **%s** %s", m.say("Warning:"), m.say("%s", w))
	}
	for _, t := range r.tables() {
		m.figures(t)
	}
	m.wire(r)
	for i, c := range r.absent() {
		if i == 0 {
			m.line("")
			m.line("#### %s", m.say("Without figures"))
			m.line("")
		}
		m.line("- %s, %s: %s: %s", m.say("%s", c.named()), Inert(c.Topology), m.say("%s", c.Status), m.say("%s", c.Cause))
	}
	for i, c := range r.broken() {
		if i == 0 {
			m.line("")
			m.line("#### %s", m.say("Broke during the run"))
			m.line("")
		}
		m.line("- %s, %s: %s", Inert(c.Plugin), Inert(c.Topology), m.say("%s", c.broke()))
	}
	m.line("")
	m.line("<sub>%s</sub>", r.language.Sayf("Medians with 95 %% intervals; × is the ratio to host, paired within blocks."))
	_, err := io.WriteString(out, m.fitting())
	return err
}

// markdown builds lines.
type markdown struct {
	lines    []string
	language *lang.Language
}

// say says a sentence without any markup in it.
func (m *markdown) say(format string, args ...any) string {
	return Inert(m.language.Sayf(format, args...))
}

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
	m.line("#### %s, %s, %s", Inert(t.Probe), Inert(t.Topology), m.say("%s", wire))
	m.line("")
	m.row(m.say("plugin"), Inert(t.headline().Name), m.say("vs host"))
	m.row("---", "---:", "---:")
	for _, w := range t.Rows {
		figure, times := "", ""
		if w.failed() != "" {
			figure = m.say("%s", w.Failed.text())
		}
		if h := w.Metrics[0]; h != nil {
			figure, times = withInterval(h.Median, h.CI, h.Unit), ratio(h.VsHost)
		}
		m.row(m.say("%s", w.Cell.named()), figure, times)
	}
}

// wire is what was seen between the nodes.
func (m *markdown) wire(r *Report) {
	if len(r.Encapsulation) == 0 {
		return
	}
	m.line("")
	m.line("#### %s", m.say("On the wire"))
	m.line("")
	m.row(m.say("plugin"), m.say("topology"), m.say("configured"), m.say("seen"), m.say("agrees"))
	m.row("---", "---", "---", "---", "---")
	for _, e := range r.Encapsulation {
		agrees := m.say("yes")
		if !e.Agrees {
			agrees = "**" + m.say("NO") + "**"
		}
		m.row(Inert(e.Plugin), Inert(e.Topology), m.say("%s", form(e.Configured, e.ConfiguredPort, e.ExpectedBytes)),
			m.say("%s", form(e.Effective, e.Port, e.OverheadBytes)), agrees)
	}
}

// fitting is the text, cut at a line if it is longer than a comment may be.
func (m *markdown) fitting() string {
	var b strings.Builder
	cut := "\n**" + m.language.Say("The rest does not fit a comment: see the run's report.") + "**\n"
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
var plain = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[\p{L}\p{N} .,;+=()%–，。；：、（）“”-]*$`)
})

var marked = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[^\p{L}\p{N} ,;+=()%–，。；：、（）“”-]`)
})

// Inert makes text stand for itself in GitHub's Markdown, in tables too.
// Characters with a meaning become references, which are never structure
// (CommonMark, 2.5); the code element keeps GitHub from taking names after @
// or addresses for links.
func Inert(s string) string {
	s = strings.TrimSpace(printable(s))
	if plain().MatchString(s) && !strings.Contains(strings.ToLower(s), "www.") {
		return s
	}
	return "<code>" + marked().ReplaceAllStringFunc(s, func(c string) string {
		return fmt.Sprintf("&#%d;", []rune(c)[0])
	}) + "</code>"
}
