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
// CPU (sched_setaffinity(2)), and returns f's error. If cpu is -1, the thread is
// not pinned. The thread ends with f, so no other goroutine inherits its affinity.
func OnCPU(cpu int, f func() error) error {
	select {
	case hotThreads <- struct{}{}:
		defer func() { <-hotThreads }()
	default:
		return fmt.Errorf("starting a measuring thread: %d are already running", MaxHotThreads)
	}
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked, so the thread ends with the goroutine
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

// OwnFile gives the calling thread its own file descriptor table, which contains
// only one socket. If threads share a table, every system call on a file
// atomically increments and decrements its reference count (the kernel's fdget);
// a private table avoids that, four times per round trip. OwnFile closes all other
// descriptors in the private table, and the returned function closes the socket
// there, so that the copies do not keep open what their owners close. If
// unsharing is not permitted, the table stays shared.
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

// pin pins the calling thread to a CPU unless cpu is negative.
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

// MaxHotThreads is the maximum number of threads of one worker in hot loops. Each
// keeps its P of the Go scheduler while it is blocked in a system call, so there
// must be more Ps than MaxHotThreads.
const MaxHotThreads = 40
