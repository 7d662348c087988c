package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// recordedRun returns a writable copy of a run of real agents from the report's
// tests.
func recordedRun(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "run")
	if err := os.CopyFS(dir, os.DirFS("../../report/testdata/run")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAcceptExitCodes(t *testing.T) {
	run := recordedRun(t)
	for _, c := range []struct {
		name, thresholds string
		code             int
		says             string
	}{
		{"pass", "- {plugin: flannel-vxlan, wire: 1gbit, metric: tcp-stream goodput, of: host, at_least: 90 %}", exitDone, "PASS"},
		{"fail", "- {plugin: flannel-udp, wire: 1gbit, metric: tcp-stream goodput, of: host, at_least: 90 %}", exitFailed, "FAIL"},
		{"inconclusive", "- {plugin: calico, wire: 1gbit, metric: tcp-stream goodput, of: host, at_least: 99 %}", exitUnknown, "INCONCLUSIVE"},
		{"a metric that the run has not", "- {plugin: calico, metric: udp-rr p99, at_most: 1 s}", exitUnknown, "the run has no udp-rr p99"},
		{"fail beats inconclusive", "- {plugin: calico, metric: udp-rr p99, at_most: 1 s}\n- {plugin: calico, setup: cni_add_ms, at_most: 1 ms}", exitFailed, "FAIL"},
		{"facts", "- {plugin: flannel-vxlan, fact: encapsulation kind, is: vxlan}\n- {fact: encapsulation agrees, plugin: \"flannel-[vu]*\", is: true}", exitDone, "PASS"},
	} {
		t.Run(c.name, func(t *testing.T) {
			spec := writeFile(t, "spec.yaml", "thresholds:\n"+c.thresholds+"\n")
			for _, format := range acceptFormats {
				code, out, log := runProgram(t, "accept", "-f", spec, "--format", format, run)
				if code != c.code || out == "" || log != "" || format == "text" && !strings.Contains(out, c.says) {
					t.Errorf("%s: exit %d, %s, %s", format, code, out, log)
				}
			}
		})
	}
}

func TestAcceptBadInput(t *testing.T) {
	run := recordedRun(t)
	good := writeFile(t, "good.yaml", "thresholds:\n- {metric: a b, at_least: 1}\n")
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"no spec", []string{"accept", run}, "-f SPEC"},
		{"a spec that is not there", []string{"accept", "-f", "/none.yaml", run}, "no such file"},
		{"a misspelt key", []string{"accept", "-f", writeFile(t, "x.yaml", "thresholds:\n- {metrik: a b}\n"), run}, `line 2: there is no key "metrik"; did you mean metric`},
		{"no run and no run section", []string{"accept", "-f", good}, "name a run directory"},
		{"a directory for a run that is not made", []string{"accept", "-f", good, "--out", "x", run}, "--out applies only to a new run"},
		{"a cluster for a run that is not made", []string{"accept", "-f", good, "--context", "x", run}, "--context applies only to a new run"},
		{"an earlier run for no threshold", []string{"accept", "-f", good, "--against", run, run}, "no threshold in"},
		{"two runs", []string{"accept", "-f", good, run, run}, "at most one"},
		{"an unknown format", []string{"accept", "-f", good, "--format", "html", run}, "did you mean"},
		{"a plugin of the run section that is not there", []string{"accept", "-f", writeFile(t, "y.yaml", "run: {plugins: [calcio]}\nthresholds:\n- {metric: a b, at_least: 1}\n")}, "did you mean calico"},
		{"compare of one", []string{"compare", run}, "two run directories"},
		{"compare with a margin of nothing", []string{"compare", "--margin", "0", run, run}, "margin"},
		{"resume with another seed", []string{"run", "--resume", run, "--seed", "3"}, "leave out --seed"},
		{"resume of a complete run", []string{"run", "--resume", run}, "nothing to resume"},
		{"resume of no run", []string{"run", "--resume", t.TempDir()}, "is not a run directory"},
		{"quiet and verbose", []string{"run", "--plugins", "calico", "-q", "-v", "--dry-run"}, "quiet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, log := runProgram(t, c.args...)
			if code != exitUsage || out != "" || strings.Count(log, "\n") != 1 || !strings.Contains(log, c.says) {
				t.Errorf("exit %d, stdout %q, stderr %q", code, out, log)
			}
		})
	}
}

// TestAcceptMakesItsOwnRun measures what the spec's run section asks for and judges
// it: thresholds on a figure, on the setup and on what the wire shows.
func TestAcceptMakesItsOwnRun(t *testing.T) {
	needs(t, "flannel-vxlan")
	spec := writeFile(t, "spec.yaml", `run:
  plugins: [flannel-vxlan]
  wire: [none]
  probes: [tcp-rr, encap]
  rounds: 6
  duration: 0.2
thresholds:
- {plugin: flannel-vxlan, metric: tcp-rr p50, at_most: 1 s}
- {plugin: flannel-vxlan, setup: network_ready_ms, at_most: 30 s}
- {plugin: flannel-vxlan, fact: encapsulation kind, is: vxlan}
`)
	dir := filepath.Join(t.TempDir(), "run")
	code, out, log := runProgram(t, "accept", "-f", spec, "--out", dir, "--format", "junit")
	if code != exitDone || strings.Count(out, "<testcase") != 3 || strings.Contains(out, "<failure") {
		t.Errorf("exit %d: %s\n%s", code, out, log)
	}
	if r := loadReport(t, dir); !r.Run.Complete || r.Run.Rounds != 6 {
		t.Errorf("the run that was made: %+v", r.Run)
	}
}

func TestAcceptExplains(t *testing.T) {
	code, out, _ := runProgram(t, "accept", "--explain")
	if code != exitDone || !strings.Contains(out, "at_least:") {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestCompareWithItself(t *testing.T) {
	run := recordedRun(t)
	for _, format := range compareFormats {
		code, out, log := runProgram(t, "compare", "--format", format, run, run)
		if code != exitDone || strings.Contains(out, "faster") || strings.Contains(out, "slower") || !strings.Contains(out, "calico-bgp") {
			t.Errorf("%s: exit %d: %s\n%s", format, code, log, out)
		}
	}
}

func TestDryRunStartsNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	code, out, log := runProgram(t, "run", "--plugins", "flannel-vxlan,calico", "--rounds", "7", "--probes", "tcp-stream,tcp-rr,encap", "--seed", "42", "--link", "delay=2ms", "--out", dir, "--dry-run")
	for _, says := range []string{"networks: 3", "cells: 6", "blocks: 7, of 12 samples each, seed 42", "expected time: 23s", "once for each network: encap", "link: delay=2ms in each direction"} {
		if code != exitDone || log != "" || !strings.Contains(out, says) {
			t.Errorf("exit %d, %s: no %q in\n%s", code, log, says, out)
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the run directory was made")
	}
	if _, again, _ := runProgram(t, "run", "--plugins", "flannel-vxlan,calico", "--rounds", "7", "--probes", "tcp-stream,tcp-rr,encap", "--seed", "42", "--link", "delay=2ms", "--dry-run"); again != out {
		t.Error("the same seed gives another plan")
	}
}

func TestCompletion(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"completion", "bash"}, "__start_cnibench"},
		{[]string{"completion", "zsh"}, "#compdef cnibench"},
		{[]string{"completion", "fish"}, "complete -c cnibench"},
		{[]string{"__complete", "run", "--plugins", ""}, "flannel-vxlan"},
		{[]string{"__complete", "report", "--format", ""}, "openmetrics"},
	} {
		code, out, _ := runProgram(t, c.args...)
		if code != exitDone || !strings.Contains(out, c.says) {
			t.Errorf("%v: exit %d, no %q", c.args, code, c.says)
		}
	}
}
