package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
)

// keptRun is a run of real agents from the report's test data.
const keptRun = "../../report/testdata/run"

// TestAdviseAsks answers the questions as a user would.
func TestAdviseAsks(t *testing.T) {
	for _, c := range []struct {
		name, answers string
		says          []string
	}{
		{"no answers at all", "", []string{"On l2 run calico-bgp", "kube_network_plugin: calico"}},
		{"a network of one's own with l2", "none\nyes\n", []string{"On l2 run calico-bgp"}},
		{"no l2", "none\nno\n", []string{"On l2 run flannel-vxlan", "see the advice for routed"}},
		{"policy, which this run did not measure", "none\nyes\nyes\n", []string{"nothing that was measured fits", "network_policy excludes"}},
		{"networks", "none\nyes\nno\nno\nno\nno\nno\n10\n20\n192.168.0.0/24\n10.0.0.0/16\n", []string{"kube_pods_subnet: 10.0.0.0/16"}},
		{"a second try", "non\nnone\nyes\n", []string{"On l2 run calico-bgp"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newTestProgram()
			p.stdin = strings.NewReader(c.answers)
			if code := p.run(t.Context(), []string{"advise", keptRun}); code != exitDone {
				t.Fatalf("exit %d: %s", code, p.log)
			}
			for _, says := range c.says {
				if !strings.Contains(p.out.String(), says) {
					t.Errorf("%q is not in\n%s", says, p.out)
				}
			}
		})
	}
}

// TestAdviseRefusesNonsense checks that questions are repeated, but not forever.
func TestAdviseRefusesNonsense(t *testing.T) {
	p := newTestProgram()
	p.stdin = strings.NewReader("mars\nvenus\npluto\n")
	if code := p.run(t.Context(), []string{"advise", keptRun}); code != exitUsage || !strings.Contains(p.log.String(), "three invalid answers in a row") {
		t.Errorf("exit %d: %s", code, p.log)
	}
}

// TestAskKeepsWhatIsKnown checks that empty answers keep the needs that the run was made for.
func TestAskKeepsWhatIsKnown(t *testing.T) {
	known := results.Needs{Cloud: "aws", NetworkPolicy: true, Nodes: 7}
	var out strings.Builder
	got, err := ask(strings.NewReader("\n\nno\n"), &out, known)
	if err != nil || got.Cloud != "aws" || got.NetworkPolicy || got.Nodes != 7 {
		t.Errorf("%+v, %v", got, err)
	}
	if !strings.Contains(out.String(), "[aws]") {
		t.Errorf("the questions do not show what is known: %s", &out)
	}
}

// TestAdviseFromAFile reads a file of needs and a spec file.
func TestAdviseFromAFile(t *testing.T) {
	for name, text := range map[string]string{"needs": "l2: no\n", "a spec": "plugins: [calico]\nneeds:\n  l2: no\n"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "needs.yaml")
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			code, out, log := runProgram(t, "advise", keptRun, "-f", file)
			if code != exitDone || !strings.Contains(out, "On l2 run flannel-vxlan") {
				t.Errorf("exit %d: %s%s", code, out, log)
			}
		})
	}
}

// TestAdviseOnTheLatestRun checks that the latest run below the working directory is found.
func TestAdviseOnTheLatestRun(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"20260101T000000Z-aaaaaa", "20260201T000000Z-bbbbbb"} {
		run := filepath.Join(dir, "results", "runs", name)
		if err := os.MkdirAll(run, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(run, results.RunFile), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	if got, err := runToAdviseOn(nil); err != nil || filepath.Base(got) != "20260201T000000Z-bbbbbb" {
		t.Errorf("%s, %v", got, err)
	}
}
