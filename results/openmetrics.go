package results

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// Gauges is a family of figures that OpenMetrics gives one name.
type Gauges struct {
	// Name is in OpenMetrics' form; it ends in the unit, if there is one.
	Name   string
	Unit   string // in full: seconds, bytes, ratio; "" for none
	Help   string
	Points []Gauge
}

// Gauge is one figure with its labels.
type Gauge struct {
	Labels [][2]string // name and value, in the order of writing
	Value  float64
}

// OpenMetrics writes gauges in the OpenMetrics text format 1.0
// (github.com/prometheus/OpenMetrics). It uses nothing of it that the older
// Prometheus format, which node_exporter's textfile collector reads, does not
// have: its EOF and UNIT lines are comments there. There are no timestamps,
// which that collector refuses.
func OpenMetrics(out io.Writer, families []Gauges) error {
	w := bufio.NewWriter(out)
	for _, f := range families {
		if len(f.Points) == 0 {
			continue
		}
		fmt.Fprintf(w, "# TYPE %s gauge\n", f.Name)
		if f.Unit != "" {
			fmt.Fprintf(w, "# UNIT %s %s\n", f.Name, f.Unit)
		}
		fmt.Fprintf(w, "# HELP %s %s\n", f.Name, escapeMetric(f.Help))
		for _, p := range f.Points {
			var labels []string
			for _, l := range p.Labels {
				labels = append(labels, fmt.Sprintf(`%s="%s"`, l[0], escapeMetric(l[1])))
			}
			fmt.Fprintf(w, "%s{%s} %s\n", f.Name, strings.Join(labels, ","), number(p.Value))
		}
	}
	fmt.Fprintln(w, "# EOF")
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing OpenMetrics: %w", err)
	}
	return nil
}

var metricEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// escapeMetric escapes a label's value or a help text. Line ends cannot occur:
// they are no printable characters.
func escapeMetric(s string) string { return metricEscapes.Replace(Printable(s)) }

var noMetricName = regexp.MustCompile(`[^a-z0-9_]+`)

// MetricName makes a word part of a metric's name.
func MetricName(s string) string {
	return strings.Trim(noMetricName.ReplaceAllString(strings.ToLower(s), "_"), "_")
}
