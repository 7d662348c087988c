package network

import (
	"testing"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/words"
)

// TestCountersThatRestart checks counters of devices that were recreated between
// two readings. Their difference must never wrap around to a huge number.
func TestCountersThatRestart(t *testing.T) {
	for _, tt := range []struct {
		name    string
		was, is device
		rx, tx  uint64
		drops   uint64 // difference of a drop counter with the values of TX
	}{
		{"both counters rose", device{RX: 100, TX: 50, Index: 3}, device{RX: 130, TX: 55, Index: 3}, 30, 5, 5},
		{"nothing passed", device{RX: 100, TX: 50, Index: 3}, device{RX: 100, TX: 50, Index: 3}, 0, 0, 0},
		{"both counters fell", device{RX: 100, TX: 50, Index: 3}, device{RX: 7, TX: 2, Index: 3}, 7, 2, 2},
		{"one counter fell, so both were reset", device{RX: 100, TX: 50, Index: 3}, device{RX: 7, TX: 60, Index: 3}, 7, 60, 10},
		{"another device with the same name and higher counters", device{RX: 100, TX: 50, Index: 3}, device{RX: 130, TX: 60, Index: 9}, 130, 60, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := since([]device{tt.was}, []device{tt.is})[0]
			if got.RX != tt.rx || got.TX != tt.tx {
				t.Errorf("device: received %d, sent %d", got.RX, got.TX)
			}
			drops := uint64(0)
			for _, d := range probes.NewDrops([]probes.Drop{{Where: words.Quote("the router"), Why: words.Quote("no route"), Packets: tt.was.TX}}, []probes.Drop{{Where: words.Quote("the router"), Why: words.Quote("no route"), Packets: tt.is.TX}}) {
				drops += d.Packets
			}
			if drops != tt.drops {
				t.Errorf("drops: %d", drops)
			}
		})
	}
}
