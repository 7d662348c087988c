// Package hot contains the code that runs while a sample is taken: allocation-free
// loops of raw system calls on blocking sockets and pinned threads, and the clocks,
// counters and histograms that they fill.
package hot

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The loops below run while a sample is taken, each on a thread of its own.
// They follow three rules:
//
//   - System calls are raw and bypass the scheduler, so entering and leaving
//     them costs nothing extra, and sysmon sees no P to take back (which would
//     make it wake up every 20 µs on a CPU that is being measured). The thread
//     keeps its P meanwhile; see MaxHotThreads.
//   - Functions are nosplit: the scheduler preempts a goroutine that has run
//     for 10 ms in a function's prologue, and a locked thread pays for that
//     with two thread switches. Blocked calls are ended from outside, by
//     shutting down the socket, never by a receive timeout, which would arm
//     and disarm a kernel timer every round.
//   - The loops use sendto and recvfrom, which skip the file layer, instead of
//     write and read.

// Nanotime returns the monotonic clock in ns (CLOCK_MONOTONIC through the vDSO).
// time.Since reads the same clock but has a prologue.
//
//go:linkname Nanotime runtime.nanotime
//go:noescape
func Nanotime() int64

//go:nosplit
func rawSend(fd int, b []byte, flags int) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), uintptr(flags|unix.MSG_NOSIGNAL), 0, 0)
	return int(n), errno
}

//go:nosplit
func RawReceive(fd int, b []byte, flags int) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), uintptr(flags), 0, 0)
	return int(n), errno
}

// Ended is the errno that a loop returns when the peer closed the connection
// in an orderly way or the socket was shut down from outside.
const Ended = unix.ENODATA

// ReceiveAll fills b from a stream, or receives one datagram of length len(b).
// If flags include MSG_DONTWAIT, it polls until data arrives or stopped is set.
//
//go:nosplit
func ReceiveAll(fd int, b []byte, flags int, stopped *atomic.Bool) syscall.Errno {
	for got := 0; got < len(b); {
		n, errno := RawReceive(fd, b[got:], flags)
		switch {
		case errno == unix.EINTR:
		case errno == unix.EAGAIN && flags != 0:
			if stopped.Load() {
				return Ended
			}
		case errno != 0:
			return errno
		case n == 0:
			return Ended
		default:
			got += n
		}
	}
	return 0
}

// SendAll writes b to a stream.
//
//go:nosplit
func SendAll(fd int, b []byte) syscall.Errno {
	for sent := 0; sent < len(b); {
		n, errno := rawSend(fd, b[sent:], 0)
		switch {
		case errno == unix.EINTR:
		case errno != 0:
			return errno
		default:
			sent += n
		}
	}
	return 0
}

// RoundTrips is a request/response loop over a connected socket.
type RoundTrips struct {
	FD       int
	Request  []byte // its first byte counts the rounds
	Answer   []byte // as long as the request
	Flags    int    // for every receive
	Interval int64  // ns from one scheduled request to the next; 0 for a closed loop
	Stopped  *atomic.Bool

	done atomic.Int64 // completed rounds, read by Watch
	Lost atomic.Int64 // requests that Watch sent again
}

// Run sends the request and waits for an answer of the same length, over and over
// until the clock passes end. In a closed loop the end of one round is the start
// of the next, so a round reads the clock only once. In an open loop latency
// counts from when the request was due, even if it was sent later: a stall then
// delays every request that fell due during it, as it would for independent users
// (Tene, How NOT to Measure Latency: coordinated omission). Run returns the
// number of rounds and the time at which the last one ended.
//
//go:nosplit
func (r *RoundTrips) Run(l *Latencies, end int64) (n, last int64, errno syscall.Errno) {
	last = Nanotime()
	due := last
	for last < end {
		if r.Interval != 0 {
			if due += r.Interval; due >= end {
				break
			}
			waitUntil(due, r.Stopped)
			last = due
		}
		r.Request[0]++
		if errno = SendAll(r.FD, r.Request); errno != 0 {
			return n, last, errno
		}
		for {
			if errno = ReceiveAll(r.FD, r.Answer, r.Flags, r.Stopped); errno != 0 {
				return n, last, errno
			}
			// A late answer to a request that was sent again belongs to an
			// earlier round.
			if r.Answer[0] == r.Request[0] {
				break
			}
		}
		now := Nanotime()
		l.Add(now - last)
		last = now
		n++
		r.done.Store(n)
	}
	return n, last, 0
}

// spinBelow is the remaining time below which waitUntil spins: sleeping costs
// a timer and a wake-up, which would be counted as latency.
const spinBelow = 100_000 // ns

// longestSleep bounds how long waitUntil sleeps before it checks stopped.
const longestSleep = 50_000_000 // ns

// waitUntil waits until the clock reaches due or stopped is set.
//
//go:nosplit
func waitUntil(due int64, stopped *atomic.Bool) {
	for {
		left := due - Nanotime()
		if left <= 0 {
			return
		}
		if left > spinBelow {
			left = min(left-spinBelow, longestSleep)
			ts := unix.Timespec{Sec: left / 1e9, Nsec: left % 1e9}
			syscall.RawSyscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
			if stopped.Load() {
				return
			}
		}
	}
}

// Echo sends back what it receives, len(b) bytes at a time, until the stream ends.
//
//go:nosplit
func Echo(fd int, b []byte, flags int, stopped *atomic.Bool) (n int64, errno syscall.Errno) {
	for {
		if errno = ReceiveAll(fd, b, flags, stopped); errno != 0 {
			return n, errno
		}
		if errno = SendAll(fd, b); errno != 0 {
			return n, errno
		}
		n++
	}
}

// Transmit writes b to a stream over and over until a write fails.
//
//go:nosplit
func Transmit(fd int, b []byte) (bytes, calls int64, errno syscall.Errno) {
	for {
		n, errno := rawSend(fd, b, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return bytes, calls, errno
		}
		bytes += int64(n)
		calls++
	}
}

// TransmitZerocopy is Transmit with MSG_ZEROCOPY: the kernel sends directly from
// b and reports completion on the socket's error queue
// (Documentation/networking/msg_zerocopy.rst). TransmitZerocopy empties the queue
// when its memory is used up.
//
//go:nosplit
func TransmitZerocopy(fd int, b []byte) (bytes, calls int64, errno syscall.Errno) {
	for {
		n, errno := rawSend(fd, b, unix.MSG_ZEROCOPY)
		switch errno {
		case 0:
			bytes += int64(n)
			calls++
		case unix.EINTR:
		case unix.ENOBUFS:
			forgetCompletions(fd)
		default:
			return bytes, calls, errno
		}
	}
}

// forgetCompletions empties a socket's error queue. The buffer is never written
// again, so nothing waits for the completions.
//
//go:nosplit
func forgetCompletions(fd int) {
	for {
		var m unix.Msghdr // no buffers: the notification itself is discarded
		if _, _, errno := syscall.RawSyscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&m)), unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT); errno != 0 {
			return
		}
	}
}

// Keep keeps b alive: raw system calls hold its address only as an integer.
func Keep(b []byte) { runtime.KeepAlive(unsafe.SliceData(b)) }
