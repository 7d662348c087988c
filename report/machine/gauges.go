package machine

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"

	"github.com/cnibench/cnibench/results"
)

type label = [2]string // name and value

// gauges returns an empty family of gauges. If there is a unit, the name ends in it, spelled out:
// seconds, bytes, ratio.
func gauges(name, unit, help string) *dto.MetricFamily {
	f := &dto.MetricFamily{Name: &name, Help: proto.String(results.Printable(help)), Type: dto.MetricType_GAUGE.Enum()}
	if unit != "" {
		f.Unit = &unit
	}
	return f
}

// add adds one gauge to a family.
func add(f *dto.MetricFamily, labels []label, value float64) {
	m := &dto.Metric{Gauge: &dto.Gauge{Value: &value}}
	for _, l := range labels {
		m.Label = append(m.Label, &dto.LabelPair{Name: proto.String(l[0]), Value: proto.String(results.Printable(l[1]))})
	}
	f.Metric = append(f.Metric, m)
}

// writeGauges writes the families that are not empty in the OpenMetrics text format 1.0
// (github.com/prometheus/OpenMetrics). The output is also valid in the older Prometheus format, which
// node_exporter's textfile collector reads: there, the EOF and UNIT lines are comments. It has no
// timestamps, because that collector rejects them.
func writeGauges(out io.Writer, families []*dto.MetricFamily) error {
	w := bufio.NewWriter(out)
	for _, f := range families {
		if len(f.Metric) == 0 {
			continue
		}
		if _, err := expfmt.MetricFamilyToOpenMetrics(w, f); err != nil {
			return fmt.Errorf("writing OpenMetrics: %w", err)
		}
	}
	if _, err := expfmt.FinalizeOpenMetrics(w); err != nil {
		return fmt.Errorf("writing OpenMetrics: %w", err)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing OpenMetrics: %w", err)
	}
	return nil
}

var noMetricName = regexp.MustCompile(`[^a-z0-9_]+`)

// MetricName turns text into a part of a metric's name.
func MetricName(s string) string {
	return strings.Trim(noMetricName.ReplaceAllString(strings.ToLower(s), "_"), "_")
}
