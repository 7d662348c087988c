package results

import (
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// markRunning lets [Running] see that the journal is being written. It is apart
// from the lock that keeps a second run away, since that could only be looked at
// by taking it, at the risk of keeping the run itself away. A file system without
// such locks only loses what Running says.
func markRunning(f *os.File) {
	for _, kind := range []int16{unix.F_WRLCK, unix.F_RDLCK} { // a file that is open for reading takes only the second
		if unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind, Whence: io.SeekStart}) == nil {
			return
		}
	}
}

// Running reports whether a process of this kernel writes the journal in dir. It
// takes no lock, so it never stands in a run's way.
func Running(dir string) bool {
	f, err := os.Open(filepath.Join(dir, JournalFile))
	if err != nil {
		return false
	}
	defer f.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	return unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &lock) == nil && lock.Type != unix.F_UNLCK
}
