package html

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/view"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// mapView is a small map with its caption.
type mapView struct {
	Title string
	Map   template.HTML
}

// CSS classes of a map's lines, by whether packets arrived. The style sheet distinguishes them by
// their dashes as well as by their colour.
const (
	lineOpen   = "open"   // packets arrive
	lineHalf   = "half"   // the neighbour answers, but frames for other addresses do not arrive
	lineClosed = "closed" // nothing arrives
)

// adjacencyMaps draws one map per topology that shows which nodes share a link layer.
func adjacencyMaps(r *model.Report, in *words.Language) []mapView {
	var all []mapView
	for _, topology := range r.Topologies() {
		// All networks of a topology have the same fabric, so the first one suffices.
		i := slices.IndexFunc(r.Adjacency, func(a results.Adjacency) bool { return a.Topology == topology })
		if i < 0 {
			continue
		}
		var pairs []results.Adjacency
		for _, a := range r.Adjacency {
			if a.Topology == topology && a.Plugin == r.Adjacency[i].Plugin {
				pairs = append(pairs, a)
			}
		}
		all = append(all, mapView{topology.String(), adjacencyMap(pairs, topology, in)})
	}
	return all
}

// adjacencyMap places the nodes on a circle and draws a line for each pair.
func adjacencyMap(pairs []results.Adjacency, topology results.Topology, in *words.Language) template.HTML {
	var nodes []string
	classes := map[[2]string]string{}
	for _, a := range pairs {
		for _, n := range []string{a.From, a.To} {
			if !slices.Contains(nodes, n) {
				nodes = append(nodes, n)
			}
		}
		key := [2]string{min(a.From, a.To), max(a.From, a.To)}
		class := lineClosed
		switch {
		case a.Forwards:
			class = lineOpen
		case a.Neighbour:
			class = lineHalf
		}
		if known := classes[key]; known == "" || worse(class, known) {
			classes[key] = class
		}
	}
	slices.Sort(nodes)
	const centreX, centreY, radiusX, radiusY = 130.0, 75.0, 90.0, 52.0
	at := func(name string) (x, y float64) {
		angle := 2*math.Pi*float64(slices.Index(nodes, name))/float64(len(nodes)) + math.Pi
		return centreX + radiusX*math.Cos(angle), centreY + radiusY*math.Sin(angle)
	}
	d := &drawing{}
	keys := make([][2]string, 0, len(classes))
	for k := range classes {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	for _, k := range keys {
		x1, y1 := at(k[0])
		x2, y2 := at(k[1])
		d.line(classes[k], x1, y1, x2, y2, false)
	}
	for _, n := range nodes {
		x, y := at(n)
		d.box(x, y, n)
	}
	return d.svg(260, 150, in.Say(words.AdjacencyMapLabel.With(topology)))
}

func worse(a, b string) bool {
	order := []string{lineClosed, lineHalf, lineOpen}
	return slices.Index(order, a) < slices.Index(order, b)
}

// reachMaps draws one map per network that shows who reaches whom.
func reachMaps(r *model.Report, in *words.Language) []mapView {
	var all []mapView
	for _, l := range view.ReachLines(r) {
		title := l.Plugin + ", " + l.Topology.String()
		all = append(all, mapView{title, reachMap(r, l.Plugin, l.Topology, title, in)})
	}
	return all
}

// reachMap draws the outside host, a pod, another pod on the same node and one on another node, with
// an arrow for each direction that was tried.
func reachMap(r *model.Report, plugin string, topology results.Topology, title string, in *words.Language) template.HTML {
	d := &drawing{}
	const left, middle, right, top, bottom = 46.0, 160.0, 262.0, 30.0, 112.0
	d.frame(108, 4, 104, 134)
	d.frame(218, 4, 88, 134)
	for _, l := range []struct {
		direction      string
		x1, y1, x2, y2 float64
	}{
		{results.OutsideToPod, left, top - 8, middle, top - 8},
		{results.PodToOutside, middle, top + 8, left, top + 8},
		{results.PodToPod, middle, top, right, top},
		{results.PodToNeigh, middle, top, middle, bottom},
	} {
		switch facts.Reached(r, plugin, topology, l.direction).Value {
		case "yes":
			d.line(lineOpen, l.x1, l.y1, l.x2, l.y2, true)
		case "no":
			d.line(lineClosed, l.x1, l.y1, l.x2, l.y2, true)
		case "partly":
			d.line(lineHalf, l.x1, l.y1, l.x2, l.y2, true)
		}
	}
	d.box(left, top, in.Say(words.OutsideBox))
	d.box(middle, top, in.Say(words.Pod))
	d.box(middle, bottom, in.Say(words.Pod))
	d.box(right, top, in.Say(words.Pod))
	return d.svg(312, 142, in.Say(words.ReachMapLabel.With(title)))
}

// drawing accumulates the SVG elements of a map.
type drawing struct{ strings.Builder }

// Half the width and height of a labelled box.
const boxWidth, boxHeight = 38.0, 13.0

func (d *drawing) box(x, y float64, name string) {
	fmt.Fprintf(d, `<rect class="place" x="%.0f" y="%.0f" width="%.0f" height="%.0f" rx="5"/><text x="%.0f" y="%.0f" text-anchor="middle">%s</text>`,
		x-boxWidth, y-boxHeight, 2*boxWidth, 2*boxHeight, x, y+4, template.HTMLEscapeString(shortened(name)))
}

// shortened truncates a name so that it fits its box.
func shortened(name string) string {
	const most = 11
	if runes := []rune(name); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return name
}

func (d *drawing) frame(x, y, width, height float64) {
	fmt.Fprintf(d, `<rect class="node" x="%.0f" y="%.0f" width="%.0f" height="%.0f" rx="8"/>`, x, y, width, height)
}

// line draws a line from the edge of one box to the edge of another. A closed line is crossed out.
func (d *drawing) line(class string, x1, y1, x2, y2 float64, arrow bool) {
	cut := func(x1, y1, x2, y2 float64) (x, y float64) {
		dx, dy := x2-x1, y2-y1
		share := min(boxWidth/max(math.Abs(dx), 1e-9), boxHeight/max(math.Abs(dy), 1e-9))
		return x1 + dx*share, y1 + dy*share
	}
	ax, ay := cut(x1, y1, x2, y2)
	bx, by := cut(x2, y2, x1, y1)
	fmt.Fprintf(d, `<line class="%s" x1="%.0f" y1="%.0f" x2="%.0f" y2="%.0f"/>`, class, ax, ay, bx, by)
	if arrow {
		angle := math.Atan2(by-ay, bx-ax)
		tip := func(turn float64) (x, y float64) { return bx - 8*math.Cos(angle+turn), by - 8*math.Sin(angle+turn) }
		ux, uy := tip(0.45)
		vx, vy := tip(-0.45)
		fmt.Fprintf(d, `<path class="tip %s" d="M%.1f %.1fL%.1f %.1fL%.1f %.1fZ"/>`, class, bx, by, ux, uy, vx, vy)
	}
	if class == lineClosed {
		mx, my := (ax+bx)/2, (ay+by)/2
		fmt.Fprintf(d, `<path class="cross" d="M%.0f %.0fl10 10m0 -10l-10 10"/>`, mx-5, my-5)
	}
}

func (d *drawing) svg(width, height int, label string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg role="img" aria-label="%s" viewBox="0 0 %d %d">%s</svg>`, template.HTMLEscapeString(label), width, height, d.String()))
}
