package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cnibench/cnibench/testbed/lab"
)

// The lab starts this binary again, as its init and as workers.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == lab.InitCommand || os.Args[1] == lab.WorkerCommand || os.Args[1] == netConnCommand || os.Args[1] == "-check") {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestAgreement compares the probes with independent measurements.
func TestAgreement(t *testing.T) {
	bin, err := filepath.Abs("../../bin")
	if err != nil {
		t.Fatal(err)
	}
	needs(t, "iperf3", filepath.Join(bin, "flanneld"), filepath.Join(bin, "etcd"))
	var log bytes.Buffer
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-check", "-bin", bin)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &log)
	}
	t.Log(log.String())
}

// needs skips a test that cannot run here and names the missing program. In continuous
// integration, nothing may be missing.
func needs(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			continue
		}
		if os.Getenv("CI") != "" {
			t.Fatalf("missing here: %s", program)
		}
		t.Skipf("missing here: %s", program)
	}
}
