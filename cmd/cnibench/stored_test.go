package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
)

// cannotStore creates a directory in place of the report file, so that not even root can store
// the report.
func cannotStore(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, results.ReportJSON)
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(path, "x"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestReportThatCannotBeStored checks that the report is printed nevertheless.
func TestReportThatCannotBeStored(t *testing.T) {
	dir := recordedRun(t)
	_, want, _ := runProgram(t, "report", dir)
	cannotStore(t, dir)
	code, out, log := runProgram(t, "report", dir)
	if code != exitBroke || out != want || !strings.Contains(log, "the report cannot be stored") {
		t.Errorf("exit %d, %q, and %d bytes of the report, want %d", code, log, len(out), len(want))
	}
	if _, err := os.Stat(filepath.Join(dir, results.ReportHTML)); err != nil {
		t.Errorf("the page was not stored: %v", err)
	}
}

// goingOn returns a recorded, unfinished run whose last line is still being written, and its
// journal, which keeps the run going until it is closed.
func goingOn(t *testing.T) (string, *results.Journal) {
	t.Helper()
	dir := recordedRun(t)
	path := filepath.Join(dir, results.JournalFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	if err := os.WriteFile(path, []byte(strings.Join(lines[:len(lines)/2], "")), 0o644); err != nil {
		t.Fatal(err)
	}
	_, journal, err := results.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err == nil {
		_, err = f.WriteString(`{"time":"2026-01-01T00:00`)
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return dir, journal
}

// TestRunThatGoesOn reads a run while it is being written: it is readable, a note says that it is
// still going on, and the journal is left unchanged. A second run in its directory is rejected.
func TestRunThatGoesOn(t *testing.T) {
	dir, journal := goingOn(t)
	defer journal.Close()
	before, err := os.ReadFile(filepath.Join(dir, results.JournalFile))
	if err != nil {
		t.Fatal(err)
	}
	spec := writeFile(t, "spec.yaml", "thresholds:\n- {plugin: calico, metric: udp-rr p99, at_most: 1 s}\n")
	for _, tt := range []struct {
		name string
		code int
		args []string
	}{
		{"report", exitDone, []string{"report", dir}},
		{"compare", exitDone, []string{"compare", dir, recordedRun(t)}},
		{"accept", exitUnknown, []string{"accept", "-f", spec, dir}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, log := runProgram(t, tt.args...)
			if code != tt.code || out == "" || strings.Count(log, "still going on") != 1 || strings.Contains(out, "cut and was dropped") {
				t.Errorf("exit %d, %q\n%s", code, log, out)
			}
		})
	}
	code, _, log := runProgram(t, "run", "--plugins", "calico", "--out", dir)
	if code != exitUsage || !strings.Contains(log, "another run is writing to") {
		t.Errorf("a second run: exit %d, %s", code, log)
	}
	if after, err := os.ReadFile(filepath.Join(dir, results.JournalFile)); err != nil || string(after) != string(before) {
		t.Errorf("the journal changed, %v", err)
	}
}

// TestAcceptWithoutAStoredReport checks that the verdict is given even if the report cannot be
// stored.
func TestAcceptWithoutAStoredReport(t *testing.T) {
	p := newTestProgram()
	dir := recordedRun(t)
	cannotStore(t, dir)
	spec := parseSpec(t, "thresholds:\n- {plugin: flannel-vxlan, fact: encapsulation kind, is: vxlan}\n")
	err := (&acceptance{&p.program, acceptOptions{format: "text"}}).decide(spec, dir, true, nil)
	if err != nil || !strings.Contains(p.out.String(), "PASS") || strings.Count(p.log.String(), "\n") != 1 || !strings.Contains(p.log.String(), "warning: the report cannot be stored") {
		t.Errorf("%v, %q, %q", err, p.out, p.log)
	}
}
