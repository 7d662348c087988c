package probes

import (
	"encoding/binary"
	"maps"
	"strings"
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
		{"a gap is a loss, not a disorder", []uint64{0, 1, 5, 6}, 4, 0, 0},
		{"two change places", []uint64{0, 2, 1, 3}, 4, 0, 1},
		{"one comes twice", []uint64{0, 1, 1, 2}, 3, 1, 0},
		{"one comes twice, the second time late", []uint64{0, 1, 2, 3, 1}, 4, 1, 0},
		{"late over a word's end", []uint64{62, 65, 63, 64}, 4, 0, 2},
		{"a jump clears what it passes", []uint64{1, 1 + 64*windowWords, 1 + 2*64*windowWords}, 3, 0, 0},
		{"too late to tell", []uint64{0, 64 * windowWords, 0}, 3, 0, 1},
		{"numbers at the end of the range", []uint64{1<<64 - 2, 1<<64 - 1, 1<<64 - 1}, 2, 1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			var s sequence
			for _, n := range c.numbers {
				s.count(n)
			}
			if s.received != c.received || s.repeated != c.repeated || s.reordered != c.reordered {
				t.Errorf("received %d, repeated %d, reordered %d", s.received, s.repeated, s.reordered)
			}
		})
	}
}

// FuzzSequence holds the window against a set, for numbers that stay within it.
func FuzzSequence(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 0, 1, 0, 5, 0, 3})
	f.Fuzz(func(t *testing.T, in []byte) {
		var s sequence
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
		if s.received != int64(len(seen)) || s.repeated != repeated || s.reordered != reordered {
			t.Errorf("received %d of %d, repeated %d of %d, reordered %d of %d", s.received, len(seen), s.repeated, repeated, s.reordered, reordered)
		}
	})
}

const netDev = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo:     840      10    0    0    0     0          0         0      840      10    0    0    0     0       0          0
  eth0: 1000000     700    1    3    0     0          0         0    52000     600    0    0    0     0       0          0
  net1:     100       7    0    2    0     0          0         0        0       0    0    0    0     0       0          0
`

func TestParseNetDev(t *testing.T) {
	for _, c := range []struct {
		name, text, nic string
		want            counts
		err             string
	}{
		{"one interface", netDev, "eth0", counts{"eth0": {1000000, 700, 3}}, ""},
		{"all but loopback", netDev, "", counts{"eth0": {1000000, 700, 3}, "net1": {100, 7, 2}}, ""},
		{"an absent one", netDev, "eth1", nil, "no interface eth1"},
		{"nothing", "", "eth0", nil, "no interface"},
		{"a cut line", " eth0: 12 3", "eth0", nil, "2 figures"},
		{"no number", " eth0: x 3 0 0", "eth0", nil, "invalid syntax"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseNetDev([]byte(c.text), c.nic)
			if !maps.Equal(got, c.want) || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

func FuzzParseNetDev(f *testing.F) {
	f.Add([]byte(netDev), "eth0")
	f.Add([]byte("eth0:"), "")
	f.Fuzz(func(t *testing.T, text []byte, nic string) {
		if c, err := parseNetDev(text, nic); err != nil && c != nil {
			t.Errorf("%+v beside %v", c, err)
		}
	})
}
