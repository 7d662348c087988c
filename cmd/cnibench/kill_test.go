package main

import (
	"bufio"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cnibench/cnibench/results"
)

// moment is a point in a run: some time after a line of its progress.
type moment struct {
	line  string // "" for the start
	after time.Duration
}

// startRun starts a short run as a process of its own and returns once it has
// reached a moment.
func startRun(t *testing.T, workDir string, at moment, args ...string) (*exec.Cmd, <-chan error) {
	t.Helper()
	return startAsked(t, workDir, at, append([]string{"--plugins", "flannel-vxlan,calico", "--probes", "tcp-rr,encap", "--wire", "none",
		"--rounds", "2", "--duration", "150ms"}, args...)...)
}

// interrupt sends a run what Ctrl-C sends, waits for its end, and checks that it says that it was
// interrupted.
func interrupt(t *testing.T, cmd *exec.Cmd, ended <-chan error) {
	t.Helper()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-ended
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Fatalf("exit %d", code)
	}
}

// startAsked is like startRun for a run with the given arguments.
func startAsked(t *testing.T, workDir string, at moment, args ...string) (*exec.Cmd, <-chan error) {
	t.Helper()
	cmd := command(workDir, append([]string{"run", "--out", filepath.Join(workDir, "run")}, args...)...)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	reached := make(chan bool, 1)
	ended := make(chan error, 1)
	go func() {
		defer close(reached)
		for lines := bufio.NewScanner(stderr); at.line != "" && lines.Scan(); {
			if strings.HasPrefix(lines.Text(), at.line) {
				break
			}
		}
		reached <- true
		io.Copy(io.Discard, stderr)
		ended <- cmd.Wait()
	}()
	<-reached
	time.Sleep(at.after)
	return cmd, ended
}

func TestKillLeavesNothing(t *testing.T) {
	needs(t, "flannel-vxlan", "calico")
	moments := []moment{
		{"", 0}, {"", 30 * time.Millisecond},
		{"bringing up: host", 20 * time.Millisecond},
		{"bringing up: flannel-vxlan", 100 * time.Millisecond},
		{"bringing up: calico", 50 * time.Millisecond},
		{"bringing up: calico", 900 * time.Millisecond},
		{"inspecting the network: flannel-vxlan", 10 * time.Millisecond},
		{"round 1/", 50 * time.Millisecond},
		{"round 2/", 200 * time.Millisecond},
		{"taking down: flannel-vxlan", 5 * time.Millisecond},
	}
	early, agents, sampling := moments[1], moments[5], moments[7]
	for _, at := range sample(moments, func(m moment) bool { return m == early || m == agents || m == sampling }) {
		t.Run(strings.ReplaceAll(at.line+"+"+at.after.String(), "/", " of "), func(t *testing.T) {
			before := readMachine(t)
			dir := t.TempDir()
			cmd, ended := startRun(t, dir, at)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-ended
			waitFor(t, "all processes of the run to be gone", func() bool { return len(runProcesses(dir)) == 0 })
			waitFor(t, "all namespaces of the run to be gone", func() bool {
				return len(newNamespaces(before.namespaces)) == 0
			})
			readMachine(t).same(t, before)
			entries, err := os.ReadDir(dir)
			if err != nil || len(entries) > 1 || len(entries) == 1 && entries[0].Name() != "run" {
				t.Errorf("files outside the run directory: %v, %v", entries, err)
			}
			if _, err := os.Stat(filepath.Join(dir, "run", results.JournalFile)); err == nil {
				if _, err := results.Load(filepath.Join(dir, "run")); err != nil {
					t.Errorf("the journal so far does not load: %v", err)
				}
			}
		})
	}
}

func TestInterruptKeepsTheRecord(t *testing.T) {
	needs(t, "flannel-vxlan", "calico")
	moments := []moment{{"bringing up: calico", 50 * time.Millisecond}, {"round 2/", 10 * time.Millisecond}}
	for _, at := range sample(moments, func(m moment) bool { return m == moments[1] }) {
		t.Run(strings.ReplaceAll(at.line, "/", ""), func(t *testing.T) {
			before := readMachine(t)
			dir := t.TempDir()
			cmd, ended := startRun(t, dir, at, "--rounds", "50")
			interrupt(t, cmd, ended)
			r := loadReport(t, filepath.Join(dir, "run"))
			if r.Run.Complete || !containsLine(r.Warnings, "the record so far") {
				t.Errorf("the report does not say that it is partial: %+v, %q", r.Run, r.Warnings)
			}
			waitFor(t, "all processes of the run to be gone", func() bool { return len(runProcesses(dir)) == 0 })
			readMachine(t).same(t, before)
		})
	}
}

// TestHostIsNeverTouched compares the machine's network before, during and
// after a run.
func TestHostIsNeverTouched(t *testing.T) {
	needs(t, "flannel-vxlan", "calico")
	before := readMachine(t)
	dir := t.TempDir()
	cmd, ended := startRun(t, dir, moment{"round 1/", 0})
	during := readMachine(t)
	if len(runProcesses(dir)) < 2 || len(newNamespaces(before.namespaces)) == 0 && os.Geteuid() == 0 {
		t.Error("the test does not see the run's processes and namespaces")
	}
	if err := <-ended; err != nil || cmd.ProcessState.ExitCode() != exitDone {
		t.Errorf("the run: %v", err)
	}
	during.same(t, before)
	readMachine(t).same(t, before)
}

// waitFor polls until a condition is met or the time limit is over.
func waitFor(t *testing.T, what string, is func() bool) {
	t.Helper()
	for range 1000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("still waiting for %s", what)
}

// runProcesses returns the command lines that name a run's directory. The init's is
// among them: workers and agents are in its PID namespace and end with it.
func runProcesses(dir string) []string {
	var found []string
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range lines {
		text, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(text), dir) {
			found = append(found, string(text))
		}
	}
	return found
}

// namespaces returns the PID, network and mount namespaces of all processes that this
// user can inspect.
func namespaces() map[string]bool {
	all := map[string]bool{}
	for _, kind := range []string{"pid", "net", "mnt"} {
		links, _ := filepath.Glob("/proc/[0-9]*/ns/" + kind)
		for _, path := range links {
			if target, err := os.Readlink(path); err == nil {
				all[target] = true
			}
		}
	}
	return all
}

func newNamespaces(before map[string]bool) []string {
	after := namespaces()
	maps.DeleteFunc(after, func(name string, _ bool) bool { return before[name] })
	return slices.Collect(maps.Keys(after))
}
