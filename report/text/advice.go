package text

import (
	"fmt"
	"io"
	"strings"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/lang"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/view"
)

// answer puts the advice first, one sentence for each topology.
func (t *terminal) answer() {
	for _, a := range t.report.Recommendation {
		t.line("%s", a.Summary)
		t.line("  confidence %s: %s", a.Confidence.Level, a.Confidence.RestsOn)
	}
	if len(t.report.Recommendation) > 0 {
		t.line("")
	}
}

func (t *terminal) matrix() {
	m := view.MatrixOf(t.report)
	if len(m.Rows) == 0 {
		return
	}
	lines := [][]string{append([]string{"PLUGIN"}, m.Topologies...)}
	for _, row := range m.Rows {
		cells := []string{row.Plugin}
		for _, c := range row.Cells {
			cells = append(cells, c.Mark)
		}
		lines = append(lines, cells)
	}
	t.line("")
	t.line("what works where")
	t.columns(lines)
	for _, row := range m.Rows {
		for i, c := range row.Cells {
			if c.Why != "" {
				t.line("  %s on %s: %s", row.Plugin, m.Topologies[i], c.String())
			}
		}
	}
}

// network are the facts of who reaches whom.
func (t *terminal) network() {
	lines := [][]string{{"TOPOLOGY", "neighbour answers", "foreign addresses arrive", "pairs of nodes", "cause"}}
	for _, a := range view.AdjacencyLines(t.report) {
		lines = append(lines, []string{a.Topology, a.Neighbour, a.Forwards, fmt.Sprint(a.Pairs), a.Note})
	}
	t.titled("whether nodes share a link layer", lines)
	lines = [][]string{append([]string{"PLUGIN", "topology"}, view.Directions...)}
	for _, l := range view.ReachLines(t.report) {
		lines = append(lines, append([]string{l.Plugin, l.Topology}, l.Cells...))
	}
	t.titled("who reaches whom, and with which source address", lines)
	lines = [][]string{{"PLUGIN", "topology", "NetworkPolicy"}}
	for _, p := range t.report.Policy {
		lines = append(lines, []string{p.Plugin, p.Topology, facts.PolicyText(p)})
	}
	t.titled("whether a policy takes effect", lines)
	for _, n := range t.report.NotMeasured {
		t.line("  not measured: %s (%s)", n.Text, strings.Join(n.Places, ", "))
	}
	lines = [][]string{{"PLUGIN", "topology", "arrived", "devices on the way"}}
	for _, h := range t.report.Hops {
		lines = append(lines, []string{h.Plugin, h.Topology, map[bool]string{true: "yes", false: "no"}[h.Arrived], strings.Join(h.Devices, " → ")})
	}
	t.titled("the way of a packet, by device counters", lines)
}

// titled writes a table unless it has only a head.
func (t *terminal) titled(title string, lines [][]string) {
	if len(lines) > 1 {
		t.line("")
		t.line("%s", title)
		t.columns(lines)
	}
}

func (t *terminal) claims() {
	if len(t.report.Claims) == 0 {
		return
	}
	t.line("")
	t.line("what is said of these plugins, and what this run shows of it")
	for _, c := range t.report.Claims {
		t.raw("  %s: %s (%s)", strings.ToUpper(t.say(c.Verdict)), t.say(c.Claim), t.say(c.Source))
		if c.Evidence != advice.NoEvidence {
			t.line("    %s", c.Evidence)
		}
	}
}

// Advice writes the recommendations in full, for a terminal, in a language (nil
// for English).
func Advice(out io.Writer, r *model.Report, in *lang.Language) error {
	t := &terminal{report: r, in: in}
	t.answer()
	t.advice()
	return t.flush(out)
}

func (t *terminal) advice() {
	for _, a := range t.report.Recommendation {
		t.recommendation(&a)
	}
}

// recommendation writes one in full: why, why not the others, and what to
// paste.
func (t *terminal) recommendation(a *advice.Recommendation) {
	t.line("")
	if a.Plugin == "" {
		t.line("advice for %s: none", a.Topology)
	} else {
		t.line("advice for %s: %s", a.Topology, a.Plugin)
	}
	for _, r := range a.Because {
		t.raw("  + %s [%s; %s]", t.reason(r), r.Rule, t.say(r.Source))
	}
	for _, r := range a.Notes {
		t.raw("  ! %s [%s; %s]", t.reason(r), r.Rule, t.say(r.Source))
	}
	for _, rejected := range a.Rejected {
		for _, r := range rejected.Because {
			t.raw("  - %s %s [%s; %s]", rejected.Plugin, t.reason(r), r.Rule, t.say(r.Source))
		}
	}
	for _, text := range a.NotMeasured {
		t.raw("  ? %s", t.say(text))
	}
	for _, o := range a.Firewall {
		t.raw("  %s: %s: %s", t.say("firewall"), opening(o), t.say(o.Why))
	}
	for _, l := range a.Limits {
		t.raw("  %s: %s [%s]", t.say("limit"), view.LimitText(l, t.in), l.Source)
	}
	t.block("Kubespray group_vars", a.Kubespray)
	for _, c := range a.Configuration {
		t.block(c.Name, c.Text)
	}
}

// block writes a file's lines as they are.
func (t *terminal) block(title, text string) {
	if text == "" {
		return
	}
	t.line("  %s:", title)
	for _, l := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		t.raw("    %s", l)
	}
}

// reason says why, with its evidence.
func (t *terminal) reason(r advice.Reason) string {
	s := t.say(r.Text)
	if r.Evidence != "" {
		s += " (" + t.say(r.Evidence) + ")"
	}
	return s
}

func opening(o advice.Opening) string {
	if o.Port == 0 {
		return o.Protocol
	}
	return fmt.Sprintf("%s %d", o.Protocol, o.Port)
}
