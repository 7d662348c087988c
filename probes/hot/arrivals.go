package hot

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Arrivals counts what arrives on a stream until a moment that its reader cannot
// choose freely: data is there only when a read returns. While a lost segment is sent
// again, what arrives after it waits in the socket, up to a whole queue on the path.
// So Arrivals also says how many bytes the reads around that moment returned, and
// over what time.
type Arrivals struct {
	Bytes        int64
	Before, Last int64 // when the last read before the end returned, and the last of all
	Late         int64 // bytes that were read after Before
	drained      bool  // whether the last read left nothing unread
}

// Receive reads into b over and over until the clock passes end.
//
//go:nosplit
func (a *Arrivals) Receive(fd int, b []byte, end int64) syscall.Errno {
	for a.Last = Nanotime(); a.Last < end; {
		if errno := a.read(fd, b); errno != 0 {
			return errno
		}
	}
	return 0
}

// Drain reads, after Receive, until nothing is left unread or the clock passes limit.
//
//go:nosplit
func (a *Arrivals) Drain(fd int, b []byte, limit int64) syscall.Errno {
	before, late := a.Before, a.Late
	for !a.drained && a.Last < limit {
		if errno := a.read(fd, b); errno != 0 {
			return errno
		}
		late += a.Late
	}
	a.Before, a.Late = before, late
	return 0
}

//go:nosplit
func (a *Arrivals) read(fd int, b []byte) syscall.Errno {
	for {
		n, errno := RawReceive(fd, b, 0)
		switch {
		case errno == unix.EINTR:
			continue
		case errno != 0:
			return errno
		case n == 0:
			return Ended
		}
		a.Before, a.Last = a.Last, Nanotime()
		a.drained = n < len(b)
		a.Late = int64(n)
		a.Bytes += a.Late
		return 0
	}
}

// Since returns how many of the late bytes arrived after a moment between Before and
// Last, if they arrived evenly.
func (a *Arrivals) Since(moment int64) float64 {
	if a.Last <= a.Before {
		return 0
	}
	share := float64(a.Last-moment) / float64(a.Last-a.Before)
	return float64(a.Late) * min(max(share, 0), 1)
}
