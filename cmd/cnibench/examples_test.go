package main

import (
	"encoding/json"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/manifests"
	"github.com/cnibench/cnibench/report/accept"
	"github.com/cnibench/cnibench/scenarios"
)

// examples returns the shipped specs by file name.
func examples(t *testing.T) map[string]string {
	t.Helper()
	names, err := fs.Glob(manifests.Acceptance, "acceptance/*.yaml")
	if err != nil || len(names) < 3 {
		t.Fatalf("%v, %v", names, err)
	}
	texts := map[string]string{}
	for _, name := range names {
		text, err := manifests.Acceptance.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(name)] = string(text)
	}
	return texts
}

func parseSpec(t *testing.T, text string) *accept.Spec {
	t.Helper()
	spec, err := accept.Parse([]byte(text), scenarios.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// TestExamplesCanBeDecided checks the shipped specs and the one that --explain prints, without a
// run.
func TestExamplesCanBeDecided(t *testing.T) {
	specs := examples(t)
	specs["--explain"] = accept.Explain()
	for name, text := range specs {
		t.Run(name, func(t *testing.T) {
			p := newTestProgram()
			spec := parseSpec(t, text)
			if err := (&acceptance{&p.program, acceptOptions{spec: name}}).checkDecidable(spec, *spec.Run); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestUndecidableSpecIsRefused checks that such a spec is rejected before anything is measured.
func TestUndecidableSpecIsRefused(t *testing.T) {
	spec := writeFile(t, "spec.yaml", "run: {plugins: [calico], probes: [tcp-rr]}\nthresholds:\n"+
		"- {fact: policy enforced, is: true}\n- {metric: tcp-rr p50, at_most: 1 s}\n- {fact: adjacency forwards, is: true}\n")
	dir := filepath.Join(t.TempDir(), "run")
	code, out, log := runProgram(t, "accept", "-f", spec, "--out", dir)
	if code != exitUsage || out != "" || strings.Count(log, "\n") != 1 ||
		!strings.Contains(log, "threshold 1 is about policy enforced, which the run does not measure: add the probe policy to run.probes; threshold 3 ") {
		t.Errorf("exit %d, %q, %q", code, out, log)
	}
	if found, _ := filepath.Glob(dir); len(found) > 0 {
		t.Error("the run directory was made")
	}
}

// TestExamplesAreDecided makes a shortened run of every shipped spec. This machine may not reach
// a threshold's value, and six rounds may leave a threshold undecided; but there is always
// something to decide on, and facts hold. Samples keep their length: the kernel counts processor
// time in ticks of 10 ms, so a short sample at 1 Gbit/s may see no tick, which gives no ratio.
func TestExamplesAreDecided(t *testing.T) {
	for name, text := range examples(t) {
		t.Run(name, func(t *testing.T) {
			short := regexp.MustCompile(`(?m)^  rounds: .*$`).ReplaceAllString(text, "  rounds: 6")
			spec := parseSpec(t, short)
			if spec.Run.Rounds != 6 {
				t.Fatalf("the spec has no rounds to reduce: %+v", spec.Run)
			}
			needs(t, spec.Run.Plugins...)
			_, out, log := runProgram(t, "accept", "-f", writeFile(t, name, short), "--out", filepath.Join(t.TempDir(), "run"), "--format", "json", "--quiet")
			var outcome accept.Outcome
			if err := json.Unmarshal([]byte(out), &outcome); err != nil || len(outcome.Thresholds) != len(spec.Thresholds) {
				t.Fatalf("%v, %d of %d thresholds: %s", err, len(outcome.Thresholds), len(spec.Thresholds), log)
			}
			for i, got := range outcome.Thresholds {
				if fact := spec.Thresholds[i].Fact != ""; fact && got.Verdict != accept.Pass {
					t.Errorf("%s: %s: %s", got.Name, got.Verdict, got.Reason)
				}
				for _, part := range got.Of {
					if part.Verdict == accept.Inconclusive && part.Bounds == nil {
						t.Errorf("%s: nothing to decide on in %s: %s", got.Name, part.Where, part.Reason)
					}
				}
			}
		})
	}
}
