package probes

import "testing"

// TestCountersThatRestart looks at counters of devices that were made anew
// between two looks: they never give the huge number of a difference below 0.
func TestCountersThatRestart(t *testing.T) {
	for _, tt := range []struct {
		name    string
		was, is device
		rx, tx  uint64
		drops   uint64 // of a counter that went like the device's of what it sent
	}{
		{"it went on", device{RX: 100, TX: 50, Index: 3}, device{RX: 130, TX: 55, Index: 3}, 30, 5, 5},
		{"nothing passed", device{RX: 100, TX: 50, Index: 3}, device{RX: 100, TX: 50, Index: 3}, 0, 0, 0},
		{"both counters fell", device{RX: 100, TX: 50, Index: 3}, device{RX: 7, TX: 2, Index: 3}, 7, 2, 2},
		{"one counter fell, so the other began anew too", device{RX: 100, TX: 50, Index: 3}, device{RX: 7, TX: 60, Index: 3}, 7, 60, 10},
		{"another device has its name and more", device{RX: 100, TX: 50, Index: 3}, device{RX: 130, TX: 60, Index: 9}, 130, 60, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := since([]device{tt.was}, []device{tt.is})[0]
			if got.RX != tt.rx || got.TX != tt.tx {
				t.Errorf("device: received %d, sent %d", got.RX, got.TX)
			}
			drops := uint64(0)
			for _, d := range NewDrops([]Drop{{"the router", "no route", tt.was.TX}}, []Drop{{"the router", "no route", tt.is.TX}}) {
				drops += d.Packets
			}
			if drops != tt.drops {
				t.Errorf("drops: %d", drops)
			}
		})
	}
	for _, tt := range []struct {
		name    string
		was, is counts
		want    count
	}{
		{"they went on", counts{"eth0": {100, 10, 1}}, counts{"eth0": {150, 12, 1}}, count{50, 2, 0}},
		{"one was made anew, the other went on", counts{"eth0": {100, 10, 1}, "net1": {1000, 20, 0}}, counts{"eth0": {40, 4, 0}, "net1": {1100, 21, 0}}, count{140, 5, 0}},
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
