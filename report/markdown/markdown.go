// Package markdown renders a report as a pull request comment.
package markdown

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/report/view"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// maxComment is the largest number of characters that GitHub accepts in a comment.
const maxComment = 65536

// Write writes a report in a language (nil for English) as short tables that fit a pull request
// comment: headlines with their ratios to host, what was seen on the wire, and what is missing.
func Write(out io.Writer, r *model.Report, in *words.Language) error {
	m := &comment{in: in}
	title := words.Plural(r.Run.Rounds, words.CommentTitleRound, words.CommentTitleRounds)
	m.line("### %s", m.say(title.With(r.Run.Rounds, r.Run.Testbed)))
	m.line("")
	if r.OnCluster() {
		for _, text := range view.Machines(r) {
			m.line("- %s", m.say(text))
		}
		m.line("- %s", m.say(words.Run.With(r.Run.ID)))
	} else {
		m.line("Linux %s, %d × %s; %s", Inert(r.Host.Kernel), r.Host.CPUs, Inert(r.Host.CPU), m.say(words.Run.With(r.Run.ID)))
	}
	if link := view.Link(r); !link.Empty() {
		m.line("")
		m.line("%s", m.say(words.LinkLine.With(link)))
	}
	for _, w := range r.Warnings {
		m.line("")
		m.line("> **%s** %s", m.say(words.WarningHead), m.say(w))
	}
	for _, t := range view.Tables(r) {
		m.figures(t)
	}
	m.paths(r)
	m.wire(r)
	m.nodes(words.SurveyHeading, view.Surveys(r))
	m.nodes(words.PairsHeading, view.PairSpeeds(r))
	m.policies(r)
	for i, c := range view.Absent(r) {
		if i == 0 {
			m.line("")
			m.line("#### %s", m.say(words.WithoutFiguresHeading))
			m.line("")
		}
		m.line("- %s, %s: %s: %s", m.say(c.Named()), Inert(c.Topology.String()), m.say(model.StatusText(c.Status)), m.say(c.Cause))
	}
	for i, c := range view.Broken(r) {
		if i == 0 {
			m.line("")
			m.line("#### %s", m.say(words.BrokeHeading))
			m.line("")
		}
		m.line("- %s, %s: %s", Inert(c.Plugin), Inert(c.Topology.String()), m.say(c.Outcome()))
	}
	m.line("")
	m.line("<sub>%s</sub>", in.Say(words.MediansShort))
	if _, err := io.WriteString(out, m.fitting()); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// comment collects the lines of a comment.
type comment struct {
	lines []string
	in    *words.Language
}

// say returns a sentence in the report's language, made inert.
func (m *comment) say(text words.Text) string {
	return Inert(m.in.Say(text))
}

func (m *comment) line(format string, args ...any) {
	m.lines = append(m.lines, fmt.Sprintf(format, args...))
}

func (m *comment) row(cells ...string) { m.line("| %s |", strings.Join(cells, " | ")) }

// figures writes the table of one probe, with the headline metric only.
func (m *comment) figures(t *view.Table) {
	m.line("")
	wire := words.NoRate
	if t.Wire != results.WireNone {
		wire = words.Quote(t.Wire)
	}
	m.line("#### %s, %s, %s", Inert(t.Probe), Inert(t.Topology.String()), m.say(wire))
	if !t.Way.Empty() {
		m.line("")
		m.line("%s", m.say(t.Way))
	}
	m.line("")
	m.row(m.say(words.Plugin), Inert(t.Headline().Name), m.say(words.VsHost))
	m.row("---", "---:", "---:")
	for _, w := range t.Rows {
		figure, times := "", ""
		if !w.FailedText().Empty() {
			figure = m.say(w.Failed.Text())
		}
		if h := w.Metrics[0]; h != nil {
			figure, times = quantity.Interval(h.Median, h.CI, h.Unit), h.VsHost.String()
		}
		m.row(m.say(w.Cell.Named()), figure, times)
	}
}

// paths writes the table of the paths that applications use.
func (m *comment) paths(r *model.Report) {
	for i, w := range view.Paths(r) {
		if i == 0 {
			m.line("")
			m.line("#### %s", m.say(words.AppPathsHeading))
			m.line("")
			m.line("%s", m.say(words.AppPathsIntro))
			m.line("")
			m.row(m.say(words.Plugin), m.say(words.Topology), m.say(words.PathHead), m.say(words.Figure), m.say(words.OverPath), m.say(words.OverStraight), m.say(words.VsStraight))
			m.row("---", "---", "---", "---", "---:", "---:", "---:")
		}
		m.row(m.say(w.Cell.Named()), Inert(w.Cell.Topology.String()), m.say(w.Path), Inert(w.Metric.Name), w.Over(), w.OverStraight(), w.Ratio())
	}
}

// wire writes the table of what was seen on the wire between the nodes.
func (m *comment) wire(r *model.Report) {
	if len(r.Encapsulation) == 0 {
		return
	}
	m.line("")
	m.line("#### %s", m.say(words.WireHeading))
	m.line("")
	m.row(m.say(words.Plugin), m.say(words.Topology), m.say(words.Configured), m.say(words.Seen), m.say(words.Agrees))
	m.row("---", "---", "---", "---", "---")
	for _, e := range r.Encapsulation {
		agrees := m.say(facts.AgreesText(&e))
		if !e.Agrees && facts.Looked(&e) {
			agrees = "**" + agrees + "**"
		}
		m.row(Inert(e.Plugin), Inert(e.Topology.String()), m.say(facts.Form(e.Configured, e.ConfiguredPort, e.ExpectedBytes)),
			m.say(facts.Form(e.Effective, e.Port, e.OverheadBytes)), agrees)
	}
}

// nodes writes what was found between nodes, and below it what is wrong.
func (m *comment) nodes(heading words.Text, lines []view.NodesLine) {
	for i, l := range lines {
		if i == 0 {
			m.line("")
			m.line("#### %s", m.say(heading))
			m.line("")
		}
		m.line("- %s", m.say(words.Of(l.Where, l.Text)))
		for _, fault := range l.Faults {
			m.line("  - **%s**", m.say(fault))
		}
	}
}

// policies writes the table of rules that deny traffic.
func (m *comment) policies(r *model.Report) {
	for i, p := range view.PolicyLines(r) {
		if i == 0 {
			m.line("")
			m.line("#### %s", m.say(words.PolicyHeading))
			m.line("")
			m.row(m.say(words.Plugin), m.say(words.Topology), m.say(words.DeniedAtReceiver), m.say(words.DeniedAtSender), m.say(words.PolicyDocumentation))
			m.row("---", "---", "---", "---", "---")
		}
		m.row(Inert(p.Plugin), Inert(p.Topology.String()), m.say(p.Ingress), m.say(p.Egress), m.say(p.Documented))
	}
}

// fitting returns the text, cut at the end of a line if it is too long for a comment.
func (m *comment) fitting() string {
	var b strings.Builder
	characters := 0
	cut := "\n**" + m.in.Say(words.CommentCut) + "**\n"
	for _, l := range m.lines {
		if characters += utf8.RuneCountInString(l) + 1; characters+utf8.RuneCountInString(cut) > maxComment {
			b.WriteString(cut)
			break
		}
		b.WriteString(l + "\n")
	}
	return b.String()
}

// plain matches text without characters that have a meaning in Markdown or HTML.
var plain = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[\p{L}\p{N} .,;+=()%–，。；：、（）“”-]*$`)
})

var marked = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`[^\p{L}\p{N} ,;+=()%–，。；：、（）“”-]`)
})

// Inert returns text that GitHub's Markdown shows literally, in tables as well. Characters with a
// meaning become character references, which are never structure (CommonMark, 2.5). The code element
// keeps GitHub from turning names after @ or addresses into links.
func Inert(s string) string {
	s = strings.TrimSpace(results.Printable(s))
	if plain().MatchString(s) && !strings.Contains(strings.ToLower(s), "www.") {
		return s
	}
	return "<code>" + marked().ReplaceAllStringFunc(s, func(c string) string {
		return fmt.Sprintf("&#%d;", []rune(c)[0])
	}) + "</code>"
}
