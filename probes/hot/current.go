package hot

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// interruptEvery is how often a loop is interrupted until it has ended. Once may
// not do: a call that begins a moment after its socket was shut down may wait
// all the same, as connect(2) does.
const interruptEvery = 50 * time.Millisecond

// Current is the socket that a hot loop uses at the moment, of many that it
// opens and closes one after the other. It costs the loop two atomic operations
// a socket, and lets others shut that socket down without ever reaching one
// that has the same number later.
type Current struct {
	stopped atomic.Bool
	// held is one more than the descriptor, 0 when there is none. While interrupt
	// uses the descriptor it is negative, and the loop must not close it.
	held atomic.Int64
}

// Take makes a descriptor the current one, and reports whether the loop may go
// on with it.
//
//go:nosplit
func (c *Current) Take(fd int) bool {
	c.held.Store(int64(fd) + 1)
	return !c.stopped.Load()
}

// Release must come before the descriptor is closed.
//
//go:nosplit
func (c *Current) Release(fd int) {
	for !c.held.CompareAndSwap(int64(fd)+1, 0) {
	}
}

// interrupt ends the call that is blocked on the current socket.
func (c *Current) interrupt() {
	held := c.held.Load()
	if held > 0 && c.held.CompareAndSwap(held, -held) {
		unix.Shutdown(int(held-1), unix.SHUT_RDWR)
		c.held.Store(held)
	}
}

// Watch interrupts the loop from the end of ctx until the returned function is
// called, after the loop has ended.
func (c *Current) Watch(ctx context.Context) (end func()) {
	quit := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-quit:
			return
		case <-ctx.Done():
		}
		c.stopped.Store(true)
		tick := time.NewTicker(interruptEvery)
		defer tick.Stop()
		for {
			c.interrupt()
			select {
			case <-quit:
				return
			case <-tick.C:
			}
		}
	})
	return func() {
		close(quit)
		watching.Wait()
	}
}
