package e2e

import (
	"context"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
)

// flannelTag is the image of flannel that the nodes load.
const flannelTag = "cnibench.local/flannel:e2e"

// flannelImage packs flanneld with this machine's iptables, which it calls.
func flannelImage(t *testing.T, path string) {
	t.Helper()
	files := []file{program(t, "../../bin/flanneld", "opt/bin/flanneld")}
	const multi = "/usr/sbin/xtables-nft-multi"
	for _, name := range []string{"iptables", "iptables-save", "iptables-restore", "ip6tables", "ip6tables-save", "ip6tables-restore"} {
		files = append(files, program(t, multi, "usr/sbin/"+name))
	}
	extensions, err := filepath.Glob("/usr/lib/*/xtables/*.so")
	if err != nil || len(extensions) == 0 {
		t.Fatalf("iptables' extensions: %v", err)
	}
	for _, library := range append(extensions, libraries(t, "../../bin/flanneld", multi)...) {
		files = append(files, program(t, library, strings.TrimPrefix(library, "/")))
	}
	pack(t, path, flannelTag, []string{"/opt/bin/flanneld"}, files)
}

func program(t *testing.T, path, name string) file {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file{name: name, content: content, mode: 0o755}
}

var path = regexp.MustCompile(`/\S+`)

// libraries are what programs are linked with, under the names by which they are
// looked for.
func libraries(t *testing.T, programs ...string) []string {
	t.Helper()
	found := map[string]bool{}
	for _, p := range programs {
		f, err := elf.Open(p)
		if err != nil {
			t.Fatal(err)
		}
		linked, err := f.ImportedLibraries()
		f.Close()
		if err != nil || len(linked) == 0 {
			continue
		}
		out, err := exec.Command("ldd", p).CombinedOutput()
		if err != nil {
			t.Fatalf("ldd %s: %v: %s", p, err, out)
		}
		for _, library := range path.FindAllString(string(out), -1) {
			found[library] = true
		}
	}
	var all []string
	for library := range found {
		all = append(all, library)
	}
	return all
}

// inside is a command beside the nodes, in the namespaces of the cluster's own.
func (k *kube) inside(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "nsenter", append([]string{"-t", strconv.Itoa(k.init), "-m", "-p", "-n", "--"}, args...)...)
	cmd.Env = append(os.Environ(), "T="+k.dir, "KUBE="+k.binary)
	return cmd
}

// node runs a command in a node's network and returns what it prints.
func (k *kube) node(t *testing.T, node string, args ...string) string {
	t.Helper()
	out, err := k.inside(t.Context(), append([]string{"ip", "netns", "exec", node}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s on %s: %v: %s", strings.Join(args, " "), node, err, out)
	}
	return string(out)
}

var nodes = map[string]string{"k8s-n1": "n1", "k8s-n2": "n2"} // with their folders

// withoutPlugin removes the nodes' network for pods until the test ends.
func (k *kube) withoutPlugin(t *testing.T) {
	t.Helper()
	for node, folder := range nodes {
		if err := os.Remove(filepath.Join(k.dir, folder, "cni", "10-cnibench.conflist")); err != nil {
			t.Fatal(err)
		}
		k.node(t, node, "sh", "-c", "ip link del cni0 2>/dev/null; ip route show | grep 10.244 | while read to rest; do ip route del $to; done")
	}
	k.node(t, "k8s-cp", "sh", "-c", "ip route show | grep 10.244 | while read to rest; do ip route del $to; done")
	script, err := filepath.Abs("kube/cni.sh")
	if err != nil {
		t.Fatal(err)
	}
	k.kubectl(t, "wait", "--for=condition=Ready=false", "nodes", "--all", "--timeout=50s")
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if out, err := k.inside(ctx, script, "1", "2").CombinedOutput(); err != nil {
			t.Errorf("bringing the nodes' network back: %v: %s", err, out)
		}
		if out, err := k.command(ctx, k.binary, "kubectl", "--kubeconfig", k.config(), "wait", "--for=condition=Ready", "nodes", "--all", "--timeout=50s").CombinedOutput(); err != nil {
			t.Errorf("waiting for the nodes: %v: %s", err, out)
		}
	})
}

// withoutPluginYet are the tests of --install, on nodes that wait for a plugin.
func withoutPluginYet(t *testing.T, k *kube) {
	k.withoutPlugin(t)
	before := map[string]string{}
	for node := range nodes {
		before[node] = k.network(t, node)
	}
	t.Run("manifests by themselves", func(t *testing.T) { k.kubectl(t, "apply", "--dry-run=server", "-f", k.manifests(t)) })
	t.Run("pods of others", func(t *testing.T) { besideOthers(t, k) })
	long(t, "an image of flannel that cannot be pulled", func(t *testing.T) {
		noFlannel(t, k)
		k.asBefore(t, before)
	})
	long(t, "two modes", func(t *testing.T) {
		twoModes(t, k)
		k.asBefore(t, before)
	})
	t.Run("flannel and Calico", func(t *testing.T) {
		flannelAndCalico(t, k)
		k.asBefore(t, before)
	})
	t.Run("manifests of the user's", func(t *testing.T) { ownManifests(t, k) })
	t.Run("killed while installing, then cleaned", func(t *testing.T) {
		killedInstalling(t, k)
		k.asBefore(t, before)
	})
	long(t, "interrupted", func(t *testing.T) {
		signal, wait := midRun(t, k, filepath.Join(t.TempDir(), "run"), "--install", "flannel-host-gw", "--flannel-image", flannelTag, "--probes", "tcp-rr")
		signal(syscall.SIGINT)
		if code := wait(); code != 130 {
			t.Errorf("exit %d", code)
		}
		k.nothingLeft(t)
		k.asBefore(t, before)
	})
	long(t, "killed, then cleaned", func(t *testing.T) {
		signal, wait := midRun(t, k, filepath.Join(t.TempDir(), "run"), "--install", "flannel-vxlan", "--flannel-image", flannelTag, "--probes", "tcp-rr")
		signal(syscall.SIGKILL)
		wait()
		if code, _, log := k.cnibench(t, "clean", "--kubeconfig", k.config()); code != 0 {
			t.Errorf("exit %d: %s", code, log)
		}
		k.nothingLeft(t)
		k.asBefore(t, before)
	})
}

// manifests is the file that --install applies.
func (k *kube) manifests(t *testing.T) string {
	t.Helper()
	file, err := filepath.Abs("../../manifests/flannel/flannel.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// asBefore compares the nodes with their earlier state.
func (k *kube) asBefore(t *testing.T, before map[string]string) {
	t.Helper()
	for node, was := range before {
		if now := k.network(t, node); now != was {
			t.Errorf("left on %s:\n%s\nbefore:\n%s", node, now, was)
		}
	}
	if left := k.kubectl(t, "get", "clusterroles,clusterrolebindings,crds", "-l", "app.kubernetes.io/managed-by=cnibench", "-o", "name"); left != "" {
		t.Errorf("left in the cluster: %s", left)
	}
}

// besideOthers checks that the program refuses a cluster that others use.
func besideOthers(t *testing.T, k *kube) {
	k.kubectl(t, "run", "shop", "--image", pause, "--image-pull-policy=Never")
	defer k.kubectl(t, "delete", "pod", "shop", "--now")
	code, _, log := k.run(t, filepath.Join(t.TempDir(), "run"), "--install", "flannel-vxlan", "--flannel-image", flannelTag)
	if code != 2 || !strings.Contains(log, "default/shop") {
		t.Errorf("exit %d: %s", code, log)
	}
	k.nothingLeft(t)
}

// noFlannel has an installation fail: the host is measured no further, and
// nothing is left.
func noFlannel(t *testing.T, k *kube) {
	dir := filepath.Join(t.TempDir(), "run")
	if code, _, log := k.run(t, dir, "--install", "flannel-vxlan", "--flannel-image", "cnibench.local/none:1"); code != 0 {
		t.Fatalf("exit %d: %s", code, log)
	}
	r := loadReport(t, dir)
	for _, c := range r.Cells {
		if c.Plugin != results.HostPlugin && (c.Status != results.StatusFailed || !strings.Contains(c.Cause.String(), "cnibench.local/none:1")) {
			t.Errorf("%s on %s: %s %s", c.Plugin, c.Topology, c.Status, c.Cause)
		}
	}
	if r.Run.Rounds != 0 {
		t.Errorf("%d rounds of the host alone", r.Run.Rounds)
	}
	k.nothingLeft(t)
}

// twoModes has two modes put on the cluster, measured and removed.
func twoModes(t *testing.T, k *kube) {
	dir := filepath.Join(t.TempDir(), "run")
	started := time.Now()
	code, out, log := k.run(t, dir, "--install", "flannel-vxlan,flannel-host-gw", "--flannel-image", flannelTag, "--rounds", "8", "--duration", "200ms",
		"--probes", strings.Join(scenarios.ClusterSuite(2), ","))
	if code != 0 {
		t.Fatalf("exit %d: %s\n%s", code, log, out)
	}
	t.Logf("from run to the first sample: %s", firstSample(t, dir).Sub(started).Round(100*time.Millisecond))
	logFailed(t, dir)
	r := loadReport(t, dir)
	holdCells(t, r)
	holdWire(t, r)
	holdVerdict(t, r, out)
	k.nothingLeft(t)
	k.noSecrets(t, dir)
}

// network is what a plugin may leave on a node: links, routes, rules, files, and
// what its object says of it.
func (k *kube) network(t *testing.T, node string) string {
	t.Helper()
	all := k.node(t, node, "sh", "-c", "ip -o link | cut -d: -f2; ip rule; ip route show table all; ipset list -n; iptables-save | grep -v '^#' | sed 's/\\[.*//'; ip6tables-save | grep -v '^#' | sed 's/\\[.*//'")
	for _, folder := range []string{"cni", "bin"} {
		files, err := os.ReadDir(filepath.Join(k.dir, nodes[node], folder))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			all += folder + "/" + f.Name() + "\n"
		}
	}
	return all + k.kubectl(t, "get", "node", node, "-o", "jsonpath={.metadata.annotations}")
}

// firstSample is when the first sample of a run began.
func firstSample(t *testing.T, dir string) time.Time {
	t.Helper()
	recorded, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range recorded.Records {
		if record.Sample != nil {
			return record.Sample.Start
		}
	}
	t.Fatal("no sample")
	return time.Time{}
}

// logFailed shows why samples failed: on a machine under load some may, and an
// interval needs six pairs.
func logFailed(t *testing.T, dir string) {
	t.Helper()
	recorded, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, record := range recorded.Records {
		if s := record.Sample; s != nil && !s.Error.Empty() {
			t.Logf("%s on %s, %s, block %d failed: %s", s.Plugin, s.Topology, s.Probe, s.Block, s.Error)
		}
	}
}

// holdCells looks for the cells of both plugins and the host, between nodes and
// inside one.
func holdCells(t *testing.T, r *model.Report) {
	t.Helper()
	mtus := map[string]int{"flannel-vxlan": 1450, "flannel-host-gw": 1500, "host": 1500}
	if !r.Run.Complete || len(r.Cells) != 6 {
		t.Errorf("complete: %v, %d cells", r.Run.Complete, len(r.Cells))
	}
	for _, c := range r.Cells {
		if c.Status != results.StatusOK || c.Fidelity != "cluster" || c.Topology.Name == "cluster" && c.PodMTU != mtus[c.Plugin] {
			t.Errorf("%s on %s: %s %s, fidelity %s, MTU %d", c.Plugin, c.Topology, c.Status, c.Cause, c.Fidelity, c.PodMTU)
		}
		if m := c.Metric("tcp-rr", "p50"); m == nil || c.Plugin != results.HostPlugin && (m.VsHost == nil || m.VsHost.CI == nil) {
			t.Errorf("%s on %s: tcp-rr %+v", c.Plugin, c.Topology, m)
		}
		// Each plugin's pods have a Service of their own, under the same name.
		if m := c.Metric("service", "rate"); c.Plugin != results.HostPlugin && (m == nil || m.N == 0) {
			t.Errorf("%s on %s: service %+v", c.Plugin, c.Topology, m)
		}
	}
}

func holdWire(t *testing.T, r *model.Report) {
	t.Helper()
	want := map[string]int{"flannel-vxlan": 50, "flannel-host-gw": 0, "host": 0}
	for _, e := range r.Encapsulation {
		if e.OverheadBytes != want[e.Plugin] || !e.Agrees || e.Frames == 0 {
			t.Errorf("the wire of %s: %+v", e.Plugin, e)
		}
		delete(want, e.Plugin)
	}
	if len(want) > 0 {
		t.Errorf("the wire was not captured of %v", want)
	}
}

// holdVerdict looks for the verdict between the two plugins, which were never up
// at once. MTUs do not vary, so the one on the largest packet is known.
func holdVerdict(t *testing.T, r *model.Report, said string) {
	t.Helper()
	between := 0
	for _, c := range r.Comparisons {
		if c.A != "flannel-vxlan" || c.B != "flannel-host-gw" {
			continue
		}
		if c.Probe == "service" || c.Probe == "dns" { // the host has none to compare through
			continue
		}
		between++
		t.Log(c.Topology, c.Sentence)
		if !c.ThroughHost || c.Ratio == nil || c.CI == nil {
			t.Errorf("%+v", c)
		}
	}
	if between != 4 || !strings.Contains(said, "installed one after the other") {
		t.Errorf("%d verdicts between the two, said: %s", between, said)
	}
}

// twoClusters measures over two contexts, which here lead to the same cluster.
func twoClusters(t *testing.T, k *kube) {
	text, err := os.ReadFile(k.config())
	if err != nil {
		t.Fatal(err)
	}
	both := filepath.Join(k.dir, "both.kubeconfig")
	if err := os.WriteFile(both, []byte(strings.Replace(string(text), "contexts: [", "contexts: [{name: a, context: {cluster: c, user: u}}, {name: b, context: {cluster: c, user: u}}, ", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	code, out, log := k.cnibench(t, "run", "--kubeconfig", both, "--context", "a=flannel-host-gw,b=calico", "--rounds", "6", "--duration", "200ms",
		"--probes", "tcp-rr,encap", "--out", dir)
	if code != 0 || !strings.Contains(out, "different machines") {
		t.Fatalf("exit %d: %s\n%s", code, log, out)
	}
	r := loadReport(t, dir)
	if !r.Run.Complete || r.Run.Rounds != 12 || len(r.Cells) != 6 {
		t.Errorf("complete: %v, %d rounds, %d cells", r.Run.Complete, r.Run.Rounds, len(r.Cells))
	}
	for _, c := range r.Cells {
		m := c.Metric("tcp-rr", "p50")
		if c.Status != results.StatusOK || (c.Plugin == results.HostPlugin) != (m == nil) || m != nil && (m.VsHost == nil || m.VsHost.N == 0) {
			t.Errorf("%s on %s: %s %s, %+v", c.Plugin, c.Topology, c.Status, c.Cause, m)
		}
	}
	for _, c := range r.Comparisons {
		if c.ThroughHost != (c.B != results.HostPlugin) || c.N == 0 {
			t.Errorf("%+v", c)
		}
	}
	k.nothingLeft(t)
	k.noSecrets(t, dir)
}
