package load

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/frames"
	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
)

// crrBacklog is the length of the server's accept queue. The client opens one
// connection at a time.
const crrBacklog = 128

// TCPCRR repeatedly opens a connection, exchanges one request and response, and
// closes it. It shows what new connections cost: connection tracking, NAT and
// policies act on the first packet.
func TCPCRR() *probes.Probe {
	metrics := append([]results.Metric{{Name: "rate", Unit: "1/s", Better: "higher"}}, latencyMetrics()[:4]...)
	return &probes.Probe{
		Name: "tcp-crr", Title: "TCP connections per second: connect, one request and response, close", Metrics: metrics, Placement: probes.Same,
		Roles: map[string]worker.Role{"server": tcpCRRServer, "client": tcpCRRClient},
		Measure: func(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
			return measureRR(ctx, s, "tcp-crr")
		},
	}
}

// tcpCRRServer serves connections until it is cancelled. It closes first, as
// HTTP/1.0 servers do, so that the TIME-WAIT state of old connections stays on the
// server and does not use up the client's ports.
func tcpCRRServer(ctx context.Context, r *worker.Request) (any, error) {
	args, err := readRRArgs(r)
	if err != nil {
		return nil, err
	}
	listener, port, err := hot.ListenTCP(ctx, args.Addr, args.Port, crrBacklog)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	// Accepted connections inherit the congestion control.
	var result ServerResult
	if _, result.Warnings, err = listener.SetCongestionControl(); err != nil {
		return nil, err
	}
	if err := r.Ready(probes.Listening{Port: port}); err != nil {
		return nil, err
	}
	var at hot.Current
	defer at.Watch(ctx)()
	clock := hot.StartClockwork(probes.WarmUp(args.Duration))
	err = hot.OnCPU(args.CPU, func() error {
		b := make([]byte, args.Size)
		defer hot.Keep(b)
		errno := serveEach(listener.FD, b, &at)
		if errors.Is(context.Cause(ctx), worker.ErrCancelled) {
			return nil
		}
		return hot.IOError(ctx, "serving connections", errno)
	})
	if err != nil {
		return nil, err
	}
	result.Machine, err = clock.End()
	return result, err
}

func tcpCRRClient(ctx context.Context, r *worker.Request) (any, error) {
	args, err := readRRArgs(r)
	if err != nil {
		return nil, err
	}
	var result LatencyResult
	// The first connection warms up the path and reports the congestion control.
	first, err := dialTCPRR(ctx, args, &result)
	if err != nil {
		return nil, err
	}
	first.Close()
	peer, length, err := rawSockaddr(args.Peer)
	if err != nil {
		return nil, err
	}
	loop := connections{peer: peer, length: length, b: make([]byte, args.Size), most: args.Most}
	defer loop.at.Watch(ctx)()
	err = hot.OnCPU(args.CPU, func() error {
		defer hot.Keep(loop.b)
		return result.sample(args.Duration, func(l *hot.Latencies, end int64) (int64, int64, error) {
			n, last, errno := loop.run(l, end)
			if errno != 0 {
				return 0, 0, hot.IOError(ctx, loop.doing(n+1, args.Peer), errno)
			}
			if args.Most > 0 { // the loop ends early, and the server counts from the end of the warm-up on
				hot.SleepUntil(end)
			}
			return n, last, nil
		})
	})
	return result, err
}

// rawSockaddr returns an address in the form that connect(2) takes, and its length.
func rawSockaddr(a netip.AddrPort) (unix.RawSockaddrAny, int, error) {
	var any unix.RawSockaddrAny
	switch {
	case a.Addr().Is4():
		sa := (*unix.RawSockaddrInet4)(unsafe.Pointer(&any))
		*sa = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: frames.NetworkOrder(a.Port()), Addr: a.Addr().As4()}
		return any, unix.SizeofSockaddrInet4, nil
	case a.Addr().Is6():
		sa := (*unix.RawSockaddrInet6)(unsafe.Pointer(&any))
		*sa = unix.RawSockaddrInet6{Family: unix.AF_INET6, Port: frames.NetworkOrder(a.Port()), Addr: a.Addr().As16()}
		return any, unix.SizeofSockaddrInet6, nil
	}
	return any, 0, fmt.Errorf("converting the address %s: it is neither IPv4 nor IPv6", a)
}

// connections is a loop that opens one connection after another.
type connections struct {
	peer   unix.RawSockaddrAny
	length int // of peer
	b      []byte
	most   int64 // connections in one run, 0 for no bound
	at     hot.Current
	opened bool // whether connecting succeeded for the last one
}

// run opens a connection, sends b, receives as many bytes, waits for the peer to
// close and closes, over and over until the clock passes end or
// it has opened as many as it may.
//
//go:nosplit
func (c *connections) run(l *hot.Latencies, end int64) (n, last int64, errno syscall.Errno) {
	last = hot.Nanotime()
	for last < end && (c.most == 0 || n < c.most) {
		c.opened = false
		fd, _, errno := syscall.RawSyscall(unix.SYS_SOCKET, uintptr(c.peer.Addr.Family), unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
		if errno != 0 {
			return n, last, errno
		}
		if !c.at.Take(int(fd)) {
			errno = hot.Ended
		} else if _, _, errno = syscall.RawSyscall(unix.SYS_CONNECT, fd, uintptr(unsafe.Pointer(&c.peer)), uintptr(c.length)); errno == 0 {
			c.opened = true
			errno = exchange(int(fd), c.b)
		}
		c.at.Release(int(fd))
		syscall.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
		if errno != 0 {
			return n, last, errno
		}
		now := hot.Nanotime()
		l.Add(now - last)
		last = now
		n++
	}
	return n, last, 0
}

// doing describes what the loop was doing when it ended in its nth connection.
func (c *connections) doing(n int64, peer netip.AddrPort) string {
	if c.opened {
		return fmt.Sprintf("sending a request to %s over connection %d", peer, n)
	}
	return fmt.Sprintf("opening connection %d to %s", n, peer)
}

// exchange sends b and receives as many bytes and then the end of the stream.
//
//go:nosplit
func exchange(fd int, b []byte) syscall.Errno {
	if errno := hot.SendAll(fd, b); errno != 0 {
		return errno
	}
	if errno := hot.ReceiveAll(fd, b, 0, nil); errno != 0 {
		return errno
	}
	if n, errno := hot.RawReceive(fd, b, 0); n != 0 || errno != 0 {
		return unix.EPROTO
	}
	return 0
}

// serveEach answers one request on each connection and closes it, until
// accepting fails, as it does when the listener is shut down.
//
//go:nosplit
func serveEach(listener int, b []byte, at *hot.Current) syscall.Errno {
	for {
		fd, _, errno := syscall.RawSyscall6(unix.SYS_ACCEPT4, uintptr(listener), 0, 0, unix.SOCK_CLOEXEC, 0, 0)
		if errno == unix.EINTR || errno == unix.ECONNABORTED {
			continue
		}
		if errno != 0 {
			return errno
		}
		if at.Take(int(fd)) && hot.ReceiveAll(int(fd), b, 0, nil) == 0 {
			hot.SendAll(int(fd), b)
		}
		at.Release(int(fd))
		syscall.RawSyscall(unix.SYS_CLOSE, fd, 0, 0)
	}
}
