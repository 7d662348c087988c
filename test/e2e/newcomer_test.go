package e2e

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/cnibench/cnibench/results"
)

// mostBytes is the maximum size of the program: each node loads it.
const mostBytes = 60_000_000

// newcomer follows the documented path from a fresh clone: the run uses the image made by make
// build and cnibench image.
func newcomer(t *testing.T, k *kube) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(root, ".git")); err != nil {
		t.Skip("this is not a clone of the repository, so it cannot be cloned")
	}
	dir := t.TempDir()
	script, err := filepath.Abs("newcomer.sh")
	if err != nil {
		t.Fatal(err)
	}
	load, err := filepath.Abs("load.sh")
	if err != nil {
		t.Fatal(err)
	}
	inside := "nsenter -t " + strconv.Itoa(k.init) + " -m -p -n --"
	cmd := exec.CommandContext(t.Context(), script, root, dir)
	cmd.Env = append(os.Environ(), "LOAD="+inside+" "+load, "BESIDE="+inside+" ip netns exec k8s-cp", "T="+k.dir, "KUBECONFIG="+k.config(), "CONTEXT=x",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*") // root tests what an ordinary user has cloned
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	standsAlone(t, filepath.Join(dir, "cnibench", "bin", "cnibench"))
	standsAlone(t, k.program)
	plugins := map[string]bool{}
	for _, c := range loadReport(t, filepath.Join(dir, "run")).Cells {
		plugins[c.Plugin] = true
		if c.Status != results.StatusOK {
			t.Errorf("%s on %s: %s %s", c.Plugin, c.Topology, c.Status, c.Cause)
		}
	}
	if len(plugins) != 2 || !plugins[results.HostPlugin] {
		t.Errorf("measured %v: %s", plugins, out)
	}
	k.nothingLeft(t)
}

// standsAlone checks that the program is statically linked and small.
func standsAlone(t *testing.T, path string) {
	t.Helper()
	f, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("%s is not linked statically", path)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() > mostBytes {
		t.Errorf("%s has %d bytes, more than %d", path, info.Size(), mostBytes)
	}
}
