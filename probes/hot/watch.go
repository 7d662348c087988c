package hot

import (
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Watch sends a datagram again, from a thread of its own, whenever the loop
// has made no progress for a while: a lost one would otherwise hold it up for
// good. A receive timeout would do, but arms and disarms a timer every round.
// The loop's time for that round goes on, so a loss shows as the latency that
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
