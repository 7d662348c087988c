package lab

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/load"
	"github.com/cnibench/cnibench/probes/probestest"
	"github.com/cnibench/cnibench/probes/worker"
)

// inLabTest makes the test binary a lab's init, in which one test runs.
const inLabTest = "CNIBENCH_TEST_IN_LAB"

func TestMain(m *testing.M) {
	if os.Getenv(inLabTest) != "" && len(os.Args) > 1 && os.Args[1] != "worker" {
		if err := privateMounts(""); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	probestest.Main(m, func(name string) (worker.Role, error) {
		return probes.FindRole([]*probes.Probe{load.TCPStream()}, name)
	})
}

// inLab reports whether the test runs in a lab's namespaces. If not, it runs the
// test there, and the caller must return.
func inLab(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inLabTest) != "" {
		return true
	}
	if out, err := inNamespaces(t.Context(), "-test.run=^$"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("missing here: private namespaces: %v\n%s", err, out)
		}
		t.Skipf("missing here: private namespaces: %v\n%s", err, out)
	}
	out, err := inNamespaces(t.Context(), "-test.run=^"+t.Name()+"$", "-test.v")
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("in the lab: %v", err)
	}
	return false
}

// inNamespaces runs the test binary as the first process of a lab.
func inNamespaces(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
	cmd.Env = append(os.Environ(), inLabTest+"=1")
	cmd.SysProcAttr = namespaces()
	return cmd.CombinedOutput()
}

// needsFeature skips a test that needs a feature that this kernel lacks.
func needsFeature(t *testing.T, name string) {
	t.Helper()
	err := Feature(name)
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("missing here: %s: %v", name, err)
	default:
		t.Skipf("missing here: %s: %v", name, err)
	}
}
