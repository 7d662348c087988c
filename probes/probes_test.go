package probes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "worker" {
		err := errors.Join(PrepareWorker(), Serve(context.Background(), os.Stdin, os.Stdout))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// process starts a worker as a process of its own. The hot loops hold up the
// runtime of their process, so they do not run in the test's.
func process(t *testing.T) (*Worker, *exec.Cmd) {
	t.Helper()
	return processIn(t, func(f func() error) error { return f() })
}

// processIn starts a worker where do calls functions.
func processIn(t *testing.T, do func(func() error) error) (*Worker, *exec.Cmd) {
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
	w := Connect(in, out)
	t.Cleanup(func() {
		w.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	return w, cmd
}

// connected is a worker that serves in this process, for roles of the tests.
func connected(t *testing.T, find func(string) (Role, error)) *Worker {
	t.Helper()
	workerIn, in := io.Pipe()
	out, workerOut := io.Pipe()
	served := make(chan error, 1)
	go func() {
		err := serve(context.Background(), workerIn, workerOut, find)
		workerOut.Close()
		served <- err
	}()
	w := Connect(in, out)
	t.Cleanup(func() {
		w.Close()
		<-served
	})
	return w
}

// loopback is a site whose two ends are two processes on this machine.
func loopback(t *testing.T, d time.Duration) *Site {
	addr := netip.MustParseAddr("127.0.0.1")
	client, _ := process(t)
	server, _ := process(t)
	return &Site{Duration: d,
		Client: End{Worker: client, Addr: addr, CPU: -1, NodeName: "a"},
		Server: End{Worker: server, Addr: addr, CPU: -1, NodeName: "b"}}
}

func TestSamples(t *testing.T) {
	for _, spec := range []string{"tcp-stream", "tcp-rr", "tcp-rr:size=512", "tcp-rr:rate=2000", "udp-rr", "udp-rr:size=100:busy", "udp-rr:rate=1000", "tcp-crr", "load-latency", "udp-pps", "udp-pps:segments=8",
		"tcp-stream:streams=3", "tcp-stream:both", "tcp-stream:reverse:zerocopy"} {
		t.Run(spec, func(t *testing.T) {
			p, params, err := Parse(spec)
			if err != nil {
				t.Fatal(err)
			}
			s := loopback(t, 200*time.Millisecond)
			s.Params = params
			m, err := p.Measure(t.Context(), s)
			if err != nil {
				t.Fatal(err)
			}
			for _, metric := range p.Metrics {
				if slices.Contains([]string{"packets", "segments", "drops", "agents"}, metric.Name) {
					continue // need a worker on the node
				}
				v, ok := m.Values[metric.Name]
				if !ok || v < 0 || v == 0 && metric.Name != "retransmits" && metric.Name != "cpu" && metric.Name != "switches" && metric.Name != "loss" && metric.Name != "reordered" {
					t.Errorf("%s is %v, %v", metric.Name, v, ok)
				}
			}
			if m.Seconds <= 0 || m.Seconds > s.Duration.Seconds() || m.CPU == nil {
				t.Errorf("%+v", m)
			}
			// Outside the lab an ordinary user may not set it everywhere.
			if other := m.Params["congestion"]; other != CongestionControl && strings.HasPrefix(spec, "tcp") && !strings.Contains(strings.Join(m.Warnings, "; "), "congestion control is "+other) {
				t.Errorf("congestion control is %s, and no warning says so: %q", other, m.Warnings)
			}
			if m.Hist != nil && (m.Values["p50"] > m.Values["p99"] || m.Values["p99"] > m.Values["p999"]) {
				t.Errorf("percentiles are out of order: %v", m.Values)
			}
		})
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ spec, name, key, value, err string }{
		{"tcp-rr", "tcp-rr", "size", "1", ""},
		{"tcp-rr:size=64", "tcp-rr", "size", "64", ""},
		{"encap", "encap", "", "", ""},
		{"tcp-rr:size=0", "", "", "", "from 1 to"},
		{"tcp-rr:size=x", "", "", "", "from 1 to"},
		{"tcp-rr:size", "", "", "", "from 1 to"},
		{"tcp-rr:size=1:size=2", "", "", "", "twice"},
		{"tcp-rr:", "", "", "", "there is no parameter"},
		{"encap:x=1", "", "", "", "takes no parameters"},
		{"tcp", "", "", "", "there is no probe"},
		{"", "", "", "", "there is no probe"},
	} {
		t.Run(c.spec, func(t *testing.T) {
			p, params, err := Parse(c.spec)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("error %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || p.Name != c.name || params[c.key] != c.value {
				t.Errorf("%v, %v, %v", p, params, err)
			}
		})
	}
}

// roles for faults.
func faultyRole(name string) (Role, error) {
	switch name {
	case "answers":
		return func(context.Context, *Request) (any, error) { return 42, nil }, nil
	case "fails":
		return func(context.Context, *Request) (any, error) { return nil, errors.New("no route to the peer") }, nil
	case "panics":
		return func(context.Context, *Request) (any, error) { panic("a bug") }, nil
	case "waits":
		return func(ctx context.Context, r *Request) (any, error) {
			if err := r.Ready(1); err != nil {
				return nil, err
			}
			<-ctx.Done()
			return nil, context.Cause(ctx)
		}, nil
	}
	return nil, errors.New("no such role")
}

func TestCalls(t *testing.T) {
	for _, c := range []struct{ name, role, err string }{
		{"a role answers", "answers", ""},
		{"a role fails", "fails", "no route to the peer"},
		{"a role panics", "panics", "panicked: a bug"},
		{"a role that there is not", "other", "no such role"},
		{"a role that takes too long", "waits", "time limit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := connected(t, faultyRole)
			ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
			defer cancel()
			call, err := w.Start(ctx, c.role, nil)
			if err != nil {
				t.Fatal(err)
			}
			var v int
			err = call.Wait(ctx, &v)
			if c.err == "" && (err != nil || v != 42) || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("%d, %v", v, err)
			}
			if again, err := w.Start(t.Context(), "answers", nil); err != nil {
				t.Error("the worker is of no use afterwards: ", err)
			} else if err := again.Wait(t.Context(), &v); err != nil || v != 42 {
				t.Error("the worker is of no use afterwards: ", err)
			}
		})
	}
}

// TestStrangeWorkers speaks for workers that break the protocol.
func TestStrangeWorkers(t *testing.T) {
	for _, c := range []struct{ name, out, err string }{
		{"one that ends", "", "the worker ended"},
		{"one that writes something else", "panic: no\n", "which is no reply"},
		{"one whose line is cut", `{"id":1,"res`, "within a line"},
		{"one that complains", `{"id":0,"error":"bad line"}` + "\n", "bad line"},
		{"one that answers somebody else", `{"id":77,"result":1}` + "\n", "the worker ended"},
	} {
		t.Run(c.name, func(t *testing.T) {
			sink, in := io.Pipe()
			go io.Copy(io.Discard, sink)
			out, workerOut := io.Pipe()
			w := Connect(in, out)
			defer w.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			call, err := w.Start(ctx, "answers", nil)
			if err != nil {
				t.Fatal(err)
			}
			go func() {
				io.WriteString(workerOut, c.out)
				workerOut.Close()
			}()
			if err := call.Wait(ctx, nil); err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("error %v, want %q", err, c.err)
			}
		})
	}
}

func TestSilentWorkerIsGivenUp(t *testing.T) {
	sink, in := io.Pipe()
	go io.Copy(io.Discard, sink)
	out, workerOut := io.Pipe()
	defer workerOut.Close()
	w := Connect(in, out)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	call, err := w.Start(ctx, "answers", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := call.Wait(ctx, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	w.Close()
}

func TestBadControlLines(t *testing.T) {
	in := strings.NewReader(strings.Join([]string{
		`not json`, `{}`, `{"id":1}`, `{"id":-1,"role":"answers"}`, `{"id":2,"role":"answers","what":1}`, `{"cancel":9,"id":1}`,
		`{"id":3,"role":"answers","timeout_ms":-1}`, `{"id":4,"role":"answers"}{"id":5,"role":"answers"}`, strings.Repeat(" x", maxRequestLine), `{"id":6,"role":"answers"}`,
	}, "\n") + "\n" + `{"id":7,"ro`)
	var out strings.Builder
	if err := serve(t.Context(), in, &out, faultyRole); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 11 {
		t.Errorf("%d answers to 11 lines:\n%s", len(lines), out.String())
	}
	if !strings.Contains(out.String(), `{"id":6,"result":42}`) {
		t.Errorf("the good line was not answered:\n%s", out.String())
	}
}

// TestPeerDies kills one end in mid-sample: the sample fails with a cause, and
// the other end is of use afterwards.
func TestPeerDies(t *testing.T) {
	for _, spec := range []string{"tcp-stream", "tcp-rr"} {
		t.Run(spec, func(t *testing.T) {
			p, params, err := Parse(spec)
			if err != nil {
				t.Fatal(err)
			}
			s := loopback(t, 2*time.Second)
			doomed, cmd := process(t)
			survivor := s.Server
			s.Server.Worker, s.Params = doomed, params
			time.AfterFunc(300*time.Millisecond, func() { cmd.Process.Kill() })
			if _, err := p.Measure(t.Context(), s); err == nil {
				t.Error("the sample did not fail")
			} else {
				t.Log(err)
			}
			s.Server, s.Duration = survivor, 200*time.Millisecond
			if _, err := p.Measure(t.Context(), s); err != nil {
				t.Error("the client is of no use afterwards: ", err)
			}
		})
	}
}

// TestHotLoopsAllocateNothing counts allocations while the loops run. Their
// peer is another process: counting leaves this one a single P, which the loop
// keeps.
func TestHotLoopsAllocateNothing(t *testing.T) {
	b, l := make([]byte, readSize), new(latencies)
	request, answer := make([]byte, 1), make([]byte, 1)
	out, in, counted, stopped := newBatch(64, 1), newBatch(64, 1), new(sequence), atomic.Bool{}
	opened := connections{b: make([]byte, 1)}
	for _, c := range []struct {
		name string
		peer func(t *testing.T, w *Worker) *socket
		loop func(fd int, end int64)
	}{
		{"rounds", echoingPeer, func(fd int, end int64) {
			(&roundTrips{fd: fd, request: request, answer: answer, stopped: &stopped}).run(l, end)
		}},
		{"connections", func(t *testing.T, w *Worker) *socket { return servingPeer(t, w, &opened) }, func(_ int, end int64) { opened.run(l, end) }},
		{"receive", sendingPeer, func(fd int, end int64) { receive(fd, b, end) }},
		{"batch send", deafPeer, func(fd int, end int64) { out.send(fd, 0, nanotime(), end, &stopped) }},
		{"batch paced", deafPeer, func(fd int, end int64) { out.send(fd, 50_000, nanotime(), end, &stopped) }},
		{"batch receive", ownPeer, func(fd int, end int64) {
			out.send(fd, 0, nanotime(), end, &stopped)
			counted.receive(fd, in, unix.MSG_WAITFORONE, &stopped)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := process(t)
			s := c.peer(t, w)
			defer s.Close()
			if n := testing.AllocsPerRun(5, func() { c.loop(s.fd, nanotimeAfter(time.Millisecond)) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

// TestTransmitAllocatesNothing: a stream ends only with its connection, so each
// call has one of its own, made before.
func TestTransmitAllocatesNothing(t *testing.T) {
	b := make([]byte, writeSize)
	for name, loop := range map[string]func(fd int, b []byte) (int64, int64, syscall.Errno){"copied": transmit, "zerocopy": transmitZerocopy} {
		t.Run(name, func(t *testing.T) {
			var streams []*socket
			var ends []*Call
			for range 2 { // AllocsPerRun calls once more, for nothing
				w, _ := process(t)
				s, end := receivingPeer(t, w)
				defer s.Close()
				if err := unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ZEROCOPY, 1); err != nil {
					t.Fatal(err)
				}
				streams, ends = append(streams, s), append(ends, end)
			}
			n := testing.AllocsPerRun(1, func() {
				bytes, _, _ := loop(streams[0].fd, b)
				if bytes == 0 {
					t.Error("nothing was sent")
				}
				// The first peer's answer must not be read during the second call.
				if streams = streams[1:]; len(streams) == 1 {
					if err := ends[0].Wait(t.Context(), new(struct{})); err != nil {
						t.Error(err)
					}
				}
			})
			if n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

var local = netip.MustParseAddr("127.0.0.1")

func echoingPeer(t *testing.T, w *Worker) *socket {
	t.Helper()
	call, err := w.Start(t.Context(), "tcp-rr/server", rrArgs{Addr: local, CPU: -1, Size: 1, Duration: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var bound listening
	if err := call.Ready(t.Context(), &bound); err != nil {
		t.Fatal(err)
	}
	s, err := connectTCP(t.Context(), netip.AddrPortFrom(local, bound.Port))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// servingPeer serves one connection after the other, and is made the peer of a
// loop.
func servingPeer(t *testing.T, w *Worker, loop *connections) *socket {
	t.Helper()
	call, err := w.Start(t.Context(), "tcp-crr/server", rrArgs{Addr: local, CPU: -1, Size: 1, Duration: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var bound listening
	if err := call.Ready(t.Context(), &bound); err != nil {
		t.Fatal(err)
	}
	if loop.peer, loop.length, err = rawSockaddr(netip.AddrPortFrom(local, bound.Port)); err != nil {
		t.Fatal(err)
	}
	return deafPeer(t, w) // not used
}

func sendingPeer(t *testing.T, w *Worker) *socket {
	t.Helper()
	listener, port, err := listenTCP(t.Context(), local, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if _, err := w.Start(t.Context(), "tcp-stream/client", streamArgs{Peer: netip.AddrPortFrom(local, port), CPU: -1, Streams: 1, Duration: time.Second}); err != nil {
		t.Fatal(err)
	}
	s, err := listener.accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// receivingPeer receives for a while and then resets the connection.
func receivingPeer(t *testing.T, w *Worker) (*socket, *Call) {
	t.Helper()
	call, err := w.Start(t.Context(), "tcp-stream/server", streamArgs{Addr: local, CPU: -1, Streams: 1, Duration: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	var bound listening
	if err := call.Ready(t.Context(), &bound); err != nil {
		t.Fatal(err)
	}
	s, err := connectTCP(t.Context(), netip.AddrPortFrom(local, bound.Port))
	if err != nil {
		t.Fatal(err)
	}
	return s, call
}

// deafPeer is a socket that nobody reads, seen from a connected one.
func deafPeer(t *testing.T, _ *Worker) *socket {
	t.Helper()
	deaf, port := datagramSocket(t)
	t.Cleanup(func() { deaf.Close() })
	s, err := newSocket(t.Context(), local, unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.connect(t.Context(), netip.AddrPortFrom(local, port)); err != nil {
		t.Fatal(err)
	}
	return s
}

// ownPeer is a socket that receives what it sends. Receiving fails when none
// came for a moment, which ends the loop.
func ownPeer(t *testing.T, _ *Worker) *socket {
	t.Helper()
	s, port := datagramSocket(t)
	// Shorter than the scheduler takes to interrupt a thread, which begins it anew.
	moment := unix.NsecToTimeval(int64(2 * time.Millisecond))
	if err := unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &moment); err != nil {
		t.Fatal(err)
	}
	if err := s.connect(t.Context(), netip.AddrPortFrom(local, port)); err != nil {
		t.Fatal(err)
	}
	return s
}

func datagramSocket(t *testing.T) (*socket, uint16) {
	t.Helper()
	s, err := newSocket(t.Context(), local, unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	if err != nil {
		t.Fatal(err)
	}
	port, err := s.bind(local)
	if err != nil {
		t.Fatal(err)
	}
	return s, port
}
