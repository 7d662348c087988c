package e2e

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/words"
)

// TestCluster measures a real cluster and breaks it in several ways.
func TestCluster(t *testing.T) {
	k := up(t)
	t.Run("a newcomer's way", func(t *testing.T) { newcomer(t, k) })
	t.Run("measures", func(t *testing.T) { measures(t, k) })
	long(t, "an image that cannot be pulled", func(t *testing.T) { noImage(t, k) })
	t.Run("no permission to exec", func(t *testing.T) { noPermission(t, k) })
	long(t, "one node only", func(t *testing.T) { oneNode(t, k) })
	t.Run("interrupted", func(t *testing.T) { interrupted(t, k) })
	t.Run("a way back that is cut", func(t *testing.T) { noWayBack(t, k) })
	t.Run("resumed", func(t *testing.T) { resumed(t, k) })
	t.Run("accepted", func(t *testing.T) { accepted(t, k) })
	t.Run("two clusters", func(t *testing.T) { twoClusters(t, k) })
	long(t, "both ways", func(t *testing.T) { bothWays(t, k) })
	t.Run("another plugin than annotated", func(t *testing.T) { contradicted(t, k) })
	t.Run("without a plugin", func(t *testing.T) { withoutPluginYet(t, k) })
	t.Run("killed, then cleaned", func(t *testing.T) { killed(t, k) })
	t.Run("a quota that demands limits", func(t *testing.T) { demandingQuota(t, k) })
	t.Run("a CPU that is limited", func(t *testing.T) { limitedCPU(t, k) })
	long(t, "a node without an address left", func(t *testing.T) { noAddressLeft(t, k) })
	t.Run("policies that nobody enforces", func(t *testing.T) { noPolicies(t, k) })
	t.Run("policies that are enforced between nodes", func(t *testing.T) { policiesBetweenNodes(t, k) })
	t.Run("killed while a policy stands", func(t *testing.T) { killedWithPolicy(t, k) })
	paths(t, k)
	long(t, "Services that nobody carries", func(t *testing.T) { noProxy(t, k) })
	t.Run("a host outside", func(t *testing.T) { outsideHost(t, k) })
	t.Run("as kubectl's plugin", func(t *testing.T) { asPlugin(t, k) })
	t.Run("in a pod, with the documented role", func(t *testing.T) { inPod(t, k) })
	t.Run("no API server at the end", func(t *testing.T) { lostAtEnd(t, k) })
	t.Run("all nodes", func(t *testing.T) { allNodes(t, k) })
	faults(t, k) // the last: a node does not come back
}

// long runs a test that repeats with another cause what others show, or that
// smaller tests show too: make test leaves it to make test-long.
func long(t *testing.T, name string, test func(t *testing.T)) {
	t.Run(name, func(t *testing.T) {
		if testing.Short() {
			t.Skip("part of make test-long")
		}
		test(t)
	})
}

// run measures for a short time.
func (k *kube) run(t *testing.T, dir string, more ...string) (code int, out, log string) {
	return k.cnibench(t, append([]string{"run", "--kubeconfig", k.config(), "--rounds", "6", "--duration", "200ms", "--out", dir}, withProbes(more)...)...)
}

// withProbes adds the standard suite without policies to flags that name no probes:
// where nothing enforces them, it takes 40 s to be sure.
func withProbes(flags []string) []string {
	if slices.Contains(flags, "--probes") {
		return flags
	}
	suite := slices.DeleteFunc(scenarios.ClusterSuite(2), func(p string) bool { return p == "policy" })
	return append([]string{"--probes", strings.Join(suite, ",")}, flags...)
}

// nothingLeft looks for what a run should have removed.
func (k *kube) nothingLeft(t *testing.T) {
	t.Helper()
	if left := k.kubectl(t, "get", "namespaces,pods,jobs,services,networkpolicies", "-A", "-l", "app.kubernetes.io/managed-by=cnibench", "-o", "name"); left != "" {
		t.Errorf("left in the cluster: %s", left)
	}
}

func loadReport(t *testing.T, dir string) *model.Report {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, results.ReportJSON))
	if err != nil {
		t.Fatal(err)
	}
	var r model.Report
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

func measures(t *testing.T, k *kube) {
	dir := filepath.Join(t.TempDir(), "run")
	started := time.Now()
	code, out, log := k.run(t, dir, "--probes", strings.Join(scenarios.ClusterSuite(2), ","))
	if code != 0 || !strings.Contains(out, "tcp-stream") {
		t.Fatalf("exit %d: %s\n%s", code, log, out)
	}
	t.Logf("from run to the first sample: %s", firstSample(t, dir).Sub(started).Round(100*time.Millisecond))
	r := loadReport(t, dir)
	if !r.Run.Complete || len(r.Cells) != 4 {
		t.Errorf("complete: %v, %d cells", r.Run.Complete, len(r.Cells))
	}
	for _, c := range r.Cells {
		if c.Status != results.StatusOK || c.Fidelity != "cluster" || c.PodMTU != 1500 {
			t.Errorf("%s: %s %s, fidelity %s, MTU %d", c.Plugin, c.Status, c.Cause, c.Fidelity, c.PodMTU)
		}
	}
	if said := words.Clauses(r.Warnings...).String(); !strings.Contains(said, "detected: annotations of the nodes say nothing of a known plugin") {
		t.Errorf("of the plugin, which the catalogue lacks, it says %q", said)
	}
	if len(r.Encapsulation) != 2 {
		t.Errorf("looked at %d wires", len(r.Encapsulation))
	}
	for _, e := range r.Encapsulation {
		if !e.Agrees || e.Effective != "none" || e.Frames != e.Sent {
			t.Errorf("the wire of %s: %+v", e.Plugin, e)
		}
	}
	k.nothingLeft(t)
	k.noSecrets(t, dir)
}

// contradicted measures a cluster whose nodes have annotations of a plugin that does
// not connect their pods.
func contradicted(t *testing.T, k *kube) {
	const key = "projectcalico.org/IPv4Address"
	k.kubectl(t, "annotate", "nodes", "--all", key+"=192.0.2.1/24")
	defer k.kubectl(t, "annotate", "nodes", "--all", key+"-")
	dir := filepath.Join(t.TempDir(), "run")
	code, out, log := k.run(t, dir, "--rounds", "2", "--probes", "encap,tcp-rr")
	if code != 0 || !strings.Contains(log, "the cluster's plugin: calico-bgp") {
		t.Fatalf("exit %d: %s\n%s", code, log, out)
	}
	r := loadReport(t, dir)
	found := map[string]bool{}
	for _, f := range r.Findings {
		found[f.Name] = true
	}
	if !found[results.FindingContradicted] || !found[results.FindingOtherNIC] {
		t.Errorf("findings %v", r.Findings)
	}
	for _, e := range r.Encapsulation {
		if e.Plugin == "calico-bgp" && e.Configured != "unknown" {
			t.Errorf("the wire is expected to be %s", e.Configured)
		}
	}
	for _, a := range r.Recommendation {
		if a.Plugin != "" {
			t.Errorf("%s is recommended", a.Plugin)
		}
	}
	k.nothingLeft(t)
}

// noSecrets looks for what the credentials hold in everything that a run keeps.
func (k *kube) noSecrets(t *testing.T, dir string) {
	t.Helper()
	var secrets []string
	for _, file := range []string{"admin.key", "admin.crt", "ca.crt"} {
		text, err := os.ReadFile(filepath.Join(k.dir, "pki", file))
		if err != nil {
			t.Fatal(err)
		}
		secrets = append(secrets, strings.Split(string(text), "\n")[1])
	}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		for _, secret := range append(secrets, "client-key", "Bearer") {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s holds %q", path, secret)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func noImage(t *testing.T, k *kube) {
	dir := filepath.Join(t.TempDir(), "run")
	code, _, log := k.run(t, dir, "--image", "cnibench.local/none:1")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	for _, c := range loadReport(t, dir).Cells {
		if c.Status != results.StatusFailed || !strings.Contains(c.Cause.String(), "; the cluster reports: event Failed") {
			t.Errorf("%s: %s %s", c.Plugin, c.Status, c.Cause)
		}
	}
	k.nothingLeft(t)
}

// somebody returns the credentials of a user without permissions.
func (k *kube) somebody(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(k.config())
	if err != nil {
		t.Fatal(err)
	}
	somebody := filepath.Join(k.dir, "somebody.kubeconfig")
	if err := os.WriteFile(somebody, []byte(strings.Replace(string(text), "user: {client", "user: {as: somebody, client", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	return somebody
}

func noPermission(t *testing.T, k *kube) {
	code, out, log := k.cnibench(t, "run", "--kubeconfig", k.somebody(t), "--out", filepath.Join(t.TempDir(), "run"))
	if code != 2 || out != "" || strings.Count(log, "\n") != 1 || !strings.Contains(log, "get pods/exec, create pods/exec") || !strings.Contains(log, "list nodes") {
		t.Errorf("exit %d, %q, %q", code, out, log)
	}
	k.nothingLeft(t)
}

func oneNode(t *testing.T, k *kube) {
	k.kubectl(t, "cordon", "k8s-n2")
	defer k.kubectl(t, "uncordon", "k8s-n2")
	dir := filepath.Join(t.TempDir(), "run")
	if code, _, log := k.run(t, dir); code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	for _, c := range loadReport(t, dir).Cells {
		if c.Status != results.StatusFailed || !strings.Contains(c.Cause.String(), "k8s-n2: cordoned") {
			t.Errorf("%s: %s %s", c.Plugin, c.Status, c.Cause)
		}
	}
	k.nothingLeft(t)
}

// midRun starts a run and returns once it measures.
func midRun(t *testing.T, k *kube, dir string, more ...string) (signal func(syscall.Signal), wait func() int) {
	t.Helper()
	signal, wait = started(t, k, dir, more...)
	recorded(t, dir, `"sample"`)
	return signal, wait
}

// started starts a run.
func started(t *testing.T, k *kube, dir string, more ...string) (signal func(syscall.Signal), wait func() int) {
	t.Helper()
	cmd := k.command(t.Context(), append([]string{k.program, "run", "--kubeconfig", k.config(), "--rounds", "500", "--duration", "200ms", "--out", dir}, withProbes(more)...)...)
	log, err := os.Create(dir + ".log") // what it says
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = log
	t.Cleanup(func() {
		log.Close()
		if text, _ := os.ReadFile(log.Name()); t.Failed() {
			t.Logf("the run said: %s", text)
		}
	})
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func(s syscall.Signal) {
			// nsenter and ip become the program, in a process of the cluster's own.
			syscall.Kill(childOf(t, cmd.Process.Pid), s)
		}, func() int {
			cmd.Wait()
			return cmd.ProcessState.ExitCode()
		}
}

// recorded waits until the journal of a run under way holds a text.
func recorded(t *testing.T, dir, what string) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		if text, err := os.ReadFile(filepath.Join(dir, results.JournalFile)); err == nil && strings.Contains(string(text), what) {
			return
		}
		if time.Since(begin) > time.Minute {
			t.Fatalf("no %s in the journal within a minute", what)
		}
	}
}

func interrupted(t *testing.T, k *kube) {
	dir := filepath.Join(t.TempDir(), "run")
	signal, wait := midRun(t, k, dir)
	signal(syscall.SIGINT)
	if code := wait(); code != 130 {
		t.Errorf("exit %d", code)
	}
	k.nothingLeft(t)
}

// noWayBack cuts what the server's node sends to the client's pods: their network
// does not work, and the nodes' own does.
func noWayBack(t *testing.T, k *kube) {
	cidr := k.kubectl(t, "get", "node", "k8s-n1", "-o", "jsonpath={.spec.podCIDR}")
	rule := []string{"ip", "-n", "k8s-n2", "rule", "add", "to", cidr, "blackhole"}
	if out, err := k.inside(t.Context(), rule...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	defer func() {
		rule[4] = "del"
		if out, err := k.inside(context.Background(), rule...).CombinedOutput(); err != nil {
			t.Errorf("%v: %s", err, out)
		}
	}()
	dir := filepath.Join(t.TempDir(), "run")
	if code, _, log := k.run(t, dir, "--probes", "tcp-rr"); code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	for _, c := range loadReport(t, dir).Cells {
		cut := c.Plugin != results.HostPlugin && c.Topology.Name != results.SameNode
		if cut && (c.Status != results.StatusFailed || !strings.Contains(c.Cause.String(), "on k8s-n2 reached")) || !cut && c.Status != results.StatusOK {
			t.Errorf("%s on %s: %s %s", c.Plugin, c.Topology, c.Status, c.Cause)
		}
	}
	k.nothingLeft(t)
}

// resumed interrupts a run after its first block and goes on with it on the same
// cluster.
func resumed(t *testing.T, k *kube) {
	dir := filepath.Join(t.TempDir(), "run")
	const rounds = 8
	signal, wait := midRun(t, k, dir, "--rounds", "8", "--probes", "tcp-rr")
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if text, err := os.ReadFile(filepath.Join(dir, results.JournalFile)); err == nil && strings.Contains(string(text), `"block-end"`) {
			break
		}
		if time.Since(begin) > time.Minute {
			t.Fatal("no block within a minute")
		}
	}
	signal(syscall.SIGINT)
	if code := wait(); code != 130 {
		t.Fatalf("exit %d", code)
	}
	if log, err := os.ReadFile(dir + ".log"); err != nil || !strings.Contains(string(log), "to resume: cnibench run --resume "+dir) {
		t.Errorf("it said %s, %v", log, err)
	}
	code, _, log := k.cnibench(t, "run", "--resume", dir)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	recorded, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(recorded.Run.Clusters) != 1 || recorded.Run.Clusters[0].UID == "" || len(recorded.Run.Clusters[0].Nodes) != 2 || recorded.Run.Host.Privilege != "cluster" {
		t.Errorf("the record says of the cluster: %+v, %+v", recorded.Run.Clusters, recorded.Run.Host)
	}
	r := loadReport(t, dir)
	if !r.Run.Complete || len(r.Cells) != 4 {
		t.Errorf("complete: %v, %d cells", r.Run.Complete, len(r.Cells))
	}
	for _, c := range r.Cells {
		if c.Status != results.StatusOK || c.Fidelity != "cluster" || len(c.Metrics) == 0 || c.Metrics[0].N != rounds {
			t.Errorf("%s: %s %s, fidelity %s, %+v", c.Plugin, c.Status, c.Cause, c.Fidelity, c.Metrics)
		}
	}
	k.nothingLeft(t)
	k.noSecrets(t, dir)
}

// accepted makes the run that a spec asks for on the cluster, and judges it.
func accepted(t *testing.T, k *kube) {
	spec := filepath.Join(k.dir, "accept.yaml")
	text := `run: {testbed: cluster, kubeconfig: ` + k.config() + `, probes: [tcp-rr], rounds: 6, duration: 0.2}
thresholds:
- {metric: tcp-rr p50, at_most: 1 s}
- {setup: network_ready_ms, at_most: 60 s}
`
	if err := os.WriteFile(spec, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	if code, out, log := k.cnibench(t, "accept", "-f", spec, "--out", dir); code != 0 || !strings.Contains(out, "PASS") {
		t.Fatalf("exit %d: %s\n%s", code, log, out)
	}
	for _, c := range loadReport(t, dir).Cells {
		if c.Status != results.StatusOK || c.Fidelity != "cluster" {
			t.Errorf("%s: %s %s, fidelity %s", c.Plugin, c.Status, c.Cause, c.Fidelity)
		}
	}
	k.nothingLeft(t)
}

func killed(t *testing.T, k *kube) {
	signal, wait := midRun(t, k, filepath.Join(t.TempDir(), "run"))
	signal(syscall.SIGKILL)
	wait()
	k.kubectl(t, "-n", k.ours(t), "patch", "job", "owner", "-p", `{"spec":{"activeDeadlineSeconds":1}}`) // the run's life is over
	for begin := time.Now(); k.kubectl(t, "-n", k.ours(t), "get", "pods", "-o", "name") != ""; time.Sleep(200 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal("pods are left a minute after their owner's deadline")
		}
	}
	left := k.kubectl(t, "get", "namespaces", "-l", "app.kubernetes.io/managed-by=cnibench", "-o", "name")
	code, out, log := k.cnibench(t, "clean", "--kubeconfig", k.config())
	if code != 0 || left == "" || strings.TrimSpace(out) != "namespace "+strings.TrimPrefix(strings.TrimSpace(left), "namespace/") {
		t.Errorf("left %q, cleaned %q, exit %d: %s", left, out, code, log)
	}
	k.nothingLeft(t)
}
