package view

import (
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/words"
)

// PathRow is one figure over a path that applications use, beside that over the straight
// path.
type PathRow struct {
	Cell     *model.Cell
	Path     words.Text
	Metric   *model.Metric
	Straight *model.Metric
}

// appPaths names the paths of probes, with their parameters.
var appPaths = map[string]words.Text{
	"service": words.ToClusterIP, "node-port": words.ToNodePort, "node-port:own": words.ToOwnNodePort,
	"pod-to-host": words.ToHost, "host-to-pod": words.FromHost, "hairpin": words.ToItself,
}

// Paths lists all figures that have a straight path to compare with.
func Paths(r *model.Report) []PathRow {
	var all []PathRow
	for i := range r.Cells {
		c := &r.Cells[i]
		for j := range c.Metrics {
			m := &c.Metrics[j]
			if m.VsStraight == nil {
				continue
			}
			path, ok := appPaths[m.Probe]
			if !ok {
				path = words.Quote(m.Probe)
			}
			if straight := c.Metric(m.Probe, m.VsStraight.Name); straight != nil {
				all = append(all, PathRow{c, path, m, straight})
			}
		}
	}
	return all
}

// Over returns the figure over the path, with its interval.
func (w PathRow) Over() string { return quantity.Interval(w.Metric.Median, w.Metric.CI, w.Metric.Unit) }

// OverStraight returns the figure over the straight path, with its interval.
func (w PathRow) OverStraight() string {
	return quantity.Interval(w.Straight.Median, w.Straight.CI, w.Straight.Unit)
}

// Ratio returns the ratio of the two, with its interval.
func (w PathRow) Ratio() string {
	return quantity.Ratio(w.Metric.VsStraight.Ratio, w.Metric.VsStraight.CI)
}
