package hot

import (
	"encoding/binary"
	"testing"
)

func TestSequence(t *testing.T) {
	for _, c := range []struct {
		name                          string
		numbers                       []uint64
		received, repeated, reordered int64
	}{
		{"in order", []uint64{0, 1, 2, 3}, 4, 0, 0},
		{"the first is not 0", []uint64{5, 6}, 2, 0, 0},
		{"a gap is loss, not reordering", []uint64{0, 1, 5, 6}, 4, 0, 0},
		{"two swapped", []uint64{0, 2, 1, 3}, 4, 0, 1},
		{"a duplicate", []uint64{0, 1, 1, 2}, 3, 1, 0},
		{"a late duplicate", []uint64{0, 1, 2, 3, 1}, 4, 1, 0},
		{"late across a word boundary", []uint64{62, 65, 63, 64}, 4, 0, 2},
		{"a jump clears the words it passes", []uint64{1, 1 + 64*windowWords, 1 + 2*64*windowWords}, 3, 0, 0},
		{"too late to tell", []uint64{0, 64 * windowWords, 0}, 3, 0, 1},
		{"numbers at the end of the range", []uint64{1<<64 - 2, 1<<64 - 1, 1<<64 - 1}, 2, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s Sequence
			for _, n := range c.numbers {
				s.count(n)
			}
			if s.Received != c.received || s.Repeated != c.repeated || s.Reordered != c.reordered {
				t.Errorf("received %d, repeated %d, reordered %d", s.Received, s.Repeated, s.Reordered)
			}
		})
	}
}

// FuzzSequence compares the window with a set, for numbers that stay within the
// window.
func FuzzSequence(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0, 1, 0, 5, 0, 3})
	f.Fuzz(func(t *testing.T, in []byte) {
		var s Sequence
		seen := map[uint64]bool{}
		var repeated, reordered int64
		highest := uint64(0)
		for ; len(in) >= 2; in = in[2:] {
			n := uint64(binary.BigEndian.Uint16(in)) % (64 * (windowWords - 1))
			switch {
			case seen[n]:
				repeated++
			case len(seen) > 0 && n < highest:
				reordered++
			}
			seen[n] = true
			highest = max(highest, n)
			s.count(n)
		}
		if s.Received != int64(len(seen)) || s.Repeated != repeated || s.Reordered != reordered {
			t.Errorf("received %d of %d, repeated %d of %d, reordered %d of %d", s.Received, len(seen), s.Repeated, repeated, s.Reordered, reordered)
		}
	})
}
