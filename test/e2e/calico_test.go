package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
)

// Tags of the images of Calico that the nodes load.
const (
	calicoNodeTag = "cnibench.local/calico-node:e2e"
	calicoCNITag  = "cnibench.local/calico-cni:e2e"
)

// calicoImages packs calico-node with the programs that it calls, and Calico's CNI
// plugin, under the paths that they have in Calico's own images.
func calicoImages(t *testing.T, folder string) {
	t.Helper()
	own := filepath.Join(t.TempDir(), "calico")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", own, "./calico")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building what stands for Calico's scripts: %v: %s", err, out)
	}
	pack(t, filepath.Join(folder, "calico-cni.tar"), calicoCNITag, []string{"/opt/cni/bin/install"}, []file{program(t, own, "opt/cni/bin/install"),
		program(t, "../../bin/calico", "opt/cni/bin/calico"), {name: "opt/cni/bin/calico-ipam", link: "calico"}})

	files := []file{{name: "var/run", link: "/run"}, program(t, own, "usr/sbin/start_runit"), program(t, "../../bin/calico-node", "bin/calico-node")}
	for _, name := range []string{"bird.cfg.template", "bird.toml"} {
		under := map[bool]string{true: "templates", false: "conf.d"}[strings.HasSuffix(name, ".template")]
		f := program(t, filepath.Join("../../plugins/calico", name), filepath.Join("etc/calico/confd", under, name))
		f.mode = 0o644
		files = append(files, f)
	}
	const nft, legacy = "/usr/sbin/xtables-nft-multi", "/usr/sbin/xtables-legacy-multi"
	for _, family := range []string{"iptables", "ip6tables"} {
		for _, end := range []string{"", "-save", "-restore"} {
			files = append(files, program(t, nft, "usr/sbin/"+family+end), program(t, nft, "usr/sbin/"+family+"-nft"+end),
				program(t, legacy, "usr/sbin/"+family+"-legacy"+end))
		}
	}
	called := []string{"/bin/sh", "/usr/sbin/bird", "/usr/sbin/birdc", "/usr/sbin/ipset", "/usr/sbin/ip"}
	for _, path := range called {
		resolved, err := filepath.EvalSymlinks(path)
		if err != nil {
			t.Fatalf("a program that calico-node calls (Debian packages dash, bird2, ipset, iproute2): %v", err)
		}
		files = append(files, program(t, resolved, strings.TrimPrefix(path, "/")))
	}
	extensions, err := filepath.Glob("/usr/lib/*/xtables/*.so")
	if err != nil || len(extensions) == 0 {
		t.Fatalf("iptables' extensions: %v", err)
	}
	for _, library := range append(extensions, libraries(t, append(called, nft, legacy)...)...) {
		files = append(files, program(t, library, strings.TrimPrefix(library, "/")))
	}
	pack(t, filepath.Join(folder, "calico-node.tar"), calicoNodeTag, []string{"/usr/sbin/start_runit"}, files)
}

// imageFlags name the images from which --install takes plugins.
var imageFlags = []string{"--flannel-image", flannelTag, "--calico-node-image", calicoNodeTag, "--calico-cni-image", calicoCNITag}

// install measures plugins that are installed one after the other.
func (k *kube) install(t *testing.T, dir, plugins, probes string, more ...string) (code int, out, log string) {
	t.Helper()
	return k.run(t, dir, append(append([]string{"--install", plugins, "--probes", probes}, imageFlags...), more...)...)
}

// flannelAndCalico has plugins of two families put on the cluster, measured and
// removed.
func flannelAndCalico(t *testing.T, k *kube) {
	dir := filepath.Join(t.TempDir(), "run")
	code, out, log := k.install(t, dir, "flannel-vxlan,calico-vxlan,calico-bgp", "tcp-rr,encap,policy:limit=3")
	if code != 0 {
		t.Fatalf("exit %d: %s\n%s", code, log, out)
	}
	r := loadReport(t, dir)
	if !r.Run.Complete || len(r.Cells) != 8 {
		t.Errorf("complete: %v, %d cells", r.Run.Complete, len(r.Cells))
	}
	for _, c := range r.Cells {
		if c.Status != results.StatusOK || c.Metric("tcp-rr", "p50") == nil {
			t.Errorf("%s on %s: %s %s", c.Plugin, c.Topology, c.Status, c.Cause)
		}
	}
	type wire struct{ port, overhead int }
	want := map[string]wire{"flannel-vxlan": {8472, 50}, "calico-vxlan": {4789, 50}, "calico-bgp": {}, "host": {}}
	for _, e := range r.Encapsulation {
		t.Logf("%s: %s, port %d, %d bytes in %d frames", e.Plugin, e.Effective, e.Port, e.OverheadBytes, e.Frames)
		if got := (wire{e.Port, e.OverheadBytes}); got != want[e.Plugin] || !e.Agrees || e.Frames == 0 {
			t.Errorf("the wire of %s: %+v", e.Plugin, e)
		}
		delete(want, e.Plugin)
	}
	if len(want) > 0 {
		t.Errorf("the wire was not captured of %v", want)
	}
	for _, p := range r.Policy {
		t.Logf("policy of %s on %s, %s: %v after %.2f s", p.Plugin, p.Topology, p.At(), p.Enforced, p.Seconds)
		if p.Enforced != strings.HasPrefix(p.Plugin, "calico") {
			t.Errorf("the policies of %s: %+v", p.Plugin, p)
		}
	}
	if len(r.Policy) != 12 { // three plugins, between nodes and on one, in two directions
		t.Errorf("%d policies were tried: %+v", len(r.Policy), r.Policy)
	}
	if strings.Contains(log, "was not there before") {
		t.Errorf("left by a plugin of the catalogue: %s", log)
	}
	k.nothingLeft(t)
}
