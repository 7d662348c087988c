package hot

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// interruptEvery is how often a loop is interrupted until it has ended. Once may
// not be enough: a call that begins just after its socket was shut down may still
// block, as connect(2) does.
const interruptEvery = 50 * time.Millisecond

// Current is the socket in use by a hot loop that opens and closes many sockets
// one after another. It lets other goroutines shut that socket down without ever
// reaching a later one with the same descriptor, at the cost of two atomic
// operations per socket.
type Current struct {
	stopped atomic.Bool
	// held is the descriptor plus one, or 0 if there is none. It is negative while
	// interrupt uses the descriptor; the loop must not close the socket then.
	held atomic.Int64
}

// Take makes fd the current descriptor and reports whether the loop may continue.
//
//go:nosplit
func (c *Current) Take(fd int) bool {
	c.held.Store(int64(fd) + 1)
	return !c.stopped.Load()
}

// Release gives up fd. It must be called before fd is closed.
//
//go:nosplit
func (c *Current) Release(fd int) {
	for !c.held.CompareAndSwap(int64(fd)+1, 0) {
	}
}

// interrupt ends a call that is blocked on the current socket.
func (c *Current) interrupt() {
	held := c.held.Load()
	if held > 0 && c.held.CompareAndSwap(held, -held) {
		unix.Shutdown(int(held-1), unix.SHUT_RDWR)
		c.held.Store(held)
	}
}

// Watch interrupts the loop from when ctx ends until the returned function is
// called, which must be after the loop has ended.
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
