package hot

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// Clockwork reads the machine's processor time at the end of the warm-up and
// again in End, for a role whose own thread is in a hot loop when the warm-up ends.
type Clockwork struct {
	begun time.Time
	after time.Duration
	ready chan struct{}
	start MachineTime
	err   error
}

// StartClockwork starts a warm-up of the given length.
func StartClockwork(after time.Duration) *Clockwork {
	c := &Clockwork{begun: time.Now(), after: after, ready: make(chan struct{})}
	go func() {
		defer close(c.ready)
		sleep(after)
		c.start, c.err = ReadMachineTime()
	}()
	return c
}

// End returns the processor time spent since the end of the warm-up. It fails if
// the warm-up has not ended.
func (c *Clockwork) End() (MachineTime, error) {
	if time.Since(c.begun) < c.after {
		return MachineTime{}, errors.New("the sample ended during its warm-up")
	}
	<-c.ready
	if c.err != nil {
		return MachineTime{}, c.err
	}
	now, err := ReadMachineTime()
	return now.Since(c.start), err
}

// sleep has the kernel wake this thread. A Go timer may belong to a P whose thread is in
// a hot loop and then fires only after the loop has ended.
func sleep(d time.Duration) {
	left := unix.NsecToTimespec(d.Nanoseconds())
	for unix.Nanosleep(&left, &left) == unix.EINTR {
	}
}

// SleepUntil blocks the thread until Nanotime returns end. Unlike time.Sleep it may be
// called from [OnCPU], also after [OwnFile].
func SleepUntil(end int64) {
	if left := end - Nanotime(); left > 0 {
		sleep(time.Duration(left))
	}
}
