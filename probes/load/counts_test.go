package load

import (
	"maps"
	"strings"
	"testing"
)

// TestCountsThatRestart checks counters of interfaces that were recreated, added or
// removed.
func TestCountsThatRestart(t *testing.T) {
	for _, tt := range []struct {
		name    string
		was, is counts
		want    count
	}{
		{"both readings of one interface", counts{"eth0": {100, 10, 1}}, counts{"eth0": {150, 12, 1}}, count{50, 2, 0}},
		{"one was recreated, the other was not", counts{"eth0": {100, 10, 1}, "net1": {1000, 20, 0}}, counts{"eth0": {40, 4, 0}, "net1": {1100, 21, 0}}, count{140, 5, 0}},
		{"bytes have passed the old count, drops have not", counts{"eth0": {100, 10, 9}}, counts{"eth0": {400, 14, 2}}, count{400, 14, 2}},
		{"one is new, one is gone", counts{"eth0": {100, 10, 1}}, counts{"net1": {40, 4, 0}}, count{40, 4, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.is.since(tt.was); got != tt.want {
				t.Errorf("%+v", got)
			}
		})
	}
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
		{"not a number", " eth0: x 3 0 0", "eth0", nil, "invalid syntax"},
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
			t.Errorf("%+v together with the error %v", c, err)
		}
	})
}
