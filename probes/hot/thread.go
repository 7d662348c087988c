package hot

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"

	"golang.org/x/sys/unix"
)

var hotThreads = make(chan struct{}, MaxHotThreads)

// OnCPU runs f on an operating system thread of its own that is pinned to a
// CPU (sched_setaffinity(2); -1 leaves it where it is), and returns what f
// returns. The thread ends with f, so its affinity reaches nobody else.
func OnCPU(cpu int, f func() error) error {
	select {
	case hotThreads <- struct{}{}:
		defer func() { <-hotThreads }()
	default:
		return fmt.Errorf("more than %d threads measure already", MaxHotThreads)
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		defer func() {
			if p := recover(); p != nil {
				debug.PrintStack()
				done <- fmt.Errorf("a measuring thread panicked: %v", p)
			}
		}()
		if err := pin(cpu); err != nil {
			done <- err
			return
		}
		done <- f()
	}()
	return <-done
}

// OwnFile gives the calling thread a table of open files of its own, which
// holds one socket. Where threads share a table, every system call on a file
// counts a reference to it up and down, atomically (the kernel's fdget); a
// table of one's own saves that, four times a round trip. All else is closed
// in it at once, and the socket by the returned function, so that the copies
// keep nothing open that its owner closes. Where that is not permitted the
// table stays shared.
func OwnFile(fd int) (forget func()) {
	if unix.Unshare(unix.CLONE_FILES) != nil {
		return func() {}
	}
	const firstAfterStandard = 3
	if fd > firstAfterStandard {
		unix.CloseRange(firstAfterStandard, uint(fd-1), 0)
	}
	unix.CloseRange(uint(fd+1), math.MaxUint32, 0)
	return func() { unix.Close(fd) }
}

// pin pins the calling thread.
func pin(cpu int) error {
	if cpu < 0 {
		return nil
	}
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("pinning a thread to CPU %d: %w", cpu, os.NewSyscallError("sched_setaffinity", err))
	}
	return nil
}

// MaxHotThreads bounds the threads in hot loops of one worker. Each keeps
// a P of the Go scheduler while it is blocked in a system call, so there
// must be more Ps than that.
const MaxHotThreads = 40
