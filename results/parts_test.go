package results

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"
)

func TestTopology(t *testing.T) {
	for _, c := range []struct {
		topology   Topology
		name, json string
	}{
		{On("l2"), "l2", `{"plugin":"host","topology":"l2","wire":"none"}`},
		{On("vpc:l3-only").In("uml 6.1.176"), "vpc:l3-only in uml 6.1.176", `{"plugin":"host","topology":"vpc:l3-only","wire":"none"}`},
	} {
		if got := c.topology.String(); got != c.name {
			t.Errorf("%#v is named %q, want %q", c.topology, got, c.name)
		}
		text, err := json.Marshal(Cell{"host", c.topology, "none"})
		if err != nil || string(text) != c.json {
			t.Errorf("%s is written %s (%v), want %s", c.name, text, err, c.json)
		}
	}
}

// TestParts follows a run through two kernels, with an interruption in each.
func TestParts(t *testing.T) {
	sample := func(block int) Record { return Record{Sample: &Sample{Block: block}} }
	event := func(name string, block int) Record { return Record{Event: &Event{Name: name, Block: block}} }
	broken := []Record{sample(0), event(EventBlockEnd, 0), sample(1), event(EventResumed, 1), sample(1), event(EventBlockEnd, 1)}
	for _, c := range []struct {
		name       string
		records    []Record
		next       int // next block
		nextKernel bool
		complete   bool
		superseded []int
	}{
		{"one kernel, cut off", broken[:3], 1, false, false, nil},
		{"one kernel, resumed", broken, 2, false, false, []int{2}},
		{"the other kernel has not begun", slices.Concat(broken, []Record{event(EventNextKernel, 0)}), 0, true, false, []int{2}},
		{"the other kernel was cut off before its first sample", slices.Concat(broken, []Record{event(EventNextKernel, 0),
			{Network: &Network{}}, event(EventResumed, 0)}), 0, true, false, []int{2, 7}},
		{"the other kernel was cut off later", slices.Concat(broken, []Record{event(EventNextKernel, 0)}, broken), 2, true, false, []int{2, 9}},
		{"done", slices.Concat(broken, []Record{event(EventNextKernel, 0)}, broken, []Record{{Event: &Event{Name: EventFinished, Complete: true}}}),
			2, true, true, []int{2, 9}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &Recorded{Records: c.records}
			if r.NextBlock() != c.next || r.NextKernel() != c.nextKernel || r.Complete() != c.complete {
				t.Errorf("next block %d, next kernel %v, complete %v", r.NextBlock(), r.NextKernel(), r.Complete())
			}
			if got := slices.Sorted(maps.Keys(r.Superseded())); !slices.Equal(got, c.superseded) {
				t.Errorf("superseded: %v, want %v", got, c.superseded)
			}
		})
	}
}
