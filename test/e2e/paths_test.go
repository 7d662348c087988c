package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
)

const (
	coredns    = "../../bin/coredns"
	corednsTag = "cnibench.local/coredns:e2e"
)

// paths measures the paths that applications use.
func paths(t *testing.T, k *kube) {
	if _, err := os.Stat(coredns); err != nil {
		t.Run("paths", func(t *testing.T) { t.Skip("bin/coredns is missing: make kubernetes builds it in two minutes") })
		return
	}
	t.Run("no cluster DNS and no hairpin", func(t *testing.T) { noPaths(t, k) })
	manifest, err := filepath.Abs("kube/coredns.yaml")
	if err != nil {
		t.Fatal(err)
	}
	k.kubectl(t, "apply", "-f", manifest)
	k.kubectl(t, "-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=50s")
	t.Run("paths through iptables", func(t *testing.T) { allPaths(t, k, "6") })
	t.Run("paths through nftables", func(t *testing.T) {
		if _, err := os.Stat("/usr/sbin/nft"); err != nil {
			t.Skip("nft is missing (Debian package nftables)")
		}
		k.proxyMode(t, "nftables")
		defer k.proxyMode(t, "iptables")
		rounds := "6"
		if testing.Short() {
			rounds = "1" // whether figures have intervals does not depend on the mode
		}
		allPaths(t, k, rounds)
	})
	k.kubectl(t, "delete", "-f", manifest)
}

// allPaths measures every path and looks for its figures and ratios.
func allPaths(t *testing.T, k *kube, rounds string) {
	dir := filepath.Join(t.TempDir(), "run")
	code, out, log := k.cnibench(t, "run", "--kubeconfig", k.config(), "--rounds", rounds, "--duration", "200ms", "--probes", "paths", "--out", dir)
	if code != 0 {
		t.Fatalf("exit %d: %s\n%s", code, log, out)
	}
	logFailed(t, dir)
	t.Log(out)
	r := loadReport(t, dir)
	for _, topology := range []string{"cluster", results.SameNode} {
		i := slices.IndexFunc(r.Cells, func(c model.Cell) bool { return c.Plugin != results.HostPlugin && c.Topology.Name == topology })
		if i < 0 {
			t.Fatalf("no figures on %s", topology)
		}
		for _, probe := range scenarios.PathProbes() {
			holdPath(t, &r.Cells[i], probe, rounds != "1")
		}
	}
	k.nothingLeft(t)
}

// holdPath looks for the figures of one path where it exists, and for their ratios.
func holdPath(t *testing.T, c *model.Cell, probe string, intervals bool) {
	t.Helper()
	across := c.Topology.Name != results.SameNode
	switch probe {
	case "dns":
		p50, failures := c.Metric(probe, "p50"), c.Metric(probe, "failures")
		if p50 == nil || p50.Median <= 0 || failures == nil || failures.Median != 0 {
			t.Errorf("%s on %s: p50 %+v, failures %+v", probe, c.Topology, p50, failures)
		}
		return
	case "hairpin":
		if across {
			return
		}
	case "pod-to-host", "host-to-pod":
		if !across {
			return
		}
	}
	for _, name := range []string{"rate", "goodput", "p50"} {
		m := c.Metric(probe, name)
		if m == nil || m.Median <= 0 || m.VsStraight == nil || m.VsStraight.Ratio <= 0 || intervals && m.VsStraight.CI == nil {
			t.Errorf("%s %s on %s: %+v", probe, name, c.Topology, m)
		}
	}
}

// noPaths measures where pods are told to use a DNS server that is not there, on nodes
// whose bridge does not send packets back to where they came from.
func noPaths(t *testing.T, k *kube) {
	for _, node := range []string{"n1", "n2"} {
		file := filepath.Join(k.dir, node, "cni", "10-cnibench.conflist")
		was, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		write := func(text string) {
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Error(err)
			}
		}
		write(strings.Replace(string(was), `"hairpinMode":true`, `"hairpinMode":false`, 1))
		defer write(string(was))
	}
	dir := filepath.Join(t.TempDir(), "run")
	code, out, log := k.run(t, dir, "--probes", "dns,hairpin,tcp-rr", "--rounds", "1")
	for _, says := range []string{"the DNS server 10.96.0.10 of the pod did not answer 3 questions", "a pod does not reach itself through its own Service"} {
		if code != 0 || strings.Count(out, says) != 1 {
			t.Errorf("exit %d, not once %q: %s\n%s", code, says, out, log)
		}
	}
	k.holdUp(t, dir)
	k.nothingLeft(t)
}

// noProxy measures where nothing implements Services.
func noProxy(t *testing.T, k *kube) {
	for _, node := range []string{"n1", "n2"} {
		k.killInner(t, "-STOP", node, "kube-proxy")
		defer k.killInner(t, "-CONT", node, "kube-proxy")
	}
	dir := filepath.Join(t.TempDir(), "run")
	code, out, log := k.run(t, dir, "--probes", "service,node-port,hairpin,tcp-rr")
	if code != 0 || !strings.Contains(out, "no connection passed the Service") || !strings.Contains(out, "no connection passed the NodePort") {
		t.Errorf("exit %d: %s\n%s", code, out, log)
	}
	k.holdUp(t, dir)
	k.nothingLeft(t)
}

// holdUp checks that no network failed.
func (k *kube) holdUp(t *testing.T, dir string) {
	t.Helper()
	for _, c := range loadReport(t, dir).Cells {
		if c.Status != results.StatusOK {
			t.Errorf("%s: %s %s", c.Plugin, c.Status, c.Cause)
		}
	}
}

// proxyMode restarts kube-proxy on both nodes in another mode.
func (k *kube) proxyMode(t *testing.T, mode string) {
	t.Helper()
	for _, node := range []string{"n1", "n2"} {
		if err := os.WriteFile(filepath.Join(k.dir, node, "proxy-mode"), []byte(mode), 0o600); err != nil {
			t.Fatal(err)
		}
		k.killInner(t, "-TERM", node, "kube-proxy")
	}
	for _, node := range []string{"k8s-n1", "k8s-n2"} {
		for begin := time.Now(); ; time.Sleep(200 * time.Millisecond) {
			if strings.Contains(k.node(t, node, "nft", "list", "tables"), "ip kube-proxy") == (mode == "nftables") {
				break
			}
			if time.Since(begin) > 30*time.Second {
				t.Fatalf("%s: kube-proxy is not in the mode %s after 30 s", node, mode)
			}
		}
	}
}

// killInner sends a signal to a process of a node, which counts its own.
func (k *kube) killInner(t *testing.T, signal, node, name string) {
	t.Helper()
	top, err := os.ReadFile(filepath.Join(k.dir, "node"+strings.TrimPrefix(node, "n")+".pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid := k.pid(t, filepath.Join(node, "inner-pids"), name)
	inside := "--pid=/proc/" + strings.TrimSpace(string(top)) + "/ns/pid_for_children"
	if out, err := k.command(t.Context(), "nsenter", inside, "kill", signal, pid).CombinedOutput(); err != nil {
		t.Fatalf("kill %s %s on %s: %v: %s", signal, pid, node, err, out)
	}
}
