package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
)

// serviceProbe measures the path through a Service, and then on a cluster in which nothing
// implements Services.
func serviceProbe(t *testing.T, k *kube) {
	dir := filepath.Join(t.TempDir(), "run")
	code, _, log := k.run(t, dir, "--probes", "service,tcp-rr", "--duration", "400ms")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	values := map[string]float64{}
	for _, c := range loadReport(t, dir).Cells {
		for _, m := range c.Metrics {
			if m.Probe == "service" && m.N == 6 {
				values[m.Name] = m.Median
			}
		}
	}
	for _, name := range []string{"rate", "pod-rate", "goodput", "pod-goodput"} {
		if values[name] <= 0 {
			t.Errorf("%s: %v", name, values)
		}
	}
	t.Logf("through the Service and directly: %v", values)
	k.nothingLeft(t)
}

// noProxy measures on a cluster in which nothing implements Services.
func noProxy(t *testing.T, k *kube) {
	for _, node := range []string{"n1", "n2"} {
		k.killInner(t, "-STOP", node, "kube-proxy")
		defer k.killInner(t, "-CONT", node, "kube-proxy")
	}
	dir := filepath.Join(t.TempDir(), "run")
	code, out, log := k.run(t, dir, "--probes", "service,tcp-rr")
	if code != 0 || !strings.Contains(out, "no connection passed the Service") {
		t.Errorf("exit %d: %s\n%s", code, out, log)
	}
	for _, c := range loadReport(t, dir).Cells {
		if c.Status != results.StatusOK {
			t.Errorf("%s: %s %s", c.Plugin, c.Status, c.Cause)
		}
	}
	k.nothingLeft(t)
}

// killInner sends a signal to a process of a node, by its ID in the node's own PID namespace.
func (k *kube) killInner(t *testing.T, signal, node, name string) {
	t.Helper()
	top, err := os.ReadFile(filepath.Join(k.dir, "node"+strings.TrimPrefix(node, "n")+".pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid := k.pid(t, filepath.Join(node, "inner-pids"), name)
	inside := "--pid=/proc/" + strings.TrimSpace(string(top)) + "/ns/pid_for_children"
	if out, err := k.command(t.Context(), "nsenter", inside, "kill", signal, pid).CombinedOutput(); err != nil {
		t.Fatalf("kill %s %s on %s: %v: %s", signal, name, node, err, out)
	}
}
