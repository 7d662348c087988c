package probes

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
//   - System calls are raw: the scheduler is not told, so neither entering nor
//     leaving costs anything, and sysmon sees no P to take back (which would
//     make it wake up every 20 µs on a CPU that is being measured). The thread
//     keeps its P meanwhile; see maxHotThreads.
//   - Functions are nosplit: a function's prologue is where the scheduler
//     preempts a goroutine that has run for 10 ms, and a locked thread pays
//     two thread switches for that. Blocked calls are ended from outside, by
//     shutting the socket down, never by a receive timeout: that would arm
//     and disarm a kernel timer every round.
//   - sendto and recvfrom instead of write and read: they skip the file layer.

// nanotime is the monotonic clock in ns (CLOCK_MONOTONIC through the vDSO). It
// is what time.Since uses; called directly because time.Since has a prologue.
//
//go:linkname nanotime runtime.nanotime
//go:noescape
func nanotime() int64

//go:nosplit
func rawSend(fd int, b []byte, flags int) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), uintptr(flags|unix.MSG_NOSIGNAL), 0, 0)
	return int(n), errno
}

//go:nosplit
func rawReceive(fd int, b []byte, flags int) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), uintptr(flags), 0, 0)
	return int(n), errno
}

// ended is the errno with which a loop reports that the peer has closed the
// connection in order, or that it was shut down from outside.
const ended = unix.ENODATA

// receiveAll fills b from a stream, or takes one datagram of its length. With
// MSG_DONTWAIT among the flags it polls until there is something or stopped
// is set.
//
//go:nosplit
func receiveAll(fd int, b []byte, flags int, stopped *atomic.Bool) syscall.Errno {
	for got := 0; got < len(b); {
		n, errno := rawReceive(fd, b[got:], flags)
		switch {
		case errno == unix.EINTR:
		case errno == unix.EAGAIN && flags != 0:
			if stopped.Load() {
				return ended
			}
		case errno != 0:
			return errno
		case n == 0:
			return ended
		default:
			got += n
		}
	}
	return 0
}

// sendAll writes b to a stream.
//
//go:nosplit
func sendAll(fd int, b []byte) syscall.Errno {
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

// roundTrips is a loop of requests and answers over a connected socket.
type roundTrips struct {
	fd       int
	request  []byte // its first byte counts the rounds
	answer   []byte // as long as the request
	flags    int    // of every receive
	interval int64  // ns between requests that are due; 0: each follows the answer to the one before
	stopped  *atomic.Bool

	done atomic.Int64 // rounds, for the watch
	lost atomic.Int64 // requests that were sent again
}

// run sends the request and waits for as much to come back, again and again until the
// clock passes end. In a closed loop the end of one round is the start of the
// next, so a round costs one reading of the clock. In an open loop latency
// counts from when the request was due, sent or not: a stall then delays all
// requests that fell due in it, as it would those of independent users (Tene,
// How NOT to Measure Latency: coordinated omission). It returns the number of
// rounds and the time of the end of the last one.
//
//go:nosplit
func (r *roundTrips) run(l *latencies, end int64) (n, last int64, errno syscall.Errno) {
	last = nanotime()
	due := last
	for last < end {
		if r.interval != 0 {
			if due += r.interval; due >= end {
				break
			}
			waitUntil(due, r.stopped)
			last = due
		}
		r.request[0]++
		if errno = sendAll(r.fd, r.request); errno != 0 {
			return n, last, errno
		}
		for {
			if errno = receiveAll(r.fd, r.answer, r.flags, r.stopped); errno != 0 {
				return n, last, errno
			}
			// An answer that was given up may come after all; it is another
			// round's.
			if r.answer[0] == r.request[0] {
				break
			}
		}
		now := nanotime()
		l.add(now - last)
		last = now
		n++
		r.done.Store(n)
	}
	return n, last, 0
}

// spinBelow is how close a time must be for waitUntil to spin: sleeping costs
// a timer and a wake-up, which would be counted as latency.
const spinBelow = 100_000 // ns

// longestSleep in ns is how long waitUntil may not see that it is stopped.
const longestSleep = 50_000_000

// waitUntil waits for the clock to pass a time, or for stopped to be set.
//
//go:nosplit
func waitUntil(due int64, stopped *atomic.Bool) {
	for {
		left := due - nanotime()
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

// echo sends back what comes, len(b) bytes at a time, until the stream ends.
//
//go:nosplit
func echo(fd int, b []byte, flags int, stopped *atomic.Bool) (n int64, errno syscall.Errno) {
	for {
		if errno = receiveAll(fd, b, flags, stopped); errno != 0 {
			return n, errno
		}
		if errno = sendAll(fd, b); errno != 0 {
			return n, errno
		}
		n++
	}
}

// receive reads a stream into b over and over until the clock passes end. It
// returns the number of bytes, of calls, and the time of the last call's end.
//
//go:nosplit
func receive(fd int, b []byte, end int64) (bytes, calls, last int64, errno syscall.Errno) {
	last = nanotime()
	for last < end {
		n, errno := rawReceive(fd, b, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return bytes, calls, last, errno
		}
		if n == 0 {
			return bytes, calls, last, ended
		}
		last = nanotime()
		bytes += int64(n)
		calls++
	}
	return bytes, calls, last, 0
}

// transmit writes b to a stream over and over until that fails.
//
//go:nosplit
func transmit(fd int, b []byte) (bytes, calls int64, errno syscall.Errno) {
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

// transmitZerocopy is transmit with MSG_ZEROCOPY: the kernel sends from b
// itself and tells on the socket's error queue when it has
// (Documentation/networking/msg_zerocopy.rst). The queue is emptied when its
// memory is used up.
//
//go:nosplit
func transmitZerocopy(fd int, b []byte) (bytes, calls int64, errno syscall.Errno) {
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

// forgetCompletions empties a socket's error queue. b is never written again,
// so nobody waits for them.
//
//go:nosplit
func forgetCompletions(fd int) {
	for {
		var m unix.Msghdr // no room for anything: only the notice is taken off
		if _, _, errno := syscall.RawSyscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&m)), unix.MSG_ERRQUEUE|unix.MSG_DONTWAIT); errno != 0 {
			return
		}
	}
}

// keep holds buffers alive that raw system calls were given as numbers.
func keep(b []byte) { runtime.KeepAlive(unsafe.SliceData(b)) }
