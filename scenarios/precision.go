package scenarios

import (
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// figureOf names one figure of one cell.
type figureOf struct {
	results.Cell
	probe, metric string
}

// seen holds every figure measured so far, by block.
type seen map[figureOf]map[int]float64

// add takes a sample's figures.
func (s seen) add(sample *results.Sample) {
	for name, v := range sample.Values {
		f := figureOf{sample.Cell, sample.Probe, name}
		if s[f] == nil {
			s[f] = map[int]float64{}
		}
		s[f][sample.Block] = v
	}
}

// precise reports whether the headline of every probe, as a ratio to the
// baseline, is known within the width asked for. Width alone decides, never
// whether a difference shows: stopping at a difference would find too many.
func (s seen) precise(precision float64) bool {
	for f, values := range s {
		if f.Plugin == results.HostPlugin || f.metric != headline(f.probe) {
			continue
		}
		host := f
		host.Plugin = results.HostPlugin
		r := stats.Paired(values, s[host])
		if r.CI == nil || r.CI.RelativeWidth(r.Ratio) > precision {
			return false
		}
	}
	return true
}

// headline is the figure that a probe is about: its first one.
func headline(spec string) string {
	p, _, err := probes.Parse(spec)
	if err != nil || len(p.Metrics) == 0 {
		return ""
	}
	return p.Metrics[0].Name
}
