package machine

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"

	"golang.org/x/perf/benchfmt"

	"github.com/cnibench/cnibench/results"
)

// Benchfmt writes every sample that counts in the Go benchmark format
// (golang.org/design/14313-benchmark-format), one line per sample, for benchstat:
// `benchstat -col /plugin -row .fullname`. A unit includes the name of its metric ("p50-s"), and its
// metadata says which direction is better. Failed samples have no line; the key failed-samples counts
// them.
func Benchfmt(out io.Writer, r *results.Recorded) error {
	failed := 0
	if err := counted(r, func(s *results.Sample) error {
		if !s.Error.Empty() {
			failed++
		}
		return nil
	}); err != nil {
		return err
	}
	buffer := bufio.NewWriter(out)
	w := benchfmt.NewWriter(buffer)
	if err := benchUnits(w, r); err != nil {
		return err
	}
	about, lines := benchConfig(r, failed), 0
	if err := counted(r, func(s *results.Sample) error {
		b := benchmark(about, s, r.Run.Metrics)
		if b == nil {
			return nil
		}
		lines++
		return w.Write(b)
	}); err != nil {
		return err
	}
	for _, c := range about {
		if lines == 0 { // the writer writes the keys only with the first line
			fmt.Fprintf(buffer, "%s: %s\n", c.Key, c.Value)
		}
	}
	if err := buffer.Flush(); err != nil {
		return fmt.Errorf("writing Go benchmarks: %w", err)
	}
	return nil
}

// benchConfig returns the configuration keys that apply to all samples.
func benchConfig(r *results.Recorded, failed int) []benchfmt.Config {
	var all []benchfmt.Config
	add := func(key, value string) {
		all = append(all, benchfmt.Config{Key: key, Value: []byte(strings.TrimSpace(results.Printable(value))), File: true})
	}
	add("run", r.Run.ID)
	if r.Run.Asked.Testbed != "cluster" { // on a cluster, the calling machine measured nothing
		add("kernel", r.Run.Host.Kernel)
		add("cpu", r.Run.Host.CPU)
	}
	add("cnibench", r.Run.Versions["cnibench"])
	add("failed-samples", fmt.Sprint(failed))
	return all
}

// benchUnits writes the metadata of each unit once: which direction is better, and that nothing is
// assumed about the distribution.
func benchUnits(w *benchfmt.Writer, r *results.Recorded) error {
	told := map[string]bool{}
	for _, m := range r.Run.Metrics {
		unit := benchUnit(m)
		if told[unit] {
			continue
		}
		told[unit] = true
		about := []benchfmt.UnitMetadata{{UnitMetadataKey: benchfmt.UnitMetadataKey{Key: "assume"}, Value: "nothing"}}
		if m.Better != "" {
			about = append(about, benchfmt.UnitMetadata{UnitMetadataKey: benchfmt.UnitMetadataKey{Key: "better"}, Value: benchWord(m.Better)})
		}
		for i := range about {
			about[i].Unit, about[i].OrigUnit = unit, unit
			if err := w.Write(&about[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// benchmark returns the line of one sample, or nil if it failed or has no figures.
func benchmark(about []benchfmt.Config, s *results.Sample, metrics []results.Metric) *benchfmt.Result {
	var values []benchfmt.Value
	for _, m := range metrics {
		if v, ok := s.Values[m.Name]; ok && m.Probe == s.Probe {
			values = append(values, benchfmt.Value{Value: v, Unit: benchUnit(m)})
		}
	}
	if len(values) == 0 || !s.Error.Empty() {
		return nil
	}
	name := fmt.Sprintf("CNI/probe=%s/plugin=%s/topology=%s/wire=%s", benchWord(s.Probe), benchWord(s.Plugin), benchWord(s.Topology.String()), benchWord(s.Wire))
	return &benchfmt.Result{Name: benchfmt.Name(name), Iters: 1, Config: about, Values: values}
}

// benchUnit returns a metric's name joined with its unit. Plain counts have no unit.
func benchUnit(m results.Metric) string {
	if m.Unit == "1" {
		return benchWord(m.Name)
	}
	numerator, denominator, _ := strings.Cut(m.Unit, "/")
	unit := benchWord(m.Name) + "-" + benchWord(numerator)
	if denominator != "" {
		unit += "/" + benchWord(denominator)
	}
	return unit
}

var noBenchWord = regexp.MustCompile(`[^A-Za-z0-9._+:=,-]+`)

// benchWord turns a name into one word. It also replaces slashes, which would begin another part of the
// benchmark's name.
func benchWord(s string) string {
	s = noBenchWord.ReplaceAllString(s, "_")
	if s == "" {
		return "_"
	}
	return s
}
