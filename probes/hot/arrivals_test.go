package hot

import (
	"testing"

	"golang.org/x/sys/unix"
)

func TestArrivalsSince(t *testing.T) {
	for _, c := range []struct {
		name         string
		before, last int64
		moment       int64
		want         float64
	}{
		{"at the last read", 100, 200, 200, 0},
		{"at the read before", 100, 200, 100, 1000},
		{"between them", 100, 200, 175, 250},
		{"later than all reads", 100, 200, 300, 0},
		{"earlier than both", 100, 200, 50, 1000},
		{"no time between the reads", 100, 100, 100, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := Arrivals{Before: c.before, Last: c.last, Late: 1000}
			if got := a.Since(c.moment); got != c.want {
				t.Errorf("%v, want %v", got, c.want)
			}
		})
	}
}

// TestArrivalsDrain checks that what a read leaves behind is counted as late, and that
// nothing is waited for when a read has left nothing.
func TestArrivalsDrain(t *testing.T) {
	for _, c := range []struct {
		name        string
		queued      int
		first, late int64 // bytes counted by Receive, and late ones after Drain
	}{
		{"less than a read", 10, 10, 10},
		{"two reads and a part", 40, 16, 40},
	} {
		t.Run(c.name, func(t *testing.T) {
			fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer unix.Close(fds[0])
			defer unix.Close(fds[1])
			if _, err := unix.Write(fds[1], make([]byte, c.queued)); err != nil {
				t.Fatal(err)
			}
			var a Arrivals
			b := make([]byte, 16)
			a.Last = Nanotime()
			if errno := a.read(fds[0], b); errno != 0 {
				t.Fatal(errno)
			}
			if a.Bytes != c.first {
				t.Errorf("the first read counted %d bytes", a.Bytes)
			}
			before := a.Before
			if errno := a.Drain(fds[0], b, Nanotime()+1e9); errno != 0 {
				t.Fatal(errno)
			}
			if a.Bytes != int64(c.queued) || a.Late != c.late || a.Before != before {
				t.Errorf("%+v", a)
			}
		})
	}
}
