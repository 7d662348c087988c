package probes

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socket is a blocking socket outside Go's poller. It is shut down when its
// context ends, which wakes every thread that is blocked on it.
type socket struct {
	fd   int
	stop func() bool
	// stopped is set when the context ends, for loops that poll.
	stopped atomic.Bool

	mu     sync.Mutex // closing against shutting down a descriptor that is somebody else's by then
	closed bool
}

// newSocket makes a socket of the address's family.
func newSocket(ctx context.Context, addr netip.Addr, kind, protocol int) (*socket, error) {
	family := unix.AF_INET6
	if addr.Is4() {
		family = unix.AF_INET
	}
	fd, err := unix.Socket(family, kind|unix.SOCK_CLOEXEC, protocol)
	if err != nil {
		return nil, fmt.Errorf("making a socket for %s: %w", addr, os.NewSyscallError("socket", err))
	}
	return watch(ctx, fd), nil
}

// watch takes over a descriptor.
func watch(ctx context.Context, fd int) *socket {
	s := &socket{fd: fd}
	s.stop = context.AfterFunc(ctx, s.interrupt)
	return s
}

// interrupt ends blocked calls on the socket until it is closed. Once would not
// do: a socket that was shut down before it listens or connects waits all the
// same when it does. On a socket that is not connected shutdown fails, but wakes
// waiters all the same.
func (s *socket) interrupt() {
	s.stopped.Store(true)
	for s.shutDown() {
		time.Sleep(interruptEvery)
	}
}

// shutDown shuts the socket down unless it is closed.
func (s *socket) shutDown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		unix.Shutdown(s.fd, unix.SHUT_RDWR)
	}
	return !s.closed
}

func (s *socket) Close() error {
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return unix.Close(s.fd)
}

// reset closes a TCP connection with a reset: what is queued is thrown away
// (SO_LINGER with 0, socket(7)), so that it does not run into the next sample.
func (s *socket) reset() error {
	err := unix.SetsockoptLinger(s.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	return errors.Join(err, s.Close())
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
}

// bind binds the socket to an address and any port, and returns the port.
func (s *socket) bind(addr netip.Addr) (uint16, error) {
	return s.bindTo(netip.AddrPortFrom(addr, 0))
}

// bindTo binds to a port, 0 for any.
func (s *socket) bindTo(at netip.AddrPort) (uint16, error) {
	addr := at.Addr()
	if err := unix.Bind(s.fd, sockaddr(at)); err != nil {
		return 0, fmt.Errorf("binding to %s: %w", addr, os.NewSyscallError("bind", err))
	}
	name, err := unix.Getsockname(s.fd)
	if err != nil {
		return 0, fmt.Errorf("reading the port bound on %s: %w", addr, os.NewSyscallError("getsockname", err))
	}
	switch name := name.(type) {
	case *unix.SockaddrInet4:
		return uint16(name.Port), nil
	case *unix.SockaddrInet6:
		return uint16(name.Port), nil
	}
	return 0, fmt.Errorf("reading the port bound on %s: the address is of another family", addr)
}

// listenTCP listens on a port of addr, 0 for any.
func listenTCP(ctx context.Context, addr netip.Addr, port uint16, backlog int) (*socket, uint16, error) {
	s, err := newSocket(ctx, addr, unix.SOCK_STREAM, unix.IPPROTO_TCP)
	if err != nil {
		return nil, 0, err
	}
	if port != 0 { // connections of the sample before may still be in TIME-WAIT
		err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	}
	if err == nil {
		port, err = s.bindTo(netip.AddrPortFrom(addr, port))
	}
	if err == nil {
		if err = unix.Listen(s.fd, backlog); err != nil {
			err = fmt.Errorf("listening on %s: %w", addr, os.NewSyscallError("listen", err))
		}
	}
	if err != nil {
		s.Close()
		return nil, 0, err
	}
	return s, port, nil
}

// accept takes the next connection.
func (s *socket) accept(ctx context.Context) (*socket, error) {
	for {
		fd, _, err := unix.Accept4(s.fd, unix.SOCK_CLOEXEC)
		switch {
		case err == nil:
			return watch(ctx, fd), nil
		case ctx.Err() != nil:
			return nil, fmt.Errorf("waiting for a connection: %w", context.Cause(ctx))
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.ECONNABORTED):
		default:
			return nil, fmt.Errorf("waiting for a connection: %w", os.NewSyscallError("accept", err))
		}
	}
}

// connectTCP connects to a peer.
func connectTCP(ctx context.Context, peer netip.AddrPort) (*socket, error) {
	s, err := newSocket(ctx, peer.Addr(), unix.SOCK_STREAM, unix.IPPROTO_TCP)
	if err != nil {
		return nil, err
	}
	if err := s.connect(ctx, peer); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *socket) connect(ctx context.Context, peer netip.AddrPort) error {
	err := unix.Connect(s.fd, sockaddr(peer))
	if errors.Is(err, unix.EINTR) { // it goes on in the background, connect(2)
		err = s.connected()
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("connecting to %s: %w", peer, context.Cause(ctx))
	}
	return fmt.Errorf("connecting to %s: %w", peer, os.NewSyscallError("connect", err))
}

// connected waits for the end of a connect that was interrupted.
func (s *socket) connected() error {
	fds := []unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLOUT}}
	for {
		_, err := unix.Poll(fds, -1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		code, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = syscall.Errno(code)
		}
		return err
	}
}

// setCongestionControl sets CongestionControl and returns what the kernel has
// set, with a warning if that is another.
func (s *socket) setCongestionControl() (name string, warnings []string, err error) {
	setErr := unix.SetsockoptString(s.fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION, CongestionControl)
	name, err = unix.GetsockoptString(s.fd, unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("reading the congestion control: %w", os.NewSyscallError("getsockopt", err))
	case name != CongestionControl && setErr != nil:
		warnings = []string{fmt.Sprintf("congestion control is %s, because %s cannot be set: %v", name, CongestionControl, setErr)}
	case name != CongestionControl:
		warnings = []string{fmt.Sprintf("congestion control is %s although %s was set", name, CongestionControl)}
	}
	return name, warnings, nil
}

// setNoDelay turns Nagle's algorithm off (TCP_NODELAY, tcp(7)).
func (s *socket) setNoDelay() error {
	if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return fmt.Errorf("turning Nagle's algorithm off: %w", os.NewSyscallError("setsockopt", err))
	}
	return nil
}

// ioError says why a hot loop ended early.
func ioError(ctx context.Context, doing string, errno syscall.Errno) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	case errno == ended:
		return fmt.Errorf("%s: the peer closed the connection", doing)
	}
	return fmt.Errorf("%s: %w", doing, errno)
}

// nanotimeAfter is the clock's reading d from now.
func nanotimeAfter(d time.Duration) int64 { return nanotime() + int64(d) }
