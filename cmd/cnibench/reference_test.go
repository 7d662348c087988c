package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
)

// reference is the run shown in the README's picture; make reference recreates it.
const reference = "../../results/reference"

// TestReferenceRun renders the committed run in every format and language.
func TestReferenceRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "reference")
	if err := os.CopyFS(dir, os.DirFS(reference)); err != nil {
		t.Fatal(err)
	}
	for _, format := range formats {
		for _, language := range []string{"zh", "en"} {
			code, out, log := runProgram(t, "report", "--quiet", "--format", format, "--lang", language, dir)
			if code != exitDone || out == "" || log != "" {
				t.Errorf("%s in %s: exit %d, %d bytes, %s", format, language, code, len(out), log)
			}
			if strings.Contains(out, "\x1b") {
				t.Errorf("%s in %s holds terminal escapes, which NO_COLOR rules out", format, language)
			}
		}
	}
	r := loadReport(t, dir)
	if !r.Run.Complete || len(r.Recommendation) == 0 || r.Host.CPU == "" || r.Host.Kernel == "" {
		t.Errorf("complete: %v, %d recommendations, machine %+v", r.Run.Complete, len(r.Recommendation), r.Host)
	}
}

// TestReferenceTellsNothingElse looks for directory names of the machine that the committed run
// was made on.
func TestReferenceTellsNothingElse(t *testing.T) {
	folders := regexp.MustCompile(`/(home|root|work|tmp)/[a-z]`)
	for _, name := range []string{results.RunFile, results.JournalFile, results.ReportJSON, results.ReportHTML} {
		text, err := os.ReadFile(filepath.Join(reference, name))
		if err != nil {
			t.Fatal(err)
		}
		if found := folders.Find(text); found != nil {
			t.Errorf("%s contains a directory name: %s", name, found)
		}
	}
}
