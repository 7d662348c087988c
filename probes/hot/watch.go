package hot

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Watch resends the current request, from a goroutine of its own, whenever the
// loop has made no progress for patience: a lost datagram would otherwise block it
// forever. A receive timeout would also work, but arms and disarms a timer every
// round. The round's clock keeps running, so a loss shows up as the latency that
// it costs. The returned function ends the watch.
func (r *RoundTrips) Watch(patience time.Duration) (end func()) {
	quit := make(chan struct{})
	var ended sync.WaitGroup
	ended.Go(func() {
		tick := time.NewTicker(patience)
		defer tick.Stop()
		for seen := int64(-1); ; {
			select {
			case <-quit:
				return
			case <-tick.C:
			}
			done := r.done.Load()
			if done == seen && unix.Send(r.FD, r.Request, unix.MSG_DONTWAIT) == nil {
				r.Lost.Add(1)
			}
			seen = done
		}
	})
	return func() {
		close(quit)
		ended.Wait()
	}
}
