package html

import (
	"bytes"
	"fmt"
	"html/template"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/report/view"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Colours of plots. In the page they become CSS variables, so that a plot follows the page's light or
// dark scheme. The ink is not quite black, because vgsvg omits black as SVG's default.
var (
	ink      = color.RGBA{0x01, 0x01, 0x01, 255}
	grid     = color.RGBA{0xd1, 0xd1, 0xd1, 255}
	raw      = color.RGBA{0x9a, 0x9a, 0x9b, 255}
	estimate = color.RGBA{0x1f, 0x5f, 0xbf, 255}
	baseline = color.RGBA{0xb0, 0x50, 0x10, 255}
)

// asVariables replaces those colours, spelled as vgsvg writes them, with CSS variables.
var asVariables = strings.NewReplacer(
	"#010101", "var(--ink)", "#D1D1D1", "var(--grid)", "#9A9A9B", "var(--raw)",
	"#1F5FBF", "var(--estimate)", "#B05010", "var(--baseline)",
)

// Size of a plot. The style sheet scales the width to the page.
const (
	plotWidth = 16 * vg.Centimeter
	plotFrame = 2.2 * vg.Centimeter // title and axis
	plotRow   = 0.75 * vg.Centimeter
	// plotMargin keeps the last axis label inside the plot.
	plotMargin = 0.8 * vg.Centimeter
)

// plotted returns the metrics of a probe that get a plot: the headline, the tail of a latency (p99)
// and the CPU time of a stream.
func plotted(t *view.Table) []results.Metric {
	all := []results.Metric{t.Headline()}
	for _, m := range t.Metrics[1:] {
		if m.Name == "p99" || m.Name == "cpu" {
			all = append(all, m)
		}
	}
	return all
}

// plotMetric draws one metric of all plugins as an SVG element: the raw samples, the median with its
// interval, and the baseline's median as a line.
func plotMetric(t *view.Table, m results.Metric, in *words.Language) (template.HTML, error) {
	column := slices.IndexFunc(t.Metrics, func(n results.Metric) bool { return n.Name == m.Name })
	most := 0.0
	var rows []view.Row
	for _, w := range t.Rows {
		if v := w.Metrics[column]; v != nil {
			rows = append(rows, w)
			most = max(most, v.Median)
		}
	}
	slices.Reverse(rows) // so that the first row is on top
	s := quantity.ScaleOf(most, m.Unit)
	p := plot.New()
	p.Title.Text = fmt.Sprintf("%s %s (%s)", t.Probe, m.Name, s.Unit)
	p.X.Min = 0
	p.X.Tick.Marker = plainTicks{}
	style(p)
	var names []string
	for i, w := range rows {
		names = append(names, in.Say(w.Cell.Named()))
		if err := drawMetric(p, w.Metrics[column], float64(i), s); err != nil {
			return "", err
		}
		if w.Cell.Plugin == results.HostPlugin {
			p.Add(vertical{w.Metrics[column].Median / s.By})
		}
	}
	p.NominalY(names...)
	p.Y.Min, p.Y.Max = -0.5, float64(len(rows))-0.5
	return svg(p, vg.Length(len(rows))*plotRow+plotFrame, in.Say(words.ByPlugin.With(words.Aside(words.Quote(t.Probe+" "+m.Name), words.Quote(s.Unit)), t.About())))
}

// style applies the page's fonts and colours to a plot.
func style(p *plot.Plot) {
	sans := font.Font{Typeface: "Liberation", Variant: "Sans"}
	for _, s := range []*font.Font{&p.Title.TextStyle.Font, &p.X.Tick.Label.Font, &p.Y.Tick.Label.Font} {
		size := s.Size
		*s = sans
		s.Size = max(size, 11)
	}
	p.Title.TextStyle.Font.Size = 13
	p.Title.Padding = vg.Points(6)
	p.BackgroundColor = color.Transparent
	for _, c := range []*color.Color{&p.Title.TextStyle.Color, &p.X.Color, &p.X.Tick.Color, &p.X.Tick.Label.Color,
		&p.Y.Color, &p.Y.Tick.Color, &p.Y.Tick.Label.Color} {
		*c = ink
	}
	g := plotter.NewGrid()
	g.Vertical.Color, g.Horizontal.Color = grid, color.Transparent
	p.Add(g)
}

// drawMetric draws a plugin's samples, interval and median at height y.
func drawMetric(p *plot.Plot, m *model.Metric, y float64, s quantity.Scale) error {
	samples := make(plotter.XYs, 0, len(m.Samples))
	for _, v := range m.Samples {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			samples = append(samples, plotter.XY{X: v / s.By, Y: y - 0.22})
		}
	}
	if len(samples) == 0 {
		return nil
	}
	dots, err := plotter.NewScatter(samples)
	if err != nil {
		return fmt.Errorf("drawing samples: %w", err)
	}
	dots.GlyphStyle = draw.GlyphStyle{Color: raw, Radius: vg.Points(1.8), Shape: draw.CircleGlyph{}}
	median, err := plotter.NewScatter(plotter.XYs{{X: m.Median / s.By, Y: y}})
	if err != nil {
		return fmt.Errorf("drawing a median: %w", err)
	}
	median.GlyphStyle = draw.GlyphStyle{Color: estimate, Radius: vg.Points(4), Shape: draw.CircleGlyph{}}
	p.Add(dots)
	if m.CI != nil {
		line, err := plotter.NewLine(plotter.XYs{{X: m.CI[0] / s.By, Y: y}, {X: m.CI[1] / s.By, Y: y}})
		if err != nil {
			return fmt.Errorf("drawing an interval: %w", err)
		}
		line.LineStyle = draw.LineStyle{Color: estimate, Width: vg.Points(2.5)}
		p.Add(line)
	}
	p.Add(median)
	return nil
}

// plainTicks labels an axis without trailing zeros.
type plainTicks struct{}

// Ticks implements [plot.Ticker].
func (plainTicks) Ticks(low, high float64) []plot.Tick {
	ticks := plot.DefaultTicks{}.Ticks(low, high)
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = strconv.FormatFloat(ticks[i].Value, 'g', 4, 64)
		}
	}
	return ticks
}

// vertical is a dashed line through all rows.
type vertical struct{ x float64 }

// Plot implements [plot.Plotter].
func (v vertical) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	c.StrokeLine2(draw.LineStyle{Color: baseline, Width: vg.Points(1), Dashes: []vg.Length{vg.Points(4), vg.Points(3)}},
		x(v.x), c.Min.Y, x(v.x), c.Max.Y)
}

// svg renders a plot as an SVG element for the page.
func svg(p *plot.Plot, height vg.Length, label string) (template.HTML, error) {
	canvas := vgsvg.New(plotWidth, height)
	p.Draw(draw.Crop(draw.New(canvas), 0, -plotMargin, 0, 0))
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return "", fmt.Errorf("drawing a plot: %w", err)
	}
	_, element, ok := strings.Cut(b.String(), "<svg")
	if !ok {
		return "", fmt.Errorf("drawing a plot: the output has no svg element")
	}
	// vgsvg escapes the text that it draws.
	return template.HTML(`<svg role="img" aria-label="` + template.HTMLEscapeString(label) + `"` + asVariables.Replace(element)), nil
}
