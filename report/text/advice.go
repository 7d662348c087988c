package text

import (
	"fmt"
	"io"
	"strings"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/view"
	"github.com/cnibench/cnibench/words"
)

// answer writes the advice in short, one sentence per topology.
func (t *terminal) answer() {
	for _, a := range t.report.Recommendation {
		t.line(a.Summary)
		t.line(words.ConfidenceLine.With(a.Confidence.Level, a.Confidence.RestsOn), "  ")
	}
	if len(t.report.Recommendation) > 0 {
		t.empty()
	}
}

func (t *terminal) matrix() {
	m := view.MatrixOf(t.report)
	if len(m.Rows) == 0 {
		return
	}
	head := []words.Text{words.PluginHead}
	for _, topology := range m.Topologies {
		head = append(head, words.Quote(topology.String()))
	}
	lines := [][]words.Text{head}
	for _, row := range m.Rows {
		cells := []words.Text{words.Quote(row.Plugin)}
		for _, c := range row.Cells {
			cells = append(cells, c.Mark)
		}
		lines = append(lines, cells)
	}
	t.title(words.MatrixTitle)
	t.columns(lines)
	for _, row := range m.Rows {
		for i, c := range row.Cells {
			if !c.Why.Empty() {
				t.line(words.Of(words.On.With(row.Plugin, m.Topologies[i]), c.Text()), "  ")
			}
		}
	}
}

// network writes the tables of who reaches whom, of network policies and of packet paths.
func (t *terminal) network() {
	lines := [][]words.Text{{words.TopologyHead, words.NeighbourAnswers, words.ForeignAddressesArrive, words.PairsOfNodes, words.Cause}}
	for _, a := range view.AdjacencyLines(t.report) {
		lines = append(lines, []words.Text{words.Quote(a.Topology.String()), a.Neighbour, a.Forwards, words.Quotef("%d", a.Pairs), a.Note})
	}
	t.titled(words.AdjacencyQuestion, lines)
	head := []words.Text{words.PluginHead, words.Topology}
	for _, d := range view.Directions {
		head = append(head, facts.DirectionText(d))
	}
	lines = [][]words.Text{head}
	for _, l := range view.ReachLines(t.report) {
		lines = append(lines, append([]words.Text{words.Quote(l.Plugin), words.Quote(l.Topology.String())}, l.Cells...))
	}
	t.titled(words.ReachQuestion, lines)
	lines = [][]words.Text{{words.PluginHead, words.Topology, words.DeniedAtReceiver, words.DeniedAtSender, words.PolicyDocumentation}}
	for _, p := range view.PolicyLines(t.report) {
		lines = append(lines, []words.Text{words.Quote(p.Plugin), words.Quote(p.Topology.String()), p.Ingress, p.Egress, p.Documented})
	}
	t.titled(words.PolicyTitle, lines)
	for _, n := range t.report.NotMeasured {
		t.line(words.NotMeasuredLine.With(n.Text, words.List(n.Places...)), "  ")
	}
	lines = [][]words.Text{{words.PluginHead, words.Topology, words.Arrived, words.PathDevices}}
	for _, h := range t.report.Hops {
		lines = append(lines, []words.Text{words.Quote(h.Plugin), words.Quote(h.Topology.String()), view.YesNo(h.Arrived), words.Arrows(words.Quotes(h.Devices)...)})
	}
	t.titled(words.PathTitle, lines)
}

// titled writes a table under a title, unless the table has only a header line.
func (t *terminal) titled(title words.Text, lines [][]words.Text) {
	if len(lines) > 1 {
		t.title(title)
		t.columns(lines)
	}
}

func (t *terminal) claims() {
	if len(t.report.Claims) == 0 {
		return
	}
	t.title(words.ClaimsTitle)
	for _, c := range t.report.Claims {
		t.raw("  %s: %s (%s)", strings.ToUpper(t.in.Say(c.Verdict)), t.in.Say(c.Claim), t.in.Say(c.Source))
		if c.Evidence != advice.NoEvidence {
			t.line(c.Evidence, "    ")
		}
	}
}

// Advice writes the full recommendations for a terminal, in a language (nil for English).
func Advice(out io.Writer, r *model.Report, in *words.Language) error {
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

// recommendation writes one recommendation in full: the reasons for it, the reasons against the other
// plugins, and the configuration to paste.
func (t *terminal) recommendation(a *advice.Recommendation) {
	t.empty()
	if a.Plugin == "" {
		t.line(words.AdviceNone.With(a.Topology))
	} else {
		t.line(words.AdviceLine.With(a.Topology, a.Plugin))
	}
	for _, r := range a.Because {
		t.raw("  + %s [%s; %s]", t.reason(r), r.Rule, t.in.Say(r.Source))
	}
	for _, r := range a.Notes {
		t.raw("  ! %s [%s; %s]", t.reason(r), r.Rule, t.in.Say(r.Source))
	}
	for _, rejected := range a.Rejected {
		for _, r := range rejected.Because {
			t.raw("  - %s %s [%s; %s]", rejected.Plugin, t.reason(r), r.Rule, t.in.Say(r.Source))
		}
	}
	for _, text := range a.NotMeasured {
		t.line(text, "  ? ")
	}
	for _, o := range a.Firewall {
		t.raw("  %s: %s: %s", t.in.Say(words.Firewall), opening(o), t.in.Say(o.Why))
	}
	for _, l := range a.Limits {
		t.raw("  %s: %s [%s]", t.in.Say(words.Limit), t.in.Say(view.LimitText(l)), t.in.Say(l.Source))
	}
	t.block(words.KubesprayTitle, a.Kubespray)
	for _, c := range a.Configuration {
		t.block(words.Quote(c.Name), c.Text)
	}
}

// block writes the lines of a file unchanged, under a title.
func (t *terminal) block(title words.Text, text string) {
	if text == "" {
		return
	}
	t.raw("  %s:", t.in.Say(title))
	for _, l := range strings.Split(strings.TrimRight(text, "\n"), "\n") {
		t.raw("    %s", l)
	}
}

// reason returns the text of a reason with its evidence.
func (t *terminal) reason(r advice.Reason) string {
	return t.in.Say(words.Aside(r.Text, r.Evidence))
}

func opening(o advice.Opening) string {
	if o.Port == 0 {
		return o.Protocol
	}
	return fmt.Sprintf("%s %d", o.Protocol, o.Port)
}
