package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// inPod runs the program in a pod of the cluster, with the pod's own
// credentials and the role that the project documents.
func inPod(t *testing.T, k *kube) {
	role, err := filepath.Abs("../../manifests/cluster/role.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: inside}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cnibench}
subjects: [{kind: ServiceAccount, name: default, namespace: inside}]
---
apiVersion: v1
kind: Pod
metadata: {name: runner, namespace: inside}
spec:
  restartPolicy: Never
  dnsPolicy: Default
  containers:
  - {name: runner, image: "IMAGE", imagePullPolicy: Never, volumeMounts: [{name: out, mountPath: /out}],
     args: [run, --testbed, cluster, --rounds, "6", --duration, 200ms, --out, /out/run]}
  volumes: [{name: out, emptyDir: {}}]
`
	file := filepath.Join(k.dir, "inside.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(text, "IMAGE", k.image, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	k.kubectl(t, "apply", "-f", role)
	k.kubectl(t, "create", "namespace", "inside")
	for begin := time.Now(); k.kubectl(t, "-n", "inside", "get", "serviceaccounts", "-o", "name") == ""; time.Sleep(200 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			t.Fatal("no service account")
		}
	}
	defer k.kubectl(t, "delete", "namespace", "inside")
	defer k.kubectl(t, "delete", "clusterrolebinding/inside", "clusterrole/cnibench")
	k.kubectl(t, "apply", "-f", file)
	phase := ""
	for begin := time.Now(); phase != "Succeeded" && phase != "Failed" && time.Since(begin) < 2*time.Minute; time.Sleep(time.Second) {
		phase = k.kubectl(t, "-n", "inside", "get", "pod", "runner", "-o", "jsonpath={.status.phase}")
	}
	log := k.kubectl(t, "-n", "inside", "logs", "runner")
	if phase != "Succeeded" || !strings.Contains(log, "tcp-stream") || !strings.Contains(log, "you may not read ConfigMaps, IPPools of Calico, DaemonSets") ||
		strings.Count(log, "warning: not measured: service, dns, because the cluster does not allow you to create services") != 1 {
		t.Errorf("%s: %s", phase, log)
	}
	k.nothingLeft(t)
}

// lostAtEnd takes the API server away before a run is interrupted.
func lostAtEnd(t *testing.T, k *kube) {
	dir := filepath.Join(t.TempDir(), "run")
	signal, wait := midRun(t, k, dir)
	server := k.pid(t, "cp.pids", "apiserver")
	k.kill(t, "-STOP", server)
	signal(syscall.SIGINT)
	code := wait()
	k.kill(t, "-CONT", server)
	log, err := os.ReadFile(dir + ".log")
	if err != nil {
		t.Fatal(err)
	}
	if code != 130 || !strings.Contains(string(log), "failed (run cnibench clean --kubeconfig "+k.config()+" to remove them") {
		t.Errorf("exit %d: %s", code, log)
	}
	if code, out, log := k.cnibench(t, "clean", "--kubeconfig", k.config()); code != 0 || !strings.HasPrefix(out, "namespace cnibench-") {
		t.Errorf("clean: exit %d: %s %s", code, out, log)
	}
	k.nothingLeft(t)
}
