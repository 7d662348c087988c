package machine

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// csvHeader names the columns of [CSV].
var csvHeader = []string{"run", "plugin", "topology", "wire", "probe", "block", "position", "placement", "client_cpu", "server_cpu",
	"start", "seconds", "metric", "unit", "value", "counts", "cpu_user", "cpu_system", "cpu_softirq", "cpu_steal", "agent_seconds",
	"error", "warnings", "kernel", "deployment"}

// CSV writes every raw sample (RFC 4180), one line per value. A failed sample is one line without a
// metric; its error says why. Times are in seconds. The column counts is false for samples of an
// interrupted block that was measured again. No text starts a formula in a spreadsheet.
func CSV(out io.Writer, r *results.Recorded) error {
	w := csv.NewWriter(out)
	if err := w.Write(csvHeader); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	units := map[[2]string]string{}
	for _, m := range r.Run.Metrics {
		units[[2]string{m.Probe, m.Name}] = m.Unit
	}
	skip := r.Superseded()
	for i, record := range r.Records {
		s := record.Sample
		if s == nil {
			continue
		}
		for _, line := range csvLines(s, r.Run.ID, cmp.Or(record.Kernel, r.Run.Host.Kernel), units, !skip[i]) {
			if err := w.Write(line); err != nil {
				return fmt.Errorf("writing CSV: %w", err)
			}
		}
	}
	w.Flush()
	if err := w.Error(); err != nil {
		return fmt.Errorf("writing CSV: %w", err)
	}
	return nil
}

// csvLines returns the lines of one sample.
func csvLines(s *results.Sample, run, kernel string, units map[[2]string]string, counts bool) [][]string {
	cpu := make([]string, 4)
	if c := s.CPU; c != nil {
		cpu = []string{number(c.User), number(c.System), number(c.SoftIRQ), number(c.Steal)}
	}
	line := func(metric, unit, value string) []string {
		return slices.Concat([]string{cellText(run), cellText(s.Plugin), cellText(s.Topology.String()), cellText(s.Wire), cellText(s.Probe),
			strconv.Itoa(s.Block), strconv.Itoa(s.Position), cellText(s.Placement.Mode), strconv.Itoa(s.Placement.Client),
			strconv.Itoa(s.Placement.Server), s.Start.UTC().Format(time.RFC3339Nano), number(s.Seconds), cellText(metric), unit, value,
			strconv.FormatBool(counts)}, cpu, []string{number(s.AgentSeconds), cellText(s.Error.String()), cellText(words.Clauses(s.Warnings...).String()), cellText(kernel), strconv.Itoa(s.Deployment)})
	}
	if len(s.Values) == 0 {
		return [][]string{line("", "", "")}
	}
	var lines [][]string
	for _, name := range slices.Sorted(maps.Keys(s.Values)) {
		lines = append(lines, line(name, cellText(units[[2]string{s.Probe, name}]), number(s.Values[name])))
	}
	return lines
}

// cellText makes text harmless in a spreadsheet, which treats text that begins with one of these
// characters as a formula (OWASP, CSV Injection).
func cellText(s string) string {
	s = strings.TrimSpace(results.Printable(s))
	if s != "" && strings.ContainsAny(s[:1], "=+-@|%") {
		return "'" + s
	}
	return s
}

// number formats a figure so that parsing it returns the same value.
func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// counted calls f with each sample that counts, in the order of the journal. The topology of the sample
// includes the kernel.
func counted(r *results.Recorded, f func(s *results.Sample) error) error {
	skip := r.Superseded()
	for i, record := range r.Records {
		if record.Sample == nil || skip[i] {
			continue
		}
		s := *record.Sample
		s.Topology = s.Topology.In(record.Kernel)
		if err := f(&s); err != nil {
			return err
		}
	}
	return nil
}
