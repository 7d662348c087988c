package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
)

// TestResume interrupts a run in its third block, truncates the journal as a crash
// would, and resumes the run.
func TestResume(t *testing.T) {
	needs(t, "flannel-vxlan", "calico")
	const rounds = 8
	work := t.TempDir()
	cmd, ended := startRun(t, work, moment{"round 3/", 0}, "--rounds", "8", "--duration", "100ms")
	interrupt(t, cmd, ended)
	dir := filepath.Join(work, "run")
	before, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if next := before.NextBlock(); next < 2 || next >= rounds {
		t.Fatalf("the run was interrupted in block %d", next)
	}
	journal, err := os.OpenFile(filepath.Join(dir, results.JournalFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := journal.WriteString(`{"time":"2026-01-01T00:00`); err != nil {
		t.Fatal(err)
	}
	journal.Close()

	code, out, log := runProgram(t, "run", "--resume", dir, "--format", "text")
	if code != exitDone || !strings.Contains(out, "resumed at round") {
		t.Fatalf("exit %d: %s\n%s", code, log, out)
	}
	r := loadReport(t, dir)
	if !r.Run.Complete || r.Run.Rounds != rounds || r.Run.Seed != before.Run.Asked.Seed {
		t.Errorf("%+v", r.Run)
	}
	for _, c := range r.Cells {
		for _, m := range c.Metrics {
			if m.N != rounds {
				t.Errorf("%s %s %s has %d samples, want %d", c.Plugin, m.Probe, m.Name, m.N, rounds)
			}
		}
	}
	if len(r.Setup) != 3 || len(r.Encapsulation) != 3 {
		t.Errorf("facts are there %d and %d times", len(r.Setup), len(r.Encapsulation))
	}
}
