package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/words"
)

// demandingQuota measures in a namespace whose quota demands limits of the CPU: the
// cause says which flag sets them, and with the flag the pods run.
func demandingQuota(t *testing.T, k *kube) {
	k.kubectl(t, "create", "namespace", "theirs")
	defer k.kubectl(t, "delete", "namespace", "theirs")
	k.kubectl(t, "-n", "theirs", "create", "quota", "limited", "--hard=limits.cpu=2")
	dir := filepath.Join(t.TempDir(), "refused")
	if code, _, log := k.run(t, dir, "-n", "theirs", "--probes", "tcp-rr"); code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	for _, c := range loadReport(t, dir).Cells {
		if cause := c.Cause.String(); c.Status != results.StatusFailed || !strings.Contains(cause, "failed quota: limited: must specify limits.cpu") || !strings.Contains(cause, "--limits cpu=AMOUNT") {
			t.Errorf("%s: %s %s", c.Plugin, c.Status, c.Cause)
		}
	}
	dir = filepath.Join(t.TempDir(), "run")
	if code, _, log := k.run(t, dir, "-n", "theirs", "--probes", "tcp-rr", "--limits", "cpu=200m"); code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	r := loadReport(t, dir)
	for _, c := range r.Cells {
		if c.Status != results.StatusOK {
			t.Errorf("with the limit: %s: %s %s", c.Plugin, c.Status, c.Cause)
		}
	}
	if said := warningsOf(r); strings.Contains(said, "limits the CPU") {
		t.Errorf("of a limit that the user set it says %q", said)
	}
	k.nothingLeft(t)
}

func warningsOf(r *model.Report) string { return words.Clauses(r.Warnings...).String() }

// limitedCPU measures in a namespace that limits the CPU of all containers.
func limitedCPU(t *testing.T, k *kube) {
	k.kubectl(t, "create", "namespace", "theirs")
	defer k.kubectl(t, "delete", "namespace", "theirs")
	file := filepath.Join(k.dir, "limits.yaml")
	text := `
apiVersion: v1
kind: LimitRange
metadata: {name: cpu, namespace: theirs}
spec: {limits: [{type: Container, default: {cpu: 500m}}]}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	k.kubectl(t, "create", "-f", file)
	dir := filepath.Join(t.TempDir(), "run")
	if code, _, log := k.run(t, dir, "-n", "theirs", "--probes", "tcp-rr"); code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	if said := warningsOf(loadReport(t, dir)); !strings.Contains(said, "limits the CPU of the pod") || !strings.Contains(said, "to 500m") {
		t.Errorf("it says %q", said)
	}
	k.nothingLeft(t)
}

// noAddressLeft leaves the second node one address for pods, which another pod has.
func noAddressLeft(t *testing.T, k *kube) {
	conf := filepath.Join(k.dir, "n2", "cni", "10-cnibench.conflist")
	before, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := os.WriteFile(conf, before, 0o644); err != nil {
			t.Error(err)
		}
	}()
	cidr := k.kubectl(t, "get", "node", "k8s-n2", "-o", "jsonpath={.spec.podCIDR}")
	only := strings.TrimSuffix(cidr, "0/24") + "200"
	narrow := strings.Replace(string(before), `"subnet":"`+cidr+`"`, `"subnet":"`+cidr+`","rangeStart":"`+only+`","rangeEnd":"`+only+`"`, 1)
	if narrow == string(before) {
		t.Fatalf("no range in %s", before)
	}
	if err := os.WriteFile(conf, []byte(narrow), 0o644); err != nil {
		t.Fatal(err)
	}
	k.kubectl(t, "run", "holder", "--image", pause, "--image-pull-policy=Never", `--overrides={"spec":{"nodeName":"k8s-n2"}}`)
	defer k.kubectl(t, "delete", "pod", "holder", "--now")
	k.kubectl(t, "wait", "--for=condition=Ready", "pod/holder", "--timeout=50s")
	if got := k.kubectl(t, "get", "pod", "holder", "-o", "jsonpath={.status.podIP}"); got != only {
		t.Fatalf("the pod that should hold %s has %s", only, got)
	}
	dir := filepath.Join(t.TempDir(), "run")
	if code, _, log := k.run(t, dir, "--probes", "tcp-rr"); code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	for _, c := range loadReport(t, dir).Cells {
		across := c.Plugin != results.HostPlugin && c.Topology.Name == testbed.ClusterTopology
		cause := c.Cause.String()
		if across && (c.Status != results.StatusFailed || !strings.Contains(cause, "FailedCreatePodSandBox") || !strings.Contains(cause, "no IP addresses available in range set: "+only+"-"+only)) ||
			!across && c.Status != results.StatusOK {
			t.Errorf("%s on %s: %s %s", c.Plugin, c.Topology, c.Status, c.Cause)
		}
		if across {
			t.Log(cause)
		}
	}
	k.nothingLeft(t)
}
