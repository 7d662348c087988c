package results

import (
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// markRunning lets [Running] see that the journal is being written. This mark is separate from
// the lock that keeps a second run away, because that lock can only be checked by taking it,
// which might keep the run itself away. On a file system without such locks, only Running does
// not work.
func markRunning(f *os.File) {
	for _, kind := range []int16{unix.F_WRLCK, unix.F_RDLCK} { // a file that is open for reading only accepts the second
		if unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind, Whence: io.SeekStart}) == nil {
			return
		}
	}
}

// Running reports whether a process on this kernel is writing the journal in dir. It takes no
// lock, so it never blocks a run.
func Running(dir string) bool {
	f, err := os.Open(filepath.Join(dir, JournalFile))
	if err != nil {
		return false
	}
	defer f.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	return unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &lock) == nil && lock.Type != unix.F_UNLCK
}
