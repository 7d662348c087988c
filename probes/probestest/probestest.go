// Package probestest provides helpers for tests of probes: workers in processes of
// their own, a site on the loopback interface, and packets.
package probestest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/worker"
)

// Main runs a package's tests. The test binary is also the worker that [Process]
// starts; find finds that worker's roles.
func Main(m *testing.M, find func(string) (worker.Role, error)) {
	if len(os.Args) == 2 && os.Args[1] == "worker" {
		err := errors.Join(worker.Prepare(), worker.Serve(context.Background(), os.Stdin, os.Stdout, find))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Localhost is the address on which workers of tests listen.
var Localhost = netip.MustParseAddr("127.0.0.1")

// Process starts a worker in a process of its own. Hot loops block the runtime of
// their process, so they must not run in the test's.
func Process(t *testing.T) (*worker.Worker, *exec.Cmd) {
	t.Helper()
	return ProcessIn(t, func(f func() error) error { return f() })
}

// ProcessIn starts a worker from within do, which may call its argument elsewhere,
// such as in another network namespace.
func ProcessIn(t *testing.T, do func(func() error) error) (*worker.Worker, *exec.Cmd) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", "worker")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := do(cmd.Start); err != nil {
		t.Fatal(err)
	}
	w := worker.Connect(in, out)
	t.Cleanup(func() {
		w.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	return w, cmd
}

// Connected returns a worker that runs in this process, for roles that tests define.
func Connected(t *testing.T, find func(string) (worker.Role, error)) *worker.Worker {
	t.Helper()
	workerIn, in := io.Pipe()
	out, workerOut := io.Pipe()
	served := make(chan error, 1)
	go func() {
		err := worker.Serve(context.Background(), workerIn, workerOut, find)
		workerOut.Close()
		served <- err
	}()
	w := worker.Connect(in, out)
	t.Cleanup(func() {
		w.Close()
		<-served
	})
	return w
}

// Loopback returns a site whose two ends are two processes on this machine.
func Loopback(t *testing.T, d time.Duration) *probes.Site {
	addr := netip.MustParseAddr("127.0.0.1")
	client, _ := Process(t)
	server, _ := Process(t)
	return &probes.Site{Duration: d,
		Client: probes.End{Worker: client, Addr: addr, CPU: -1, NodeName: "a"},
		Server: probes.End{Worker: server, Addr: addr, CPU: -1, NodeName: "b"}}
}
