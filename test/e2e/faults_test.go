package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/results"
)

// faults breaks the cluster in the middle of runs.
func faults(t *testing.T, k *kube) {
	t.Run("a pod deleted in mid-sample", func(t *testing.T) { podDeleted(t, k) })
	long(t, "a pod evicted in mid-sample", func(t *testing.T) { podEvicted(t, k) })
	t.Run("no API server for ten seconds", func(t *testing.T) { noServer(t, k) })
	long(t, "a quota forbids pods", func(t *testing.T) { quota(t, k) })
	t.Run("Pod Security forbids the baseline", func(t *testing.T) { noHostPods(t, k) })
	long(t, "a namespace stuck in deletion", func(t *testing.T) { stuck(t, k) })
	t.Run("a node killed in mid-sample", func(t *testing.T) { nodeKilled(t, k) })
}

// broken returns the errors of a run's samples, and how many samples succeeded after the last one
// that failed.
func broken(t *testing.T, dir string) (errs []string, after int) {
	t.Helper()
	recorded, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recorded.Records {
		if r.Sample == nil {
			continue
		}
		if after++; !r.Sample.Error.Empty() {
			errs, after = append(errs, r.Sample.Error.String()), 0
		}
	}
	return errs, after
}

// restored returns what a run reports about workers that were restarted.
func restored(t *testing.T, dir string) []string {
	t.Helper()
	recorded, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, r := range recorded.Records {
		if r.Event != nil && r.Event.Name == results.EventRestored {
			texts = append(texts, r.Event.Text.String())
		}
	}
	return texts
}

// goesOn checks a run that lost something for a while.
func goesOn(t *testing.T, k *kube, dir string, code int, cause string) {
	t.Helper()
	errs, after := broken(t, dir)
	texts := restored(t, dir)
	said := func(text string) bool { return strings.Contains(text, cause) }
	if code != 0 || after == 0 || !slices.ContainsFunc(append(errs, texts...), said) {
		t.Errorf("exit %d; failed: %q; restored: %q; %d samples after", code, errs, texts, after)
	}
	r := loadReport(t, dir)
	for _, c := range r.Cells {
		if c.Status != results.StatusOK {
			t.Errorf("%s: %s %s", c.Plugin, c.Status, c.Cause)
		}
	}
	if !r.Run.Complete {
		t.Error("the run is not complete")
	}
	k.nothingLeft(t)
}

// ours returns the namespace of the run in progress.
func (k *kube) ours(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(strings.TrimPrefix(k.kubectl(t, "get", "namespaces", "-l", "app.kubernetes.io/managed-by=cnibench", "-o", "name"), "namespace/"))
}

func podDeleted(t *testing.T, k *kube) {
	dir := filepath.Join(t.TempDir(), "run")
	_, wait := midRun(t, k, dir, "--rounds", "12", "--probes", "tcp-rr")
	k.kubectl(t, "-n", k.ours(t), "delete", "pod", "pod-2", "--force", "--grace-period=0")
	goesOn(t, k, dir, wait(), "its pod, which was deleted, made again")
}

func podEvicted(t *testing.T, k *kube) {
	dir := filepath.Join(t.TempDir(), "run")
	_, wait := midRun(t, k, dir, "--rounds", "12", "--probes", "tcp-rr")
	eviction := filepath.Join(k.dir, "eviction.json")
	text := fmt.Sprintf(`{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"host-1","namespace":%q}}`, k.ours(t))
	if err := os.WriteFile(eviction, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	k.kubectl(t, "create", "--raw", "/api/v1/namespaces/"+k.ours(t)+"/pods/host-1/eviction", "-f", eviction)
	goesOn(t, k, dir, wait(), "the pod host-1 on k8s-n1")
}

// pid returns a process ID of the cluster, as seen in its own PID namespace.
func (k *kube) pid(t *testing.T, file, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(k.dir, file))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if pid, of, _ := strings.Cut(strings.TrimSpace(line), " "); of == name {
			return pid
		}
	}
	t.Fatalf("%s names no %s", file, name)
	return ""
}

func (k *kube) kill(t *testing.T, signal, pid string) {
	t.Helper()
	if out, err := k.command(t.Context(), "kill", signal, pid).CombinedOutput(); err != nil {
		t.Fatalf("kill %s %s: %v: %s", signal, pid, err, out)
	}
}

func noServer(t *testing.T, k *kube) {
	dir := filepath.Join(t.TempDir(), "run")
	_, wait := midRun(t, k, dir, "--rounds", "20", "--probes", "tcp-rr") // its samples wait for at most two seconds
	server := k.pid(t, "cp.pids", "apiserver")
	k.kill(t, "-STOP", server)
	time.Sleep(10 * time.Second)
	k.kill(t, "-CONT", server)
	goesOn(t, k, dir, wait(), "no answer")
}

func quota(t *testing.T, k *kube) {
	k.kubectl(t, "create", "namespace", "theirs")
	defer k.kubectl(t, "delete", "namespace", "theirs")
	k.kubectl(t, "-n", "theirs", "create", "quota", "few", "--hard=pods=1")
	dir := filepath.Join(t.TempDir(), "run")
	if code, _, log := k.run(t, dir, "-n", "theirs"); code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	for _, c := range loadReport(t, dir).Cells {
		if c.Status != results.StatusFailed || !strings.Contains(c.Cause.String(), "exceeded quota: few") {
			t.Errorf("%s: %s %s", c.Plugin, c.Status, c.Cause)
		}
	}
	k.nothingLeft(t)
}

func noHostPods(t *testing.T, k *kube) {
	k.kubectl(t, "create", "namespace", "strict")
	defer k.kubectl(t, "delete", "namespace", "strict")
	k.kubectl(t, "label", "namespace", "strict", "pod-security.kubernetes.io/enforce=restricted")
	dir := filepath.Join(t.TempDir(), "run")
	if code, _, log := k.run(t, dir, "--namespace", "strict"); code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	r := loadReport(t, dir)
	for _, c := range r.Cells {
		want, cause := results.StatusOK, ""
		if c.Plugin == results.HostPlugin {
			want, cause = results.StatusUnsupported, "hostNetwork"
		}
		if c.Status != want || !strings.Contains(c.Cause.String(), cause) {
			t.Errorf("%s: %s %s", c.Plugin, c.Status, c.Cause)
		}
	}
	if len(r.Encapsulation) > 0 {
		t.Errorf("packets could not be captured, but %+v", r.Encapsulation)
	}
	k.nothingLeft(t)
}

func stuck(t *testing.T, k *kube) {
	k.kubectl(t, "create", "namespace", "cnibench-earlier")
	k.kubectl(t, "label", "namespace", "cnibench-earlier", "app.kubernetes.io/managed-by=cnibench")
	k.kubectl(t, "-n", "cnibench-earlier", "create", "configmap", "held")
	k.kubectl(t, "-n", "cnibench-earlier", "patch", "configmap", "held", "-p", `{"metadata":{"finalizers":["example.com/held"]}}`)
	k.kubectl(t, "delete", "namespace", "cnibench-earlier", "--wait=false")
	dir := filepath.Join(t.TempDir(), "run")
	code, _, log := k.run(t, dir)
	if code != 0 || !strings.Contains(log, "this run goes on beside it") || !strings.Contains(log, "example.com/held") {
		t.Errorf("exit %d: %s", code, log)
	}
	for _, c := range loadReport(t, dir).Cells {
		if c.Status != results.StatusOK {
			t.Errorf("%s: %s %s", c.Plugin, c.Status, c.Cause)
		}
	}
	code, _, log = k.cnibench(t, "clean", "--kubeconfig", k.config())
	if code != 1 || !strings.Contains(log, "cnibench-earlier is being deleted and is held") || !strings.Contains(log, "example.com/held") {
		t.Errorf("clean: exit %d: %s", code, log)
	}
	k.kubectl(t, "-n", "cnibench-earlier", "patch", "configmap", "held", "-p", `{"metadata":{"finalizers":null}}`)
	k.kubectl(t, "wait", "--for=delete", "namespace/cnibench-earlier", "--timeout=50s")
	k.nothingLeft(t)
}

func nodeKilled(t *testing.T, k *kube) {
	dir := filepath.Join(t.TempDir(), "run")
	_, wait := midRun(t, k, dir, "--rounds", "12", "--probes", "tcp-rr")
	recorded(t, dir, results.EventBlockEnd) // by then, each network has worked
	text, err := os.ReadFile(filepath.Join(k.dir, "node2.pid"))
	if err != nil {
		t.Fatal(err)
	}
	k.kill(t, "-KILL", strings.TrimSpace(string(text)))
	code := wait()
	r := loadReport(t, dir)
	for _, c := range r.Cells {
		want, cause := results.StatusBroke, []string{"on k8s-n2 was lost", "not back within"}
		if c.Topology == results.SameNode { // on the other node, which keeps working
			want, cause = results.StatusOK, []string{"", ""}
		}
		if c.Status != want || !strings.Contains(c.Cause.String(), cause[0]) || !strings.Contains(c.Cause.String(), cause[1]) {
			t.Errorf("%s on %s: %s %s", c.Plugin, c.Topology, c.Status, c.Cause)
		}
	}
	if code != 0 || len(r.Cells) != 4 {
		t.Errorf("exit %d, %d cells", code, len(r.Cells))
	}
	k.nothingLeft(t)
}
