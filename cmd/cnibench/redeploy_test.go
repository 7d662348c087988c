package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
)

// deployment is what a record says of one deployment of a network.
type deployment struct {
	rounds map[int]bool
	setups int
}

// deploymentsIn returns the deployments of each network in a record.
func deploymentsIn(t *testing.T, dir string) map[string]map[int]*deployment {
	t.Helper()
	recorded, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]map[int]*deployment{}
	get := func(plugin string, number int) *deployment {
		if all[plugin] == nil {
			all[plugin] = map[int]*deployment{}
		}
		if all[plugin][number] == nil {
			all[plugin][number] = &deployment{rounds: map[int]bool{}}
		}
		return all[plugin][number]
	}
	again := recorded.Superseded()
	for i, r := range recorded.Records {
		switch s := r.Sample; {
		case r.Setup != nil:
			get(r.Setup.Plugin, r.Setup.Deployment).setups++
		case s != nil && !again[i] && s.Error.Empty():
			get(s.Plugin, s.Deployment).rounds[s.Block] = true
		case s != nil && !again[i]:
			t.Errorf("%s in block %d failed: %s", s.Plugin, s.Block, s.Error)
		}
	}
	return all
}

// TestRedeploy interrupts a run in its second deployment and resumes it. One plugin comes up in
// the first deployment only.
func TestRedeploy(t *testing.T) {
	needs(t, "flannel-vxlan", "faulty-once")
	work := t.TempDir()
	cmd, ended := startAsked(t, work, moment{"deployment 2/3, round 3/", 0}, "--plugins", "flannel-vxlan,faulty-once", "--redeploy", "3", "--rounds", "6",
		"--probes", "tcp-rr,mtu,encap", "--wire", "none", "--duration", "300ms")
	interrupt(t, cmd, ended)
	dir := filepath.Join(work, "run")
	if code, _, log := runProgram(t, "run", "--resume", dir); code != exitDone {
		t.Fatalf("exit %d: %s", code, log)
	}
	of := deploymentsIn(t, dir)
	for plugin, want := range map[string]int{"host": 3, "flannel-vxlan": 3, "faulty-once": 1} {
		if len(of[plugin]) != want {
			t.Errorf("%s has %d deployments, want %d", plugin, len(of[plugin]), want)
		}
		for number, d := range of[plugin] {
			if d.setups != 1 || len(d.rounds) != 2 || !d.rounds[2*number] || !d.rounds[2*number+1] {
				t.Errorf("%s in deployment %d: %+v", plugin, number, d)
			}
		}
	}
	r := loadReport(t, dir)
	if c := cellOf(t, r, "faulty-once", "none"); c.Status != results.StatusBroke || c.BrokeRound != 3 || !strings.Contains(c.Cause.String(), "it did not come up in deployment 2: the second time never works") {
		t.Errorf("%s in round %d: %s", c.Status, c.BrokeRound, c.Cause)
	}
	if m := cellOf(t, r, "flannel-vxlan", "none").Metric("tcp-rr", "p50"); m == nil || m.N != 6 || !r.Run.Complete || r.Run.Rounds != 6 {
		t.Errorf("%+v, %+v", r.Run, m)
	}
	if len(r.Setup) != 3 || len(r.Encapsulation) != 3 {
		t.Errorf("set-up is told %d times, the wire %d times", len(r.Setup), len(r.Encapsulation))
	}
}

// TestLogsOfDeployments checks that each deployment has agents and logs of its own.
func TestLogsOfDeployments(t *testing.T) {
	needs(t, "flannel-vxlan")
	dir := filepath.Join(t.TempDir(), "run")
	if code, _, log := runProgram(t, "run", "--out", dir, "--plugins", "flannel-vxlan", "--redeploy", "2", "--rounds", "2", "--probes", "tcp-rr", "--wire", "none", "--duration", "100ms"); code != exitDone {
		t.Fatalf("exit %d: %s", code, log)
	}
	for name, address := range map[string]string{"flannel-vxlan-l2": "100.64.0.11", "flannel-vxlan-l2-2": "100.64.0.13"} {
		text, err := os.ReadFile(filepath.Join(dir, results.LogDir, name, "node1-flanneld.log"))
		if err != nil {
			t.Fatal(err)
		}
		if started := strings.Count(string(text), "Using interface with name"); started != 1 || !strings.Contains(string(text), address) {
			t.Errorf("%s: flanneld started %d times, not once on %s:\n%s", name, started, address, text)
		}
	}
}

// TestDryRunSaysDeployments checks how a plan divides the rounds.
func TestDryRunSaysDeployments(t *testing.T) {
	for _, c := range []struct {
		name string
		args []string
		says string // "" for nothing on deployments
	}{
		{"one deployment", []string{"--rounds", "30"}, ""},
		{"even", []string{"--rounds", "30", "--redeploy", "6"}, "6 deployments of 5 rounds: "},
		{"uneven", []string{"--rounds", "14", "--redeploy", "4"}, "4 deployments of 3 or 4 rounds: "},
		{"the most rounds", []string{"--max-rounds", "30", "--redeploy", "6"}, "6 deployments of 5 rounds: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, log := runProgram(t, append([]string{"run", "--plugins", "flannel-vxlan", "--dry-run"}, c.args...)...)
			if code != exitDone || c.says == "" && strings.Contains(out, "deployments of") || !strings.Contains(out, "\n"+c.says) {
				t.Errorf("exit %d, %s: no %q in\n%s", code, log, c.says, out)
			}
			if !strings.Contains(out, "\nat the start and at the end: mtu\n") {
				t.Errorf("no word on what does not vary:\n%s", out)
			}
		})
	}
}
