package catalogue

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/probestest"
)

// TestNothingIsLeft takes good and bad samples and checks that they leave no sockets
// and threads in a worker and no goroutines here.
func TestNothingIsLeft(t *testing.T) {
	client, clientCmd := probestest.Process(t)
	server, serverCmd := probestest.Process(t)
	site := func(name string, params map[string]string) *probes.Site {
		end := probes.End{Addr: probestest.Localhost, CPU: -1, NodeName: name}
		s := &probes.Site{Duration: 200 * time.Millisecond, Client: end, Server: end, Params: params}
		s.Client.Worker, s.Server.Worker = client, server
		return s
	}
	take := func() {
		for _, spec := range []string{"tcp-stream:streams=4:both", "tcp-rr", "udp-rr", "tcp-crr", "udp-pps", "load-latency"} {
			p, params, err := Parse(spec)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.Measure(t.Context(), site(spec, params)); err != nil {
				t.Fatalf("%s: %v", spec, err)
			}
			doomed, cmd := probestest.Process(t)
			s := site(spec, params)
			s.Server.Worker = doomed
			time.AfterFunc(40*time.Millisecond, func() { cmd.Process.Kill() })
			if _, err := p.Measure(t.Context(), s); err == nil {
				t.Errorf("%s: the sample of a peer that died did not fail", spec)
			}
			doomed.Close()
		}
	}
	take() // the runtime creates its own threads and descriptors now, and keeps
	take() // the threads for later
	goroutines := runtime.NumGoroutine()
	workers := []int{clientCmd.Process.Pid, serverCmd.Process.Pid}
	var sockets, threads []int
	for _, pid := range workers {
		sockets, threads = append(sockets, countSockets(t, pid)), append(threads, countThreads(t, pid))
	}
	const takes = 5
	for range takes {
		take()
	}
	settled(t, "goroutines here", goroutines, runtime.NumGoroutine)
	for i, pid := range workers {
		settled(t, "sockets of a worker", sockets[i], func() int { return countSockets(t, pid) })
		// A leak of one thread in each of a probe's samples, good and bad, would
		// exceed this limit. On a loaded machine the runtime may have needed a few
		// more threads of its own than before.
		settled(t, "threads of a worker", threads[i]+2*takes-1, func() int { return countThreads(t, pid) })
	}
}

// settleLimit is how long what a sample leaves behind may take to end. It is generous: on a busy
// machine, threads that were told to end wait for a CPU first.
const settleLimit = 30 * time.Second

// settled waits for a count to fall to at most what it was before.
func settled(t *testing.T, what string, most int, count func() int) {
	t.Helper()
	n := count()
	for begin := time.Now(); n > most && time.Since(begin) < settleLimit; n = count() {
		time.Sleep(20 * time.Millisecond)
	}
	if n > most {
		t.Errorf("%d %s, %d before", n, what, most)
	}
}

func countSockets(t *testing.T, pid int) int {
	t.Helper()
	fds, err := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "fd", "*"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, fd := range fds {
		if to, err := os.Readlink(fd); err == nil && strings.HasPrefix(to, "socket:") {
			n++
		}
	}
	return n
}

func countThreads(t *testing.T, pid int) int {
	t.Helper()
	tasks, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(pid), "task"))
	if err != nil {
		t.Fatal(err)
	}
	return len(tasks)
}
