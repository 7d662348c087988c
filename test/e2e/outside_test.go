package e2e

import (
	"bufio"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/outside"
)

// outsideHost makes the control plane's machine take part, which is not a node and has routes to
// pods' addresses.
func outsideHost(t *testing.T, k *kube) {
	host := k.command(t.Context(), k.program, "outside", "--address", "10.89.0.1", "--for", "2m")
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n') // meant to be read by a shell
	if err != nil {
		t.Fatal(err)
	}
	child := childOf(t, host.Process.Pid)
	ticket, ok := strings.CutPrefix(strings.TrimSpace(line), "export "+outside.Env+"=")
	if !ok {
		t.Fatalf("it printed %q", line)
	}
	file := filepath.Join(t.TempDir(), "ticket")
	if err := os.WriteFile(file, []byte(ticket), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	code, _, log := k.run(t, dir, "--probes", "tcp-rr,reach,adjacency", "--outside", "@"+file)
	syscall.Kill(child, syscall.SIGINT)
	host.Wait()
	if code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	r := loadReport(t, dir)
	seen := map[string]bool{}
	for _, a := range r.Reachability {
		if !a.Reachable || a.Source != results.SourceKept {
			t.Errorf("%s of %s: %+v", a.Direction, a.Plugin, a)
		}
		if a.Plugin != results.HostPlugin {
			seen[a.Direction] = true
		}
	}
	if !seen[results.OutsideToPod] || !seen[results.PodToOutside] || !seen[results.PodToPod] {
		t.Errorf("saw %v; %v", seen, r.Warnings)
	}
	if len(r.Adjacency) != 4 { // two nodes, both directions, from pods of the baseline and of the plugin
		t.Errorf("adjacency: %+v", r.Adjacency)
	}
	for _, a := range r.Adjacency {
		if !a.Neighbour || !a.Forwards {
			t.Errorf("adjacency: %+v", a)
		}
	}
	token := strings.Split(ticket, ",")[1]
	filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			if text, err := os.ReadFile(path); err != nil || strings.Contains(string(text), token) {
				t.Errorf("%s holds the token: %v", path, err)
			}
		}
		return err
	})
	dir = filepath.Join(t.TempDir(), "run")
	code, text, log := k.run(t, dir, "--probes", "tcp-rr,reach")
	if code != 0 || !strings.Contains(text, "no host outside the cluster was named (--outside)") {
		t.Errorf("without a host outside: exit %d: %s\n%s", code, log, text)
	}
	k.nothingLeft(t)
}

// asPlugin calls the program through kubectl, which passes KUBECONFIG on, as a user with only the
// documented role in one namespace.
func asPlugin(t *testing.T, k *kube) {
	plugins := t.TempDir()
	if err := os.Symlink(k.program, filepath.Join(plugins, "kubectl-cnibench")); err != nil {
		t.Fatal(err)
	}
	kubectl := func(args ...string) (string, error) {
		cmd := k.command(t.Context(), append([]string{"env", "PATH=" + plugins + ":" + os.Getenv("PATH"), "KUBECONFIG=" + k.somebody(t), k.binary, "kubectl", "cnibench"}, args...)...)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if help, err := kubectl("run", "--help"); err != nil || !strings.Contains(help, "kubectl cnibench run") {
		t.Errorf("help: %v: %s", err, help)
	}
	k.kubectl(t, "create", "namespace", "mine")
	defer k.kubectl(t, "delete", "namespace", "mine")
	role, err := filepath.Abs("../../manifests/cluster/role-in-namespace.yaml")
	if err != nil {
		t.Fatal(err)
	}
	k.kubectl(t, "apply", "-f", role)
	k.kubectl(t, "-n", "mine", "create", "rolebinding", "cnibench", "--clusterrole", "cnibench-in-namespace", "--user", "somebody")
	k.kubectl(t, "create", "clusterrole", "cnibench-nodes", "--verb", "list", "--resource", "nodes")
	k.kubectl(t, "create", "clusterrolebinding", "cnibench-nodes", "--clusterrole", "cnibench-nodes", "--user", "somebody")
	defer k.kubectl(t, "delete", "clusterrolebinding/cnibench-nodes", "clusterrole/cnibench-nodes", "clusterrole/cnibench-in-namespace")
	dir := filepath.Join(t.TempDir(), "run")
	if out, err := kubectl("run", "-n", "mine", "--rounds", "6", "--duration", "200ms", "--out", dir); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, c := range loadReport(t, dir).Cells {
		if c.Status != results.StatusOK {
			t.Errorf("%s: %s %s", c.Plugin, c.Status, c.Cause)
		}
	}
	if pods := k.kubectl(t, "-n", "mine", "get", "pods", "-o", "name"); strings.Contains(pods, "pod/") {
		t.Errorf("left: %s", pods)
	}
	k.nothingLeft(t)
}
