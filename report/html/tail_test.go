package html

import (
	"strings"
	"testing"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/view"
)

func TestPlotTail(t *testing.T) {
	named := func(plugin string, seconds float64) view.Row {
		c := &model.Cell{}
		c.Plugin = plugin
		tail := []model.TailPoint{{Seconds: seconds, Beyond: 1}, {Seconds: 2 * seconds, Beyond: 0.1}, {Seconds: 5 * seconds, Beyond: 0.01}}
		return view.Row{Cell: c, Metrics: []*model.Metric{{Tail: tail}}}
	}
	with := &view.Table{Probe: "tcp-rr", Rows: []view.Row{named("host", 1e-5), named("flannel-vxlan", 2e-5)}}
	drawn, err := plotTail(with, nil)
	if err != nil || !strings.Contains(string(drawn), "flannel-vxlan") || strings.Contains(string(drawn), "NaN") {
		t.Errorf("%v: %.300s", err, drawn)
	}
	without := &view.Table{Probe: "tcp-stream", Rows: []view.Row{{Cell: &model.Cell{}, Metrics: []*model.Metric{{}}}}}
	if drawn, err := plotTail(without, nil); err != nil || drawn != "" {
		t.Errorf("a probe without histograms: %v, %.100s", err, drawn)
	}
}
