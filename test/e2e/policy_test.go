package e2e

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
)

// noPolicies tries rules on a cluster whose plain bridges enforce none.
func noPolicies(t *testing.T, k *kube) {
	dir := filepath.Join(t.TempDir(), "run")
	code, out, log := k.run(t, dir, "--probes", "policy:limit=2,tcp-rr")
	if code != 0 || strings.Count(out, "not enforced: packets still passed") != 4 {
		t.Fatalf("exit %d: %s\n%s", code, log, out)
	}
	r := loadReport(t, dir)
	if len(r.Policy) != 4 { // two directions, between nodes and on one
		t.Errorf("%d rules: %+v", len(r.Policy), r.Policy)
	}
	for _, p := range r.Policy {
		if p.Enforced || !strings.Contains(p.Cause.String(), "packets still passed 2") {
			t.Errorf("%+v", p)
		}
	}
	for _, c := range r.Cells {
		if c.Status != results.StatusOK {
			t.Errorf("after the rules were removed: %s on %s: %s %s", c.Plugin, c.Topology, c.Status, c.Cause)
		}
	}
	k.nothingLeft(t)
}

// enforce plays a plugin that enforces policies in the nodes' routing, and so not on
// the bridge between pods of one node: while a rule stands, its node routes nothing
// to the pod that it isolates, or from it. It returns when the context ends.
func enforce(ctx context.Context, t *testing.T, k *kube) {
	standing := map[string][]string{}
	for ctx.Err() == nil {
		names := map[string]bool{}
		for _, name := range k.asked(t, "get", "networkpolicies", "-A", "-o", `jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}{"\n"}{end}`) {
			if names[name] = true; standing[name] != nil {
				continue
			}
			if rule := ruleOf(t, k, name); rule != nil {
				standing[name] = rule
				k.ipRule(t, "add", rule)
			}
		}
		for name, rule := range standing {
			if !names[name] {
				k.ipRule(t, "del", rule)
				delete(standing, name)
			}
		}
		time.Sleep(50 * time.Millisecond)
	}
	for _, rule := range standing {
		k.ipRule(t, "del", rule)
	}
}

// ruleOf returns the namespace of the node of the pod that a policy isolates, and the
// rule that isolates the pod.
func ruleOf(t *testing.T, k *kube, name string) []string {
	namespace, policy, _ := strings.Cut(name, "/")
	pod, direction, _ := strings.Cut(policy, "-deny-")
	at := k.asked(t, "-n", namespace, "get", "pod", pod, "-o", "jsonpath={.spec.nodeName} {.status.podIP}")
	if len(at) != 2 {
		return nil
	}
	side := map[string]string{"ingress": "to", "egress": "from"}[direction]
	return []string{at[0], side, at[1], "blackhole"}
}

// asked runs kubectl and returns the words that it prints. Unlike [kube.kubectl], it
// may be called beside the test's own goroutine.
func (k *kube) asked(t *testing.T, args ...string) []string {
	out, err := k.command(context.Background(), append([]string{k.binary, "kubectl", "--kubeconfig", k.config()}, args...)...).Output()
	if err != nil {
		t.Errorf("kubectl %s: %v", strings.Join(args, " "), err)
	}
	return strings.Fields(string(out))
}

func (k *kube) ipRule(t *testing.T, what string, rule []string) {
	t.Helper()
	args := append([]string{"ip", "-n", rule[0], "rule", what}, rule[1:]...)
	if out, err := k.inside(context.Background(), args...).CombinedOutput(); err != nil {
		t.Errorf("%v: %v: %s", args, err, out)
	}
}

// policiesBetweenNodes measures a plugin that enforces policies between nodes and not
// on one.
func policiesBetweenNodes(t *testing.T, k *kube) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan bool)
	go func() {
		defer close(done)
		enforce(ctx, t, k)
	}()
	dir := filepath.Join(t.TempDir(), "run")
	code, out, log := k.run(t, dir, "--probes", "policy:limit=5,tcp-rr")
	cancel()
	<-done
	if code != 0 {
		t.Fatalf("exit %d: %s\n%s", code, log, out)
	}
	r := loadReport(t, dir)
	seen := map[string]bool{}
	for _, p := range r.Policy {
		seen[p.Topology.Name+" "+string(p.Direction)] = true
		across := p.Topology.Name == testbed.ClusterTopology
		if p.Enforced != across || across && (p.LiftedSeconds == nil || p.From == p.To) || !across && p.From != p.To {
			t.Errorf("%+v", p)
		}
	}
	if len(seen) != 4 {
		t.Errorf("rules: %v\n%s", seen, out)
	}
	t.Logf("%+v", r.Policy)
	k.nothingLeft(t)
}

// killedWithPolicy kills a run in a user's namespace while its policy stands. Cleaning
// removes that policy and leaves the user's.
func killedWithPolicy(t *testing.T, k *kube) {
	k.kubectl(t, "create", "namespace", "theirs")
	defer k.kubectl(t, "delete", "namespace", "theirs")
	file := filepath.Join(k.dir, "policy.yaml")
	text := `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: shop, namespace: theirs}
spec: {podSelector: {matchLabels: {app: shop}}, policyTypes: [Ingress]}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	k.kubectl(t, "create", "-f", file)
	signal, wait := started(t, k, filepath.Join(t.TempDir(), "run"), "--namespace", "theirs", "--probes", "policy:limit=60,tcp-rr")
	ours := []string{"-n", "theirs", "get", "networkpolicies", "-l", "app.kubernetes.io/managed-by=cnibench", "-o", "name"}
	for begin := time.Now(); k.kubectl(t, ours...) == ""; time.Sleep(100 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal("no policy within a minute")
		}
	}
	signal(syscall.SIGKILL)
	wait()
	if left := k.kubectl(t, ours...); !strings.HasSuffix(strings.TrimSpace(left), "-deny-ingress") {
		t.Errorf("left by the killed run: %q", left)
	}
	code, out, log := k.cnibench(t, "clean", "--kubeconfig", k.config(), "--namespace", "theirs")
	if code != 0 || !strings.Contains(out, "networkpolicy theirs/cnibench-") {
		t.Errorf("clean: exit %d: %s %s", code, out, log)
	}
	if left := strings.TrimSpace(k.kubectl(t, "-n", "theirs", "get", "networkpolicies", "-o", "name")); left != "networkpolicy.networking.k8s.io/shop" {
		t.Errorf("policies left: %q", left)
	}
	k.nothingLeft(t)
}
