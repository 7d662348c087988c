package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// ownTag is the image of a plugin that only manifests of the user's install.
const ownTag = "cnibench.local/ptp:e2e"

func ownImage(t *testing.T, folder string) {
	t.Helper()
	built := filepath.Join(t.TempDir(), "ptp")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", built, "./ptp")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the tests' plugin: %v: %s", err, out)
	}
	pack(t, filepath.Join(folder, "ptp.tar"), ownTag, []string{"/ptp"}, []file{program(t, built, "ptp")})
}

// ownManifests installs plugins from manifests: three that do not come up, each for a
// reason of its own, and one that works.
func ownManifests(t *testing.T, k *kube) {
	dir := filepath.Join(t.TempDir(), "run")
	var items []string
	for _, name := range []string{"broken", "crashing", "never", "mine"} {
		at, err := filepath.Abs(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, name+"="+at)
	}
	code, out, log := k.install(t, dir, strings.Join(items, ","), "tcp-rr,encap", "--install-timeout", "25s")
	if code != 0 {
		t.Fatalf("exit %d: %s\n%s", code, log, out)
	}
	defer k.withoutRoutes(t)
	why := map[string][]string{
		"broken":   {"creating the DaemonSet broken/agent", "selector"},
		"crashing": {"the pod agent-", "last event: BackOff", "agent ended with 1", "no device eth7 to listen on"},
		"never":    {"CustomResourceDefinition pipes.never.cnibench.local to be established", "NamesAccepted is False"},
	}
	r := loadReport(t, dir)
	for _, c := range r.Cells {
		want, fails := why[c.Plugin]
		if fails != (c.Status == results.StatusFailed) {
			t.Errorf("%s on %s: %s %s", c.Plugin, c.Topology, c.Status, c.Cause)
		}
		for _, part := range want {
			if !strings.Contains(c.Cause.String(), part) {
				t.Errorf("%s on %s does not say %q: %s", c.Plugin, c.Topology, part, c.Cause)
			}
		}
		if !fails && c.Metric("tcp-rr", "p50") == nil {
			t.Errorf("%s on %s was not measured", c.Plugin, c.Topology)
		}
	}
	for _, e := range r.Encapsulation {
		if e.Plugin == "mine" && (e.Effective != "none" || e.Frames == 0) {
			t.Errorf("the wire of the plugin from manifests: %+v", e)
		}
	}
	// What the plugin left is listed, and nothing of it was removed.
	said := words.Clauses(r.Warnings...).String()
	for node, other := range map[string]string{"k8s-n1": "k8s-n2", "k8s-n2": "k8s-n1"} {
		cidr := strings.TrimSpace(k.kubectl(t, "get", "node", other, "-o", "jsonpath={.spec.podCIDR}"))
		if !strings.Contains(said, "route "+cidr) || !strings.Contains(said, node) || !strings.Contains(k.node(t, node, "ip", "route"), cidr) {
			t.Errorf("of the route to %s that the plugin left on %s it says: %s", cidr, node, said)
		}
	}
	if left := k.kubectl(t, "get", "namespaces,crds,clusterroles,clusterrolebindings", "-o", "name"); strings.Contains(left, "mine") || strings.Contains(left, "ptp") ||
		strings.Contains(left, "broken") || strings.Contains(left, "crashing") || strings.Contains(left, "never") {
		t.Errorf("left in the cluster: %s", left)
	}
	k.nothingLeft(t)
}

// withoutRoutes removes the routes and reservations that the tests' plugin leaves.
func (k *kube) withoutRoutes(t *testing.T) {
	t.Helper()
	for node := range nodes {
		k.node(t, node, "sh", "-c", "ip route show | grep 10.244 | while read to rest; do ip route del $to; done")
	}
}

// killedInstalling kills the program while Calico is being installed, and has clean
// remove what there is by then.
func killedInstalling(t *testing.T, k *kube) {
	cmd := k.command(t.Context(), append([]string{k.program, "run", "--kubeconfig", k.config(), "--out", filepath.Join(t.TempDir(), "run"), "--install", "calico-vxlan"}, imageFlags...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for begin := time.Now(); !strings.Contains(k.kubectl(t, "get", "daemonsets", "-A", "-o", "name"), "calico-node"); time.Sleep(100 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal("no DaemonSet of Calico within a minute")
		}
	}
	syscall.Kill(childOf(t, cmd.Process.Pid), syscall.SIGKILL)
	cmd.Wait()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	out, err := k.command(ctx, k.program, "clean", "--kubeconfig", k.config()).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "namespace cnibench-") {
		t.Errorf("cleaning: %v: %s", err, out)
	}
	k.nothingLeft(t)
}
