package hot

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

	"github.com/cnibench/cnibench/words"
	"golang.org/x/sys/unix"
)

// Socket is a blocking socket outside Go's poller. The end of its context shuts
// it down, which wakes every thread that is blocked on it.
type Socket struct {
	FD   int
	stop func() bool
	// Stopped is set when the context ends, for loops that poll.
	Stopped atomic.Bool

	mu     sync.Mutex // keeps shutDown from reaching a descriptor that was closed and reused
	closed bool
}

// NewSocket creates a socket of addr's family.
func NewSocket(ctx context.Context, addr netip.Addr, kind, protocol int) (*Socket, error) {
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

// watch takes ownership of a descriptor.
func watch(ctx context.Context, fd int) *Socket {
	s := &Socket{FD: fd}
	s.stop = context.AfterFunc(ctx, s.interrupt)
	return s
}

// interrupt shuts down the socket repeatedly until it is closed. Once is not
// enough: a socket that was shut down before it listens or connects still blocks
// when it does. On a socket that is not connected, shutdown fails but still wakes
// waiters.
func (s *Socket) interrupt() {
	s.Stopped.Store(true)
	for s.shutDown() {
		time.Sleep(interruptEvery)
	}
}

// shutDown shuts down the socket and reports whether it is still open.
func (s *Socket) shutDown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		unix.Shutdown(s.FD, unix.SHUT_RDWR)
	}
	return !s.closed
}

func (s *Socket) Close() error {
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return unix.Close(s.FD)
}

// Reset closes a TCP connection with a reset (SO_LINGER with 0, socket(7)), which
// discards queued data so that it does not run into the next sample.
func (s *Socket) Reset() error {
	err := unix.SetsockoptLinger(s.FD, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	return errors.Join(err, s.Close())
}

func Sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is4() {
		return &unix.SockaddrInet4{Addr: a.Addr().As4(), Port: int(a.Port())}
	}
	return &unix.SockaddrInet6{Addr: a.Addr().As16(), Port: int(a.Port())}
}

// bindTo binds to an address and a port, 0 for any port, and returns the port.
func (s *Socket) bindTo(at netip.AddrPort) (uint16, error) {
	addr := at.Addr()
	if err := unix.Bind(s.FD, Sockaddr(at)); err != nil {
		return 0, fmt.Errorf("binding to %s: %w", addr, os.NewSyscallError("bind", err))
	}
	name, err := unix.Getsockname(s.FD)
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

// BoundUDP opens a UDP socket bound to addr and returns its port.
func BoundUDP(ctx context.Context, addr netip.Addr) (*Socket, uint16, error) {
	s, err := NewSocket(ctx, addr, unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	if err != nil {
		return nil, 0, err
	}
	port, err := s.bindTo(netip.AddrPortFrom(addr, 0))
	if err != nil {
		s.Close()
		return nil, 0, err
	}
	return s, port, nil
}

// ListenTCP listens on a port of addr, 0 for any.
func ListenTCP(ctx context.Context, addr netip.Addr, port uint16, backlog int) (*Socket, uint16, error) {
	s, err := NewSocket(ctx, addr, unix.SOCK_STREAM, unix.IPPROTO_TCP)
	if err != nil {
		return nil, 0, err
	}
	if port != 0 { // connections of the previous sample may still be in TIME-WAIT
		err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(s.FD, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1))
	}
	if err == nil {
		port, err = s.bindTo(netip.AddrPortFrom(addr, port))
	}
	if err == nil {
		if err = unix.Listen(s.FD, backlog); err != nil {
			err = fmt.Errorf("listening on %s: %w", addr, os.NewSyscallError("listen", err))
		}
	}
	if err != nil {
		s.Close()
		return nil, 0, err
	}
	return s, port, nil
}

// Accept waits for the next connection.
func (s *Socket) Accept(ctx context.Context) (*Socket, error) {
	for {
		fd, _, err := unix.Accept4(s.FD, unix.SOCK_CLOEXEC)
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

// ConnectTCP connects to a peer.
func ConnectTCP(ctx context.Context, peer netip.AddrPort) (*Socket, error) {
	return connectTCP(ctx, peer, func(*Socket) error { return nil })
}

// connectTCP connects a socket to a peer after bind has chosen its port.
func connectTCP(ctx context.Context, peer netip.AddrPort, bind func(*Socket) error) (*Socket, error) {
	s, err := NewSocket(ctx, peer.Addr(), unix.SOCK_STREAM, unix.IPPROTO_TCP)
	if err != nil {
		return nil, err
	}
	if err = bind(s); err == nil {
		err = s.Connect(ctx, peer)
	}
	if err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Socket) Connect(ctx context.Context, peer netip.AddrPort) error {
	err := unix.Connect(s.FD, Sockaddr(peer))
	if errors.Is(err, unix.EINTR) { // connecting continues in the background, connect(2)
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

// connected waits for an interrupted connect to finish.
func (s *Socket) connected() error {
	fds := []unix.PollFd{{Fd: int32(s.FD), Events: unix.POLLOUT}}
	for {
		_, err := unix.Poll(fds, -1)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		code, err := unix.GetsockoptInt(s.FD, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = syscall.Errno(code)
		}
		return err
	}
}

// SetCongestionControl sets CongestionControl and returns the algorithm that the
// kernel uses, with a warning if it is a different one.
func (s *Socket) SetCongestionControl() (name string, warnings []words.Text, err error) {
	setErr := unix.SetsockoptString(s.FD, unix.IPPROTO_TCP, unix.TCP_CONGESTION, CongestionControl)
	name, err = unix.GetsockoptString(s.FD, unix.IPPROTO_TCP, unix.TCP_CONGESTION)
	switch {
	case err != nil:
		return "", nil, fmt.Errorf("reading the congestion control: %w", os.NewSyscallError("getsockopt", err))
	case name != CongestionControl && setErr != nil:
		warnings = []words.Text{words.CongestionCannotBeSet.With(name, CongestionControl, setErr)}
	case name != CongestionControl:
		warnings = []words.Text{words.CongestionNotAsSet.With(name, CongestionControl)}
	}
	return name, warnings, nil
}

// SetNoDelay disables Nagle's algorithm (TCP_NODELAY, tcp(7)).
func (s *Socket) SetNoDelay() error {
	if err := unix.SetsockoptInt(s.FD, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return fmt.Errorf("disabling Nagle's algorithm: %w", os.NewSyscallError("setsockopt", err))
	}
	return nil
}

// IOError returns an error that says why a hot loop ended early.
func IOError(ctx context.Context, doing string, errno syscall.Errno) error {
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	case errno == Ended:
		return fmt.Errorf("%s: the peer closed the connection", doing)
	}
	return fmt.Errorf("%s: %w", doing, errno)
}

// NanotimeAfter returns what Nanotime will return d from now.
func NanotimeAfter(d time.Duration) int64 { return Nanotime() + int64(d) }

// CongestionControl is the algorithm that every TCP socket of a probe is set to
// (tcp(7)), so that results from machines with different defaults are comparable.
const CongestionControl = "cubic"

// TCPInfo reads the connection's state (TCP_INFO, tcp(7); RTT in µs).
func (s *Socket) TCPInfo() (*unix.TCPInfo, error) {
	info, err := unix.GetsockoptTCPInfo(s.FD, unix.IPPROTO_TCP, unix.TCP_INFO)
	if err != nil {
		return nil, fmt.Errorf("reading the state of a connection: %w", os.NewSyscallError("getsockopt", err))
	}
	return info, nil
}
