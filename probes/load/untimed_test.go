package load

import (
	"testing"

	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/words"
)

// TestStreamWithoutTick checks a short stream on a slow link, during which the clock
// of the processor time may not tick: its time is small, not zero, which no ratio to
// the nodes' own path could hold.
func TestStreamWithoutTick(t *testing.T) {
	way := OneWay{Server: Received{Bytes: 1e9, Rate: 1e8, Seconds: 1}}
	m := streamMeasurement([]OneWay{way})
	if got := m.Values["cpu"]; got != 0.005 {
		t.Errorf("%v s per GB", got)
	}
	if len(m.Warnings) != 1 || m.Warnings[0].String() != words.CPUWithoutTick.With(10).String() {
		t.Error(m.Warnings)
	}
	way.Server.Machine = hot.MachineTime{Boot: "a"}
	way.Server.Machine.CPU.System = 0.01
	if m := streamMeasurement([]OneWay{way}); m.Values["cpu"] != 0.01 || len(m.Warnings) != 0 {
		t.Error(m)
	}
}
