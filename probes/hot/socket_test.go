package hot

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestSocketThatIsLate checks that a socket does not block if it starts to wait
// after its context has ended and it has been shut down.
func TestSocketThatIsLate(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	late := errors.New("time limit of 1s passed")
	addr := netip.MustParseAddr("127.0.0.1")
	s, err := NewSocket(ctx, addr, unix.SOCK_STREAM, unix.IPPROTO_TCP)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	cancel(late)
	for !s.Stopped.Load() {
		time.Sleep(time.Millisecond)
	}
	s.shutDown() // interrupt may not have reached its own call yet
	if _, err := s.bindTo(netip.AddrPortFrom(addr, 0)); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(s.FD, 1); err != nil {
		t.Fatal(err)
	}
	accepted := make(chan error, 1)
	go func() {
		conn, err := s.Accept(ctx)
		if err == nil {
			conn.Close()
		}
		accepted <- err
	}()
	select {
	case err := <-accepted:
		if !errors.Is(err, late) {
			t.Errorf("the cause is %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("Accept still blocks although its context has ended")
	}
}
