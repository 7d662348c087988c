package html

import (
	"fmt"
	"html/template"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/view"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// series holds the colours of lines. Each has a contrast of at least 3 against both the light and the
// dark page (WCAG 2.1, 1.4.11). Once all are used, further lines are dashed.
var series = []color.RGBA{
	{0x3b, 0x82, 0xc4, 255}, {0xc8, 0x64, 0x1b, 255}, {0x1f, 0x8f, 0x63, 255}, {0xa6, 0x5f, 0xc0, 255},
	{0xd1, 0x49, 0x5b, 255}, {0x84, 0x84, 0x1f, 255}, {0x24, 0x8f, 0x9a, 255}, {0x9a, 0x6b, 0x4f, 255},
}

// dashes distinguishes lines of the same colour.
var dashes = [][]vg.Length{nil, {vg.Points(6), vg.Points(3)}, {vg.Points(2), vg.Points(2)}}

// plotTail draws the distribution of round-trip times of all plugins, with both axes logarithmic. It
// returns "" if the probe keeps no histograms.
func plotTail(t *view.Table, in *words.Language) (template.HTML, error) {
	p := plot.New()
	p.Title.Text = in.Say(words.TailTitle.With(t.Probe))
	style(p)
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = decades{}, shares{}
	// Names come after the sample of their line, because a browser's font may be wider.
	p.Legend.Top, p.Legend.Left, p.Legend.XOffs, p.Legend.Padding = true, true, 0.55*plotWidth, vg.Points(3)
	p.Legend.TextStyle.Font, p.Legend.TextStyle.Color = p.X.Tick.Label.Font, ink
	p.Legend.ThumbnailWidth = vg.Points(24)
	drawn := 0
	for _, w := range t.Rows {
		i := slices.IndexFunc(w.Metrics, func(m *model.Metric) bool { return m != nil && len(m.Tail) > 1 })
		if i < 0 {
			continue
		}
		var xys plotter.XYs
		for _, point := range w.Metrics[i].Tail {
			xys = append(xys, plotter.XY{X: point.Seconds * 1e6, Y: point.Beyond})
		}
		line, err := plotter.NewLine(xys)
		if err != nil {
			return "", fmt.Errorf("drawing a tail: %w", err)
		}
		line.LineStyle = draw.LineStyle{Color: series[drawn%len(series)], Width: vg.Points(1.8), Dashes: dashes[drawn/len(series)%len(dashes)]}
		if w.Cell.Plugin == results.HostPlugin {
			line.LineStyle = draw.LineStyle{Color: baseline, Width: vg.Points(1.8), Dashes: []vg.Length{vg.Points(4), vg.Points(3)}}
		} else {
			drawn++
		}
		p.Add(line)
		p.Legend.Add(in.Say(w.Cell.Named()), line)
		p.X.Min, p.X.Max = math.Min(p.X.Min, xys[0].X), math.Max(p.X.Max, xys[len(xys)-1].X)
	}
	if p.X.Min >= p.X.Max || p.X.Min <= 0 {
		return "", nil
	}
	p.Y.Max = 1
	return svg(p, tailHeight, in.Say(words.TailLabel.With(t.Probe, t.About())))
}

const tailHeight = 8 * vg.Centimeter

// decades labels a logarithmic axis at 1, 2 and 5 times powers of ten.
type decades struct{}

// Ticks implements [plot.Ticker].
func (decades) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for _, m := range []float64{1, 2, 5} {
			if v := m * math.Pow(10, e); v >= low && v <= high {
				ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 4, 64)})
			}
		}
	}
	return ticks
}

// shares labels a logarithmic axis of shares at powers of ten, in percent.
type shares struct{}

// Ticks implements [plot.Ticker].
func (shares) Ticks(low, high float64) []plot.Tick {
	var ticks []plot.Tick
	for v := 1.0; v >= low*0.999; v /= 10 {
		if v <= high {
			ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(100*v, 'g', 3, 64) + " %"})
		}
	}
	return ticks
}
