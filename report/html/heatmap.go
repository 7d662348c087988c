package html

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"

	"github.com/cnibench/cnibench/report/mesh"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/report/view"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// surveyView is what the page shows of the survey of one network.
type surveyView struct {
	view.NodesLine
	Map   template.HTML
	Width int // of the map in CSS pixels
	// Folded says that the map and the table show only rows of nodes with a fault, because
	// the network has more than foldAbove nodes.
	Folded bool
	// Columns names the partners, and Rows are those that are shown.
	Columns []string
	Rows    []surveyRow
}

type surveyRow struct {
	Name  string
	Cells []words.Text
}

// foldAbove is the number of nodes up to which a map shows all senders, and mostRows is how
// many rows it shows of a larger network.
const (
	foldAbove = 32
	mostRows  = 16
)

// surveys returns the surveys of the report as the page shows them.
func surveys(r *model.Report, in *words.Language) []surveyView {
	var all []surveyView
	for i, line := range view.Surveys(r) {
		s := &r.Survey[i]
		v := surveyView{NodesLine: line}
		h := newHeatmap(s)
		v.Folded = len(h.columns) > foldAbove
		for _, n := range h.columns {
			v.Columns = append(v.Columns, n.Name)
		}
		for _, l := range h.rows {
			row := surveyRow{Name: h.name(l)}
			for _, partner := range h.columns {
				row.Cells = append(row.Cells, h.cell(l.with(partner.Name)))
			}
			v.Rows = append(v.Rows, row)
		}
		if len(h.rows) > 0 {
			v.Map, v.Width = h.draw(in.Say(words.SurveyMap.With(words.On.With(s.Plugin, s.Topology))))
		}
		all = append(all, v)
	}
	return all
}

// heatmap is a matrix of pairs: a node in each row, its partners in the columns.
type heatmap struct {
	columns     []results.SurveyNode
	rows        []heatRow
	pairs       map[results.Pair]*results.SurveyPair
	faults      map[results.Pair]bool
	least, most float64 // bounds of the round trips' logarithms
}

// heatRow is a node and its pairs in one direction.
type heatRow struct {
	node    results.SurveyNode
	inbound bool
}

// with returns the pair with a partner.
func (l heatRow) with(partner string) results.Pair {
	if l.inbound {
		return results.Pair{From: partner, To: l.node.Name}
	}
	return results.Pair{From: l.node.Name, To: partner}
}

func newHeatmap(s *model.Survey) *heatmap {
	h := &heatmap{columns: slices.DeleteFunc(slices.Clone(s.All.Nodes), func(n results.SurveyNode) bool { return n.LeftOut }),
		pairs: map[results.Pair]*results.SurveyPair{}, faults: s.Faulty()}
	slices.SortStableFunc(h.columns, func(a, b results.SurveyNode) int {
		return cmp.Or(cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.Subnet, b.Subnet))
	})
	h.least, h.most = math.Inf(1), math.Inf(-1)
	for i := range s.All.Pairs {
		p := &s.All.Pairs[i]
		h.pairs[results.Pair{From: p.From, To: p.To}] = p
		if p.RTT > 0 {
			h.least, h.most = min(h.least, math.Log(p.RTT)), max(h.most, math.Log(p.RTT))
		}
	}
	if len(h.columns) > foldAbove {
		h.rows = h.odd(s.Sets)
		return h
	}
	for _, n := range h.columns {
		h.rows = append(h.rows, heatRow{node: n})
	}
	return h
}

// odd returns the lines that sets of faults are about: of a node in the direction of its
// fault, and of the senders of single pairs.
func (h *heatmap) odd(sets []mesh.Set) []heatRow {
	var all []heatRow
	add := func(name string, inbound bool) {
		at := slices.IndexFunc(h.columns, func(n results.SurveyNode) bool { return n.Name == name })
		if l := (heatRow{h.columns[max(at, 0)], inbound}); at >= 0 && len(all) < mostRows && !slices.Contains(all, l) {
			all = append(all, l)
		}
	}
	for _, set := range sets {
		switch {
		case set.Scope == mesh.Pairs:
			for _, p := range set.Pairs {
				add(p.From, false)
			}
		case set.Scope == mesh.Node && set.Direction != mesh.Outbound:
			add(set.Node, true)
		}
		if set.Scope == mesh.Node && set.Direction != mesh.Inbound {
			add(set.Node, false)
		}
	}
	return all
}

// name names a row; arrows tell the directions of a folded map apart.
func (h *heatmap) name(l heatRow) string {
	switch {
	case len(h.columns) <= foldAbove:
		return l.node.Name
	case l.inbound:
		return "→ " + l.node.Name
	}
	return l.node.Name + " →"
}

// cell is what the table says of a pair.
func (h *heatmap) cell(at results.Pair) words.Text {
	p := h.pairs[at]
	switch {
	case p == nil:
		return words.Text{}
	case h.faults[at] && (!p.Problem.Empty() || p.Arrived == 0):
		return words.Quote("×")
	case h.faults[at]:
		return words.Quote("× " + quantity.Format(p.RTT, "s"))
	}
	return words.Quote(quantity.Format(p.RTT, "s"))
}

// draw draws the matrix and returns its width in CSS pixels. Groups of nodes in the same zone and subnet are set apart.
func (h *heatmap) draw(label string) (drawn template.HTML, wide int) {
	const width, longest, gap = 640.0, 18.0, 0.35
	size := min(longest, width/float64(len(h.columns)))
	longestName := 0
	for _, l := range h.rows {
		longestName = max(longestName, len([]rune(shortened(h.name(l)))))
	}
	names := 8.0 + 6.5*float64(longestName)
	x := offsets(h.columns, size, gap)
	y := make([]float64, len(h.rows)+1)
	for i := range h.rows {
		y[i+1] = y[i] + size
	}
	if len(h.rows) == len(h.columns) {
		y = x
	}
	d := &drawing{}
	for i, l := range h.rows {
		fmt.Fprintf(d, `<text x="%.0f" y="%.1f" text-anchor="end">%s</text>`, names-6, y[i]+size*0.75, template.HTMLEscapeString(shortened(h.name(l))))
		for j, partner := range h.columns {
			h.square(d, l.with(partner.Name), names+x[j], y[i], size)
		}
	}
	wide = int(names + x[len(x)-1])
	return d.svg(wide, int(math.Ceil(y[len(y)-1])), label), wide
}

// offsets returns where each node's row or column begins, and where the last one ends.
func offsets(nodes []results.SurveyNode, size, gap float64) []float64 {
	all, at := make([]float64, 0, len(nodes)+1), 0.0
	for i, n := range nodes {
		if i > 0 && (n.Zone != nodes[i-1].Zone || n.Subnet != nodes[i-1].Subnet) {
			at += size * gap
		}
		all = append(all, at)
		at += size
	}
	return append(all, at)
}

// square draws a pair: its shade is the logarithm of the round trip, and a fault is crossed
// out.
func (h *heatmap) square(d *drawing, at results.Pair, x, y, size float64) {
	p := h.pairs[at]
	if p == nil {
		return
	}
	class, shade := "heat", 0.15
	switch {
	case h.faults[at]:
		class, shade = "heat fault", 1
	case p.RTT > 0 && h.most > h.least:
		shade += 0.75 * (math.Log(p.RTT) - h.least) / (h.most - h.least)
	}
	fmt.Fprintf(d, `<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" fill-opacity="%.2f"/>`, class, x, y, size-1, size-1, shade)
	if h.faults[at] {
		fmt.Fprintf(d, `<path class="heat-cross" d="M%.1f %.1fL%.1f %.1fM%.1f %.1fL%.1f %.1f"/>`, x+2, y+2, x+size-3, y+size-3, x+size-3, y+2, x+2, y+size-3)
	}
}
