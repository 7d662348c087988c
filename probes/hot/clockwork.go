package hot

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// Clockwork reads the machine's time at the end of the warm-up and once more
// when asked, for a role whose own thread is in a hot loop at that moment.
type Clockwork struct {
	begun time.Time
	after time.Duration
	ready chan struct{}
	start MachineTime
	err   error
}

// StartClockwork begins a warm-up of that length.
func StartClockwork(after time.Duration) *Clockwork {
	c := &Clockwork{begun: time.Now(), after: after, ready: make(chan struct{})}
	go func() {
		defer close(c.ready)
		// The kernel wakes this thread itself. A timer of Go's may be one of a P whose
		// thread is in a hot loop, and late by as much as that takes.
		left := unix.NsecToTimespec(after.Nanoseconds())
		for unix.Nanosleep(&left, &left) == unix.EINTR {
		}
		c.start, c.err = ReadMachineTime()
	}()
	return c
}

// End is the time spent since the end of the warm-up. A sample that ended within
// it has none.
func (c *Clockwork) End() (MachineTime, error) {
	if time.Since(c.begun) < c.after {
		return MachineTime{}, errors.New("the sample ended within its warm-up")
	}
	<-c.ready
	if c.err != nil {
		return MachineTime{}, c.err
	}
	now, err := ReadMachineTime()
	return now.Since(c.start), err
}
