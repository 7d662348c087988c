package load

import (
	"net/netip"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/probes/probestest"
	"github.com/cnibench/cnibench/probes/worker"
)

// TestHotLoopsAllocateNothing counts allocations while the loops run. Their peer is
// another process, because testing.AllocsPerRun leaves this one a single P, which
// the loop keeps.
func TestHotLoopsAllocateNothing(t *testing.T) {
	b, l := make([]byte, readSize), new(hot.Latencies)
	request, answer := make([]byte, 1), make([]byte, 1)
	out, in, counted, stopped := hot.NewBatch(64, 1), hot.NewBatch(64, 1), new(hot.Sequence), atomic.Bool{}
	opened := connections{b: make([]byte, 1)}
	for _, c := range []struct {
		name string
		peer func(t *testing.T, w *worker.Worker) *hot.Socket
		loop func(fd int, end int64)
	}{
		{"rounds", echoingPeer, func(fd int, end int64) {
			(&hot.RoundTrips{FD: fd, Request: request, Answer: answer, Stopped: &stopped}).Run(l, end)
		}},
		{"connections", func(t *testing.T, w *worker.Worker) *hot.Socket { return servingPeer(t, w, &opened) }, func(_ int, end int64) { opened.run(l, end) }},
		{"receive", sendingPeer, func(fd int, end int64) { var a hot.Arrivals; a.Receive(fd, b, end); a.Drain(fd, b, end+1e6) }},
		{"batch send", deafPeer, func(fd int, end int64) { out.Send(fd, 0, hot.Nanotime(), end, &stopped) }},
		{"batch paced", deafPeer, func(fd int, end int64) { out.Send(fd, 50_000, hot.Nanotime(), end, &stopped) }},
		{"batch receive", ownPeer, func(fd int, end int64) {
			out.Send(fd, 0, hot.Nanotime(), end, &stopped)
			counted.Receive(fd, in, unix.MSG_WAITFORONE, &stopped)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := probestest.Process(t)
			s := c.peer(t, w)
			defer s.Close()
			if n := testing.AllocsPerRun(5, func() { c.loop(s.FD, hot.NanotimeAfter(time.Millisecond)) }); n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

// TestTransmitAllocatesNothing counts allocations of the sending loops. A loop ends
// only with its connection, so each call gets a connection of its own beforehand.
func TestTransmitAllocatesNothing(t *testing.T) {
	b := make([]byte, writeSize)
	for name, loop := range map[string]func(fd int, b []byte) (int64, int64, syscall.Errno){"copied": hot.Transmit, "zerocopy": hot.TransmitZerocopy} {
		t.Run(name, func(t *testing.T) {
			var n uint64
			for range 2 { // the first call may allocate something once
				w, cmd := probestest.Process(t)
				s := receivingPeer(t, w)
				defer s.Close()
				if err := unix.SetsockoptInt(s.FD, unix.SOL_SOCKET, unix.SO_ZEROCOPY, 1); err != nil {
					t.Fatal(err)
				}
				// A stopped peer does not answer; reading an answer would allocate.
				go func() {
					time.Sleep(200 * time.Millisecond)
					unix.Kill(cmd.Process.Pid, unix.SIGSTOP)
					unix.Shutdown(s.FD, unix.SHUT_RDWR)
				}()
				time.Sleep(20 * time.Millisecond) // let the goroutine reach its Sleep
				before := mallocs()
				bytes, _, _ := loop(s.FD, b)
				n = mallocs() - before
				unix.Kill(cmd.Process.Pid, unix.SIGCONT)
				if bytes == 0 {
					t.Error("nothing was sent")
				}
			}
			if n != 0 {
				t.Errorf("%v allocations", n)
			}
		})
	}
}

func mallocs() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

func echoingPeer(t *testing.T, w *worker.Worker) *hot.Socket {
	t.Helper()
	call, err := w.Start(t.Context(), "tcp-rr/server", RRArgs{Addr: probestest.Localhost, CPU: -1, Size: 1, Duration: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var bound probes.Listening
	if err := call.Ready(t.Context(), &bound); err != nil {
		t.Fatal(err)
	}
	s, err := hot.ConnectTCP(t.Context(), netip.AddrPortFrom(probestest.Localhost, bound.Port))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// servingPeer starts a server of one connection after another and makes it the peer
// of loop.
func servingPeer(t *testing.T, w *worker.Worker, loop *connections) *hot.Socket {
	t.Helper()
	call, err := w.Start(t.Context(), "tcp-crr/server", RRArgs{Addr: probestest.Localhost, CPU: -1, Size: 1, Duration: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var bound probes.Listening
	if err := call.Ready(t.Context(), &bound); err != nil {
		t.Fatal(err)
	}
	if loop.peer, loop.length, err = rawSockaddr(netip.AddrPortFrom(probestest.Localhost, bound.Port)); err != nil {
		t.Fatal(err)
	}
	return deafPeer(t, w) // the loop does not use it
}

func sendingPeer(t *testing.T, w *worker.Worker) *hot.Socket {
	t.Helper()
	listener, port, err := hot.ListenTCP(t.Context(), probestest.Localhost, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	if _, err := w.Start(t.Context(), "tcp-stream/client", StreamArgs{Peer: netip.AddrPortFrom(probestest.Localhost, port), CPU: -1, Streams: 1, Duration: time.Second}); err != nil {
		t.Fatal(err)
	}
	s, err := listener.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// receivingPeer receives until its process ends.
func receivingPeer(t *testing.T, w *worker.Worker) *hot.Socket {
	t.Helper()
	_, s := connectedTo(t, w, StreamArgs{Addr: probestest.Localhost, CPU: -1, Streams: 1, Duration: time.Minute})
	return s
}

// connectedTo starts the receiver of a stream and connects to it.
func connectedTo(t *testing.T, w *worker.Worker, args StreamArgs) (*worker.Call, *hot.Socket) {
	t.Helper()
	call, err := w.Start(t.Context(), "tcp-stream/server", args)
	if err != nil {
		t.Fatal(err)
	}
	var bound probes.Listening
	if err := call.Ready(t.Context(), &bound); err != nil {
		t.Fatal(err)
	}
	s, err := hot.ConnectTCP(t.Context(), netip.AddrPortFrom(probestest.Localhost, bound.Port))
	if err != nil {
		t.Fatal(err)
	}
	return call, s
}

// deafPeer returns a socket that is connected to one from which nothing is read.
func deafPeer(t *testing.T, _ *worker.Worker) *hot.Socket {
	t.Helper()
	deaf, port := datagramSocket(t)
	t.Cleanup(func() { deaf.Close() })
	s, err := hot.NewSocket(t.Context(), probestest.Localhost, unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Connect(t.Context(), netip.AddrPortFrom(probestest.Localhost, port)); err != nil {
		t.Fatal(err)
	}
	return s
}

// ownPeer returns a socket that receives what it sends. Receiving fails if nothing
// arrives for a moment, which ends the loop.
func ownPeer(t *testing.T, _ *worker.Worker) *hot.Socket {
	t.Helper()
	s, port := datagramSocket(t)
	// The timeout is shorter than the scheduler takes to interrupt a thread, which
	// restarts it.
	moment := unix.NsecToTimeval(int64(2 * time.Millisecond))
	if err := unix.SetsockoptTimeval(s.FD, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &moment); err != nil {
		t.Fatal(err)
	}
	if err := s.Connect(t.Context(), netip.AddrPortFrom(probestest.Localhost, port)); err != nil {
		t.Fatal(err)
	}
	return s
}

func datagramSocket(t *testing.T) (*hot.Socket, uint16) {
	t.Helper()
	s, port, err := hot.BoundUDP(t.Context(), probestest.Localhost)
	if err != nil {
		t.Fatal(err)
	}
	return s, port
}
