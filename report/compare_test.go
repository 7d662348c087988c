package report_test

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/cnibench/cnibench/report/judge"
	astext "github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/words"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// levels holds the goodput of each plugin of a made-up run, as a share of 1 Gbit/s.
var levels = map[string]float64{"host": 0.95, "flannel-vxlan": 0.90, "flannel-host-gw": 0.948, "flannel-udp": 0.3, "flannel-vxlan+control": 0.90}

// steady makes a run with those levels and a little noise. change, if not nil, can
// modify each sample.
func steady(rounds int, change func(*results.Sample)) *results.Recorded {
	var records []results.Record
	names := []string{"host", "flannel-vxlan", "flannel-host-gw", "flannel-udp", "flannel-vxlan+control"}
	for _, n := range names {
		records = append(records, network(n, "ok", "", 1500))
	}
	for block := range rounds {
		for i, n := range names {
			// Noise of two per mille, with a different phase for each plugin.
			r := goodput(n, block, 1e9*levels[n]*(1+0.001*float64((block*7+i*3)%5-2)))
			r.Sample.Seconds, r.Sample.Start = 1, time.Unix(int64(1000*block), 0)
			if change != nil {
				change(r.Sample)
			}
			records = append(records, r)
		}
	}
	finished := results.Record{Time: time.Unix(100, 0).UTC(), Event: &results.Event{Name: results.EventFinished, Complete: true}}
	recorded := record(append(records, finished)...)
	recorded.Run.Asked.Plugins, recorded.Run.Asked.Control = names[:4], "flannel-vxlan"
	return recorded
}

func pair(t *testing.T, r *model.Report, a, b string) *model.Comparison {
	t.Helper()
	for i := range r.Comparisons {
		if c := &r.Comparisons[i]; c.A == a && c.B == b {
			return c
		}
	}
	t.Fatalf("%s and %s are not compared", a, b)
	return nil
}

// TestVerdicts compares the sentences of the verdicts with a golden file.
func TestVerdicts(t *testing.T) {
	r := build(t, steady(12, nil))
	var text bytes.Buffer
	if err := astext.Write(&text, r, nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Comparisons {
		text.WriteString(string(c.Verdict) + ": " + c.Sentence.String() + "\n")
	}
	const golden = "testdata/verdicts.txt"
	if *update {
		if err := os.WriteFile(golden, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text.String()); diff != "" {
		t.Errorf("differs from %s (go test ./report -update rewrites it):\n%s", golden, diff)
	}
	if len(r.Comparisons) != 7 {
		t.Errorf("%d comparisons of four networks and a control", len(r.Comparisons))
	}
	if c := pair(t, r, "flannel-vxlan", "host"); c.Verdict != stats.Slower || c.PAdjusted < c.P || c.N != 12 {
		t.Errorf("%+v", c)
	}
	if c := pair(t, r, "flannel-vxlan+control", "flannel-vxlan"); c.Verdict != stats.Equivalent || !c.Control {
		t.Errorf("%+v", c)
	}
}

// TestNoVerdictOutOfNothing checks that bad measurements lead to no verdict, with a
// sentence that says why.
func TestNoVerdictOutOfNothing(t *testing.T) {
	vxlan := func(change func(*results.Sample)) func(*results.Sample) {
		return func(s *results.Sample) {
			if s.Plugin == "flannel-vxlan" {
				change(s)
			}
		}
	}
	for _, c := range []struct {
		name   string
		rounds int
		change func(*results.Sample)
		want   stats.Verdict
		n      int
		says   string
	}{
		{"too few rounds for an interval", 3, nil, stats.Inconclusive, 3, "3 rounds give no interval, 9 are needed"},
		{"too few rounds for the family", 7, nil, stats.Inconclusive, 7, "among 7 comparisons no difference can be shown in 7 rounds, 9 are needed"},
		{"zeros", 12, vxlan(func(s *results.Sample) {
			if s.Block%4 == 0 {
				s.Values["goodput"] = 0
			}
		}), stats.Inconclusive, 9, "in 3 of 12 rounds one of the two is zero"},
		{"only zeros", 12, vxlan(func(s *results.Sample) { s.Values["goodput"] = 0 }), stats.Inconclusive, 0, "in 12 of 12 rounds"},
		{"a plugin that fails in some rounds", 12, vxlan(func(s *results.Sample) {
			if s.Block%6 == 1 {
				s.Values, s.Error = nil, words.Quote("no route to host")
			}
		}), stats.Slower, 10, "lower"},
		{"a plugin that fails in most rounds", 12, vxlan(func(s *results.Sample) {
			if s.Block > 3 {
				s.Values, s.Error = nil, words.Quote("no route to host")
			}
		}), stats.Inconclusive, 4, "4 rounds give no interval"},
		{"no round has both: a plugin that fails in turn with the host", 12, func(s *results.Sample) {
			if (s.Plugin == "host") == (s.Block%2 == 0) {
				s.Values, s.Error = nil, words.Quote("no route to host")
			}
		}, stats.Inconclusive, 0, "no round has a sample of both"},
		{"all samples equal", 12, func(s *results.Sample) { s.Values["goodput"] = 1e9 }, stats.Equivalent, 12, "differs by less than 3.0 %"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := pair(t, build(t, steady(c.rounds, c.change)), "flannel-vxlan", "host")
			partly := strings.Contains(words.Clauses(got.Notes...).String(), "rounds have a sample of both; the verdict speaks of those alone")
			if partly != strings.Contains(c.name, "a plugin that fails") {
				t.Errorf("notes: %q", got.Notes)
			}
			if got.Verdict != c.want || got.N != c.n || !strings.Contains(got.Sentence.String(), c.says) {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestNoNumberIsNoSample checks that values that are not finite numbers are left out of
// the samples, with a warning.
func TestNoNumberIsNoSample(t *testing.T) {
	for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		recorded := steady(12, func(s *results.Sample) {
			if s.Plugin == "flannel-vxlan" && s.Block == 3 {
				s.Values["goodput"] = v
			}
		})
		r := build(t, recorded)
		if c := pair(t, r, "flannel-vxlan", "host"); c.Verdict != stats.Inconclusive || !strings.Contains(c.Sentence.String(), "1 of 12 rounds") {
			t.Errorf("%v: %+v", v, c)
		}
		m := r.Cell(results.Cell{Plugin: "flannel-vxlan", Topology: results.On("l2"), Wire: "1gbit"}).Metric("tcp-stream", "goodput")
		if m.N != 11 || len(m.Samples) != 11 || !strings.Contains(words.Clauses(m.Warnings...).String(), "1 sample is not a finite number") {
			t.Errorf("%v: %+v", v, m)
		}
	}
}

func TestSensitivity(t *testing.T) {
	exit := func(plugin string, at int64) results.Record {
		return results.Record{Time: time.Unix(at, 0), Event: &results.Event{Name: results.EventAgentExit, Plugin: plugin, Topology: results.On("l2"), Text: words.Quote("exit 1")}}
	}
	for _, c := range []struct {
		name    string
		change  func(*results.Sample)
		events  []results.Record
		marked  map[string]int
		changes int
		says    string
	}{
		{"nothing happened", nil, nil, map[string]int{}, 0, "No sample was disturbed"},
		{"steal in one sample", func(s *results.Sample) {
			if s.Plugin == "host" && s.Block == 2 {
				s.Warnings = words.Quotes([]string{"the hypervisor took 9.0 % of the processor time during this sample"})
			}
		}, nil, map[string]int{judge.MarkWarning: 1}, 0, "Without the 1 of 60 samples that something disturbed (warned of by the probe 1) no verdict changes."},
		{"an agent's exit marks the sample beside it", nil, []results.Record{exit("flannel-udp", 3002), exit("flannel-udp", 3500)},
			map[string]int{judge.MarkExit: 1}, 0, "an agent restarted 1"},
		{"a storm", func(s *results.Sample) {
			s.Values["retransmits"] = float64(s.Block % 3)
			if s.Plugin == "flannel-udp" && s.Block == 5 {
				s.Values["retransmits"] = 9000
			}
		}, nil, map[string]int{judge.MarkStorm: 1}, 0, "a storm of retransmits 1"},
		{"most samples of one plugin", func(s *results.Sample) {
			if s.Plugin == "flannel-udp" && s.Block > 3 {
				s.Warnings = words.Quotes([]string{"the hypervisor took 9.0 %"})
			}
		}, nil, map[string]int{judge.MarkWarning: 8}, 3, "flannel-udp against host by tcp-stream goodput over 1gbit is inconclusive and not slower (4 rounds left)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			recorded := steady(12, c.change)
			recorded.Records = append(recorded.Records, c.events...)
			s := build(t, recorded).Sensitivity
			if diff := cmp.Diff(c.marked, s.Marked); diff != "" {
				t.Error(diff)
			}
			if len(s.Changes) != c.changes || !strings.Contains(s.Text.String(), c.says) || s.Samples != 60 {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestNotes checks the notes on a verdict that result from the order of the rounds.
func TestNotes(t *testing.T) {
	for _, c := range []struct {
		name   string
		factor func(block int) float64
		says   string
	}{
		{"drift", func(block int) float64 { return 1 - 0.01*float64(block) }, "the ratio drifted by -2"},
		{"echo", func(block int) float64 { return 1 + 0.05*math.Sin(float64(block)/4) }, "neighbouring rounds resemble each other"},
		{"warm-up", func(block int) float64 { return map[bool]float64{true: 0.8, false: 1}[block < 6] }, "(warm-up); without them the verdict does not change"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := build(t, steady(24, func(s *results.Sample) {
				if s.Plugin == "flannel-vxlan" {
					s.Values["goodput"] *= c.factor(s.Block)
				}
			}))
			if notes := words.Clauses(pair(t, r, "flannel-vxlan", "host").Notes...).String(); !strings.Contains(notes, c.says) {
				t.Errorf("notes: %q", notes)
			}
			if notes := pair(t, r, "flannel-udp", "host").Notes; len(notes) != 0 {
				t.Errorf("another pair: %q", notes)
			}
		})
	}
}

func TestImplausible(t *testing.T) {
	scale := func(plugin string, by float64) func(*results.Sample) {
		return func(s *results.Sample) {
			if s.Plugin == plugin {
				s.Values["goodput"] *= by
			}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*results.Sample)
		rules  []string
	}{
		{"all is well", nil, nil},
		{"a plugin beats the host", scale("host", 0.9), []string{"faster-than-underlay"}},
		{"a tunnel beats plain routes", scale("flannel-host-gw", 0.7), []string{"tunnel-faster-than-plain"}},
		{"more than the wire carries", scale("host", 1.1), []string{"above-the-wire"}},
		{"the control differs", scale("flannel-vxlan+control", 0.8), []string{"control-differs"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := build(t, steady(12, c.change))
			var broken []string
			for _, i := range r.Implausible {
				if i.Text.Empty() || i.Check.Empty() {
					t.Errorf("%+v", i)
				}
				if len(broken) == 0 || broken[len(broken)-1] != i.Rule {
					broken = append(broken, i.Rule)
				}
			}
			if diff := cmp.Diff(c.rules, broken); diff != "" {
				t.Errorf("%s\n%+v", diff, r.Implausible)
			}
		})
	}
}
