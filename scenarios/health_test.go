package scenarios

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// TestBroke distinguishes a network that worked and then stopped from one that never worked and
// from one on which only some probes fail.
func TestBroke(t *testing.T) {
	for _, c := range []struct {
		name    string
		samples string // of probes a and b, two per block; upper case: failed
		given   bool
		status  string
		round   int
		cause   string
	}{
		{"never worked", "ABA", true, results.StatusFailed, 0, "the first packet passed, but no sample succeeded: 3 samples in a row failed"},
		{"worked, then broke", "abbaABA", true, results.StatusBroke, 3, "3 samples in a row failed"},
		{"broke inside a block", "abaBAB", true, results.StatusBroke, 2, "3 samples in a row failed"},
		{"fails and recovers, then breaks", "abAbaBAB", true, results.StatusBroke, 3, ""},
		{"one probe fails always", "aBaBBaaBBa", false, "", 0, ""},
		{"one probe fails always, over several wires", "aBBBBB", false, "", 0, ""},
		{"one probe fails from then on", "abaBBBB", false, "", 0, ""},
		{"the only one that ever worked breaks", "BaBaBAB", true, results.StatusBroke, 3, "3 samples in a row failed"},
		{"two in a row", "abAB", false, "", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := &upNetwork{Network: &fragile{}, instance: "host", topology: results.On("l2")}
			for i, probe := range c.samples {
				s := &results.Sample{Probe: strings.ToLower(string(probe)), Block: i / 2, Start: time.Unix(int64(i), 0).UTC()}
				if s.Probe != string(probe) {
					n.failed(s)
				} else {
					n.succeeded(s.Probe)
				}
				if n.givenUp() != (c.given && i == len(c.samples)-1) {
					t.Fatalf("after sample %d: given up: %v", i, n.givenUp())
				}
			}
			if !c.given {
				return
			}
			facts := failedFacts(t, n)
			if facts.Status != c.status || facts.BrokeRound != c.round || !strings.Contains(facts.Cause.String(), c.cause) {
				t.Errorf("%+v", facts)
			}
			if c.status == results.StatusBroke && !facts.BrokeAt.Equal(n.since.Start) || c.status != results.StatusBroke && !facts.BrokeAt.IsZero() {
				t.Errorf("it broke at %s, want %s", facts.BrokeAt, n.since.Start)
			}
		})
	}
}

// failedFacts returns what is recorded about a network that is given up.
func failedFacts(t *testing.T, n *upNetwork) results.Network {
	t.Helper()
	dir := create(t, 1, results.HostPlugin)
	_, journal, err := results.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	r := &run{Config: Config{Journal: journal}, states: states{}}
	if err := errors.Join(r.fail(n, fmt.Errorf("%d samples in a row failed, the last: %s", n.failures, n.since.Error)), journal.Close()); err != nil {
		t.Fatal(err)
	}
	recorded, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return *recorded.Records[0].Network
}

// TestBrokenStaysBroken resumes a run in which a network broke.
func TestBrokenStaysBroken(t *testing.T) {
	r := &run{Config: Config{Recorded: &results.Recorded{Records: []results.Record{
		{Network: &results.Network{Plugin: "host", Topology: results.On("l2"), Status: results.StatusOK}},
		{Setup: &results.Setup{Plugin: "host", Topology: results.On("l2")}},
		{Sample: &results.Sample{Cell: results.Cell{Plugin: "host", Topology: results.On("l2")}}},
		{Network: &results.Network{Plugin: "host", Topology: results.On("l2"), Status: results.StatusBroke, BrokeRound: 2}},
	}}}, states: states{}, pace: pace{seen: seen{}}, unsupported: map[results.Cell]bool{}}
	if r.recall(); !r.states.givenUp("host", "l2") {
		t.Error("it is tried again")
	}
}

// TestWorkedBeforeTheInterruption breaks a network after its run was resumed.
func TestWorkedBeforeTheInterruption(t *testing.T) {
	r := &run{Config: Config{Recorded: &results.Recorded{Records: []results.Record{
		{Sample: &results.Sample{Cell: results.Cell{Plugin: "host", Topology: results.On("l2")}, Probe: "a"}},
		{Sample: &results.Sample{Cell: results.Cell{Plugin: "host", Topology: results.On("routed")}, Probe: "b"}},
		{Sample: &results.Sample{Cell: results.Cell{Plugin: "host", Topology: results.On("l2")}, Probe: "c", Error: words.Quote("x")}},
	}}}}
	n := &upNetwork{instance: "host", topology: results.On("l2")}
	r.earlier().health(n)
	if len(n.worked) != 1 || !n.worked["a"] || n.failures != 0 {
		t.Errorf("%+v", n.health)
	}
}
