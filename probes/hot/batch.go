package hot

import (
	"encoding/binary"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchLength is the number of datagrams per sendmmsg or recvmmsg call. In larger
// batches the cost of the call itself no longer matters.
const batchLength = 64

// mmsghdr is the kernel's struct mmsghdr (recvmmsg(2)).
type mmsghdr struct {
	unix.Msghdr
	length uint32
	_      [4]byte
}

// batch holds the buffers for many datagrams and their headers.
type batch struct {
	size  int
	each  int // datagrams per message, which the kernel splits (UDP_SEGMENT)
	data  []byte
	iovs  [batchLength]unix.Iovec
	heads [batchLength]mmsghdr
}

func NewBatch(size, each int) *batch {
	b := &batch{size: size, each: each, data: make([]byte, size*batchLength)}
	for i := range batchLength / each {
		b.iovs[i].Base = &b.data[i*size*each]
		b.iovs[i].SetLen(size * each)
		b.heads[i].Iov = &b.iovs[i]
		b.heads[i].Iovlen = 1
	}
	return b
}

// Keep keeps the buffers alive while the kernel uses them.
func (b *batch) Keep() { runtime.KeepAlive(b) }

// Send sends numbered datagrams until the clock passes end. With a rate it sends
// each batch when it is due; with a rate of 0 it sends as fast as the socket
// accepts them. It returns the number of datagrams and when the last was sent.
// Once stopped is set, sending fails because the socket is shut down.
//
//go:nosplit
func (b *batch) Send(fd int, rate float64, start, end int64, stopped *atomic.Bool) (n, last int64, errno syscall.Errno) {
	interval := 0.0 // ns
	most := batchLength
	if rate > 0 {
		interval = 1e9 / rate
		// A burst longer than maxBurst would test the queues, not the rate.
		most = int(min(max(maxBurst/interval, 1), batchLength))
	}
	messages := max(most/b.each, 1)
	most = messages * b.each
	for last = start; last < end; last = Nanotime() {
		if rate > 0 {
			waitUntil(start+int64(float64(n)*interval), stopped)
		}
		for i := range most {
			binary.LittleEndian.PutUint64(b.data[i*b.size:], uint64(n)+uint64(i))
		}
		for i := 0; i < messages; {
			done, _, errno := syscall.RawSyscall6(unix.SYS_SENDMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.heads[i])), uintptr(messages-i), unix.MSG_NOSIGNAL, 0, 0)
			if errno == unix.EINTR || errno == unix.ENOBUFS && Nanotime() < end {
				continue
			}
			if errno != 0 {
				return n, last, errno
			}
			i += int(done)
		}
		n += int64(most)
	}
	return n, last, 0
}

// maxBurst is the longest burst of a paced sender in ns.
const maxBurst = 50_000
