package hot

import (
	"encoding/binary"
	"sync/atomic"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Receive counts datagrams until receiving fails or stopped is set. With
// MSG_DONTWAIT it polls the socket: waking a sleeping thread costs the sender's
// CPU some microseconds, which would limit the rate.
//
//go:nosplit
func (s *Sequence) Receive(fd int, b *batch, flags int, stopped *atomic.Bool) syscall.Errno {
	for {
		got, _, errno := syscall.RawSyscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&b.heads[0])), batchLength, uintptr(flags), 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno == unix.EAGAIN && flags == unix.MSG_DONTWAIT {
			if stopped.Load() {
				return Ended
			}
			continue
		}
		if errno != 0 {
			return errno
		}
		if got == 0 || b.heads[0].length == 0 {
			return Ended // a socket that was shut down returns empty datagrams forever
		}
		s.Last = Nanotime()
		if s.Received == 0 {
			s.First = s.Last
		}
		for i := range int(got) {
			if int(b.heads[i].length) == b.size {
				s.count(binary.LittleEndian.Uint64(b.data[i*b.size:]))
			}
		}
	}
}

// Sequence counts received datagrams and uses their sequence numbers to detect
// duplicates and reordering.
type Sequence struct {
	Received, Repeated, Reordered int64
	First, Last                   int64 // Nanotime of the first and the last receive
	window                        [windowWords]uint64
	highest                       uint64
}

// windowWords is the length of the window, in 64-bit words, within which a
// repeated number can be told from a late one.
const windowWords = 1024

// count counts the datagram with sequence number n.
//
//go:nosplit
func (s *Sequence) count(n uint64) {
	word, bit := n/64%windowWords, uint64(1)<<(n%64)
	switch {
	case s.Received == 0 || n > s.highest:
		from := s.highest/64 + 1
		if s.Received == 0 {
			from = 0
		}
		// Clear the words that the highest number moves past.
		for w := max(from, max(n/64, windowWords-1)-(windowWords-1)); w <= n/64; w++ {
			s.window[w%windowWords] = 0
		}
		s.highest = n
	case s.highest-n >= 64*(windowWords-1):
		s.Reordered++ // outside the window: cannot tell whether it is a duplicate
		s.Received++
		return
	case s.window[word]&bit != 0:
		s.Repeated++
		return
	default:
		s.Reordered++
	}
	s.window[word] |= bit
	s.Received++
}
