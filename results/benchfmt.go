package results

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// GoBenchmark writes every sample that counts in the Go benchmark format
// (golang.org/design/14313-benchmark-format), one line a sample, for
// benchstat: `benchstat -col /plugin -row .fullname`. A unit carries its
// metric's name ("p50-s"), and says which side is better. Samples that failed
// have no line; the key failed-samples counts them.
func (r *Recorded) GoBenchmark(out io.Writer) error {
	w := bufio.NewWriter(out)
	failed := 0
	if err := r.counted(func(_ string, s *Sample) error {
		if s.Error != "" {
			failed++
		}
		return nil
	}); err != nil {
		return err
	}
	keys := [][2]string{{"run", r.Run.ID}}
	if r.Run.Asked.Testbed != "cluster" { // there the machine that called measured nothing
		keys = append(keys, [2]string{"kernel", r.Run.Host.Kernel}, [2]string{"cpu", r.Run.Host.CPU})
	}
	for _, c := range append(keys, [2]string{"cnibench", r.Run.Versions["cnibench"]}, [2]string{"failed-samples", fmt.Sprint(failed)}) {
		fmt.Fprintf(w, "%s: %s\n", c[0], strings.TrimSpace(Printable(c[1])))
	}
	r.benchUnits(w)
	fmt.Fprintln(w)
	if err := r.counted(func(ground string, s *Sample) error { return s.benchmark(w, ground, r.Run.Metrics) }); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing Go benchmarks: %w", err)
	}
	return nil
}

// benchUnits says of each unit once which side is better. Nothing is assumed
// of a distribution.
func (r *Recorded) benchUnits(w io.Writer) {
	told := map[string]bool{}
	for _, m := range r.Run.Metrics {
		unit := benchUnit(m)
		if told[unit] {
			continue
		}
		told[unit] = true
		fmt.Fprintf(w, "Unit %s assume=nothing", unit)
		if m.Better != "" {
			fmt.Fprintf(w, " better=%s", benchWord(m.Better))
		}
		fmt.Fprintln(w)
	}
}

// benchmark writes the line of one sample.
func (s *Sample) benchmark(w io.Writer, ground string, metrics []Metric) error {
	var values strings.Builder
	for _, m := range metrics {
		if v, ok := s.Values[m.Name]; ok && m.Probe == s.Probe {
			fmt.Fprintf(&values, " %s %s", number(v), benchUnit(m))
		}
	}
	if values.Len() == 0 || s.Error != "" {
		return nil
	}
	_, err := fmt.Fprintf(w, "BenchmarkCNI/probe=%s/plugin=%s/topology=%s/wire=%s 1%s\n",
		benchWord(s.Probe), benchWord(s.Plugin), benchWord(ground), benchWord(s.Wire), values.String())
	return err
}

// benchUnit is a metric's unit with its name. Plain counts have no unit.
func benchUnit(m Metric) string {
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

// benchWord makes a name one word; a slash would begin another part of the
// benchmark's name.
func benchWord(s string) string {
	s = noBenchWord.ReplaceAllString(s, "_")
	if s == "" {
		return "_"
	}
	return s
}
