package report_test

import (
	"html"
	"strings"
	"testing"
	"time"

	ashtml "github.com/cnibench/cnibench/report/html"
	"github.com/cnibench/cnibench/report/markdown"
	astext "github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// at sets the times of records, one second apart, and shifts the records from an index
// on.
func at(records []results.Record, from int, shift time.Duration) []results.Record {
	for i := range records {
		records[i].Time = time.Unix(int64(i), 0).UTC()
		if i >= from {
			records[i].Time = records[i].Time.Add(shift)
		}
	}
	return records
}

func event(name string, block int) results.Record {
	return results.Record{Event: &results.Event{Name: name, Block: block, Complete: name == results.EventFinished,
		Text: words.Quote(map[string]string{results.EventResumed: "the run was interrupted and resumed at round 2"}[name])}}
}

// TestTook checks that the duration of a run excludes the time in which it was stopped.
func TestTook(t *testing.T) {
	part := func(block int) []results.Record {
		return []results.Record{goodput("host", block, 1e9), goodput("flannel-vxlan", block, 9e8), event(results.EventBlockEnd, block)}
	}
	stopped, resumed, finished := event(results.EventStopped, 0), event(results.EventResumed, 1), event(results.EventFinished, 0)
	for _, c := range []struct {
		name    string
		records []results.Record
		from    int // where the break is
		want    float64
	}{
		{"in one go", together(part(0), part(1), []results.Record{finished}), 99, 8},
		{"interrupted and resumed", together(part(0), []results.Record{stopped, resumed}, part(1), []results.Record{finished}), 6, 9},
		{"killed and resumed", together(part(0), []results.Record{resumed}, part(1), []results.Record{finished}), 5, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			recorded := record(at(c.records, c.from, 12*time.Hour)...)
			recorded.Run.Started = time.Unix(0, 0).UTC()
			r := build(t, recorded)
			if r.Run.Took != c.want {
				t.Errorf("it took %v s, want %v", r.Run.Took, c.want)
			}
			if text := rendered(t, people(astext.Write, r, nil)); !strings.Contains(text, "lab, 2 rounds, "+map[float64]string{8: "8 s", 9: "9 s"}[c.want]) {
				t.Errorf("the text says something else: %.200s", text)
			}
		})
	}
}

// TestRoundsOfACell checks that the rounds of a cell are those in which it was measured,
// not all rounds of the run or all rounds before the one in which it broke.
func TestRoundsOfACell(t *testing.T) {
	broke := func(round int) results.Record {
		n := network("flannel-vxlan", results.StatusBroke, "no packet within 30 s", 1450)
		n.Network.BrokeRound, n.Network.BrokeAt = round, time.Unix(3600, 0).UTC()
		return n
	}
	samples := func(blocks ...int) []results.Record {
		return fine("flannel-vxlan", "tcp-stream", "goodput", 8e8, blocks...)
	}
	for _, c := range []struct {
		name          string
		records       []results.Record
		rounds        int
		says, saysNot string
	}{
		{"it began later than the run", together([]results.Record{broke(12)}, samples(8, 9, 10, 11)), 4, "worked for 3 rounds, then broke in round 12", "11 rounds"},
		{"one round", together([]results.Record{broke(2)}, samples(0)), 1, "worked for 1 round, then broke in round 2", "1 rounds"},
		{"no round", together([]results.Record{broke(9)}, failing("flannel-vxlan", "tcp-stream", "timed out", 8)), 0, "came up, then broke in round 9", "worked for"},
		{"it worked again", together([]results.Record{broke(2), network("flannel-vxlan", "ok", "", 1450)}, samples(0, 1, 2)), 3,
			"flannel-vxlan on l2 broke in round 2 at 01:00:00 UTC and worked again after the run was resumed", "then broke"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := build(t, record(c.records...))
			if cell := r.Cell(results.Cell{Plugin: "flannel-vxlan", Topology: results.On("l2"), Wire: "1gbit"}); cell.Rounds != c.rounds {
				t.Errorf("%d rounds, want %d", cell.Rounds, c.rounds)
			}
			for format, text := range map[string]string{"text": rendered(t, people(astext.Write, r, nil)),
				"page": rendered(t, people(ashtml.Write, r, nil)), "Markdown": rendered(t, people(markdown.Write, r, nil))} {
				text = html.UnescapeString(text)
				if !strings.Contains(text, c.says) || strings.Contains(text, c.saysNot) {
					t.Errorf("%s has no %q, or has %q:\n%s", format, c.says, c.saysNot, text)
				}
			}
		})
	}
}

// TestRoundsOfTheAdvice checks that the advice counts the rounds of the recommended
// plugin in its kernel.
func TestRoundsOfTheAdvice(t *testing.T) {
	recorded := syntheticRun(nil, "l2")
	kept := recorded.Records[:0]
	for _, r := range recorded.Records {
		if s := r.Sample; s == nil || s.Plugin != "flannel-host-gw" || s.Block < 12 {
			kept = append(kept, r)
		}
	}
	recorded.Records = kept
	r := build(t, recorded)
	a := r.Recommendation[0]
	if a.Plugin != "flannel-host-gw" || !strings.HasPrefix(a.Confidence.RestsOn.String(), "12 rounds on 2 nodes") || r.Run.Rounds != 16 {
		t.Errorf("%s rests on %q, of %d rounds", a.Plugin, a.Confidence.RestsOn, r.Run.Rounds)
	}
}
