package report_test

import (
	"html"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/cnibench/cnibench/report/facts"
	ashtml "github.com/cnibench/cnibench/report/html"
	"github.com/cnibench/cnibench/report/machine"
	"github.com/cnibench/cnibench/report/markdown"
	astext "github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/report/view"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// failing returns failed samples of a probe.
func failing(plugin, probe, cause string, blocks ...int) []results.Record {
	var all []results.Record
	for _, block := range blocks {
		s := goodput(plugin, block, 0)
		s.Sample.Probe, s.Sample.Values, s.Sample.Error = probe, nil, words.Quote(cause)
		all = append(all, s)
	}
	return all
}

// fine returns successful samples of a probe.
func fine(plugin, probe, metric string, v float64, blocks ...int) []results.Record {
	var all []results.Record
	for _, block := range blocks {
		s := goodput(plugin, block, 0)
		s.Sample.Probe, s.Sample.Values = probe, map[string]float64{metric: v}
		all = append(all, s)
	}
	return all
}

var six = []int{0, 1, 2, 3, 4, 5}

func together(lists ...[]results.Record) []results.Record {
	all := []results.Record{network("host", "ok", "", 1500), network("flannel-vxlan", "ok", "", 1450)}
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// TestFailureCounts checks the effect of failed samples on what works, on the matrix and
// on the recommendation.
func TestFailureCounts(t *testing.T) {
	const cause = "connecting to 10.244.1.2:99: connection timed out"
	rr := func(plugin string) []results.Record { return fine(plugin, "tcp-rr", "p50", 2e-5, six...) }
	stream := func(plugin string) []results.Record {
		return fine(plugin, "tcp-stream", "goodput", 9e8, six...)
	}
	for _, c := range []struct {
		name    string
		records []results.Record
		works   string
		mark    string // in the matrix
		says    string // in every rendering for people
	}{
		{"all of the plugin's streams", together(rr("host"), stream("host"), rr("flannel-vxlan"), failing("flannel-vxlan", "tcp-stream", cause, six...)),
			"no", "does not work: tcp-stream failed 6 of 6: " + cause, "tcp-stream failed 6 of 6: " + cause},
		{"the plugin's and the host's", together(rr("host"), failing("host", "tcp-stream", cause, six...), rr("flannel-vxlan"), failing("flannel-vxlan", "tcp-stream", cause, six...)),
			"", "not measured: tcp-stream failed 6 of 6: " + cause + "; the nodes' own network fails at it too", "a fault of the underlay, which is charged to no plugin"},
		{"the host's in other rounds alone", together(rr("host"), failing("host", "tcp-stream", cause, 6, 7), rr("flannel-vxlan"), failing("flannel-vxlan", "tcp-stream", cause, six...)),
			"no", "does not work: tcp-stream failed 6 of 6: " + cause, "tcp-stream failed 6 of 6"},
		{"some of the plugin's", together(rr("host"), stream("host"), rr("flannel-vxlan"), fine("flannel-vxlan", "tcp-stream", "goodput", 8e8, 0, 1, 2), failing("flannel-vxlan", "tcp-stream", cause, 3, 4, 5)),
			"yes", "works, but: tcp-stream failed 3 of 6: " + cause, "tcp-stream failed 3 of 6: " + cause},
		{"a probe that is more than sending", together(rr("host"), stream("host"), rr("flannel-vxlan"), stream("flannel-vxlan"), failing("flannel-vxlan", "service", cause, six...)),
			"yes", "works, but: service failed 6 of 6: " + cause, "service failed 6 of 6: " + cause},
		{"nothing failed", together(rr("host"), stream("host"), rr("flannel-vxlan"), stream("flannel-vxlan")), "yes", "works", "works"},
		{"everything of the plugin", together(rr("host"), stream("host"), failing("flannel-vxlan", "tcp-rr", cause, six...), failing("flannel-vxlan", "tcp-stream", cause, six...)),
			"no", "does not work: tcp-stream failed 6 of 6: " + cause, "failed 6 of 6"},
		{"everything of both", together(failing("host", "tcp-stream", cause, six...), failing("flannel-vxlan", "tcp-stream", cause, six...)),
			"", "not measured: tcp-stream failed 6 of 6: " + cause + "; the nodes' own network fails at it too", "charged to no plugin"},
		{"figures that are not numbers", together(rr("host"), stream("host"), rr("flannel-vxlan"), fine("flannel-vxlan", "tcp-stream", "goodput", math.NaN(), six...)),
			"no", "does not work: tcp-stream failed 6 of 6: its goodput is not a finite number", "not a finite number"},
	} {
		t.Run(c.name, func(t *testing.T) {
			recorded := record(c.records...)
			recorded.Run.Metrics = append(recorded.Run.Metrics, results.Metric{Probe: "tcp-rr", Name: "p50", Unit: "s", Better: "lower"},
				results.Metric{Probe: "service", Name: "connections", Unit: "1/s", Better: "higher"})
			r := build(t, recorded)
			if got := facts.Works(r, "flannel-vxlan", results.On("l2")); got.Value != c.works {
				t.Errorf("works is %+v, want %q", got, c.works)
			}
			if got := view.CellOf(r, "flannel-vxlan", results.On("l2")).Text().String(); got != c.mark {
				t.Errorf("the matrix says %q, want %q", got, c.mark)
			}
			if c.works != "yes" && r.Recommendation[0].Plugin != "" {
				t.Errorf("it is recommended: %s", r.Recommendation[0].Summary)
			}
			for format, render := range map[string]func(io.Writer) error{"text": people(astext.Write, r, nil), "html": people(ashtml.Write, r, nil)} {
				if got := html.UnescapeString(rendered(t, render)); !strings.Contains(got, c.says) {
					t.Errorf("%s does not say %q", format, c.says)
				}
			}
		})
	}
}

// TestMissingFigureInEveryFormat checks that every format shows a probe without a figure:
// its row, the number of failures and their cause.
func TestMissingFigureInEveryFormat(t *testing.T) {
	const cause = "no route to host"
	recorded := record(together(fine("host", "tcp-stream", "goodput", 9e8, six...), fine("host", "tcp-rr", "p50", 2e-5, six...),
		fine("flannel-vxlan", "tcp-rr", "p50", 3e-5, six...), failing("flannel-vxlan", "tcp-stream", cause, six...))...)
	recorded.Run.Metrics = append(recorded.Run.Metrics, results.Metric{Probe: "tcp-rr", Name: "p50", Unit: "s", Better: "lower"})
	r := build(t, recorded)
	zh := chinese(t)
	for _, c := range []struct {
		format string
		render func(io.Writer) error
		want   []string
	}{
		{"text", people(astext.Write, r, nil), []string{"flannel-vxlan  failed 6 of 6", "note: flannel-vxlan: tcp-stream failed 6 of 6: " + cause}},
		{"page", people(ashtml.Write, r, nil), []string{"<td>failed 6 of 6", "tcp-stream failed 6 of 6: " + cause}},
		{"Markdown", people(markdown.Write, r, nil), []string{"tcp-stream failed 6 of 6: " + cause}},
		{"JUnit", of(machine.JUnit, r), []string{`<failure message="tcp-stream failed 6 of 6: ` + cause}},
		{"OpenMetrics", of(machine.OpenMetrics, r), []string{`cnibench_failed_samples{run="test",plugin="flannel-vxlan",topology="l2",wire="1gbit",probe="tcp-stream"} 6`,
			`cnibench_cell_up{run="test",plugin="flannel-vxlan",topology="l2",wire="1gbit"} 0`}},
		{"JSON", of(machine.JSON, r), []string{`"failed": 6`, `"cause": "` + cause}},
		{"Chinese text", people(astext.Write, r, zh), []string{"6 个中 6 个失败", "tcp-stream 的 6 个样本中 6 个失败"}},
	} {
		t.Run(c.format, func(t *testing.T) {
			got := html.UnescapeString(rendered(t, c.render))
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
		})
	}
}

// TestBroke checks that every format says of a network that it worked and then broke.
func TestBroke(t *testing.T) {
	at := time.Date(2026, 11, 25, 12, 34, 56, 0, time.UTC)
	broke := func(plugin string, round int) results.Record {
		n := network(plugin, results.StatusBroke, "no packet within 30 s", 1450)
		n.Network.BrokeRound, n.Network.BrokeAt = round, at
		return n
	}
	samples := func(rounds int) []results.Record {
		return append(fine("host", "tcp-stream", "goodput", 9e8, six...), fine("flannel-vxlan", "tcp-stream", "goodput", 8e8, six[:rounds]...)...)
	}
	r := build(t, record(append(append(together(), broke("flannel-vxlan", 5)), samples(4)...)...))
	const says = "worked for 4 rounds, then broke in round 5 at 12:34:56 UTC: no packet within 30 s"
	if got := facts.Works(r, "flannel-vxlan", results.On("l2")); got.Value != "no" || got.Evidence.String() != says {
		t.Errorf("works: %+v", got)
	}
	if got := view.CellOf(r, "flannel-vxlan", results.On("l2")).Text().String(); got != "worked, then broke: "+says {
		t.Errorf("matrix: %q", got)
	}
	for _, c := range []struct {
		format string
		render func(io.Writer) error
		want   []string
	}{
		{"text", people(astext.Write, r, nil), []string{says, "flannel-vxlan (until it broke in round 5)  800 Mbit/s", "worked, then broke"}},
		{"page", people(ashtml.Write, r, nil), []string{says, "flannel-vxlan (until it broke in round 5)", "worked, then broke"}},
		{"Markdown", people(markdown.Write, r, nil), []string{says, "flannel-vxlan (until it broke in round 5)"}},
		{"JUnit", of(machine.JUnit, r), []string{`<failure message="` + says}},
		{"OpenMetrics", of(machine.OpenMetrics, r), []string{`cnibench_cell_up{run="test",plugin="flannel-vxlan",topology="l2",wire="1gbit"} 0`}},
		{"JSON", of(machine.JSON, r), []string{`"status": "broke"`, `"broke_round": 5`, `"broke_at": "2026-11-25T12:34:56Z"`}},
		{"Chinese text", people(astext.Write, r, chinese(t)), []string{"正常工作了 4 轮，然后于第 5 轮", "第 5 轮中断之前", "曾可用，后中断"}},
	} {
		t.Run(c.format, func(t *testing.T) {
			got := html.UnescapeString(rendered(t, c.render))
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("no %q in\n%s", want, got)
				}
			}
		})
	}
	for _, c := range []struct {
		name  string
		host  int
		works string
	}{{"the host broke in the same round", 5, ""}, {"the host broke a round later", 6, ""}, {"the host broke much later", 30, "no"}} {
		t.Run(c.name, func(t *testing.T) {
			r := build(t, record(append(append(together(), broke("flannel-vxlan", 5), broke("host", c.host)), samples(4)...)...))
			if got := facts.Works(r, "flannel-vxlan", results.On("l2")); got.Value != c.works {
				t.Errorf("works: %+v", got)
			}
		})
	}
}

// TestBothWays checks that both directions between two nodes count.
func TestBothWays(t *testing.T) {
	reach := func(plugin, from, to, cause string) results.Record {
		a := &results.Reachability{Plugin: plugin, Topology: results.On("l2"), Direction: results.PodToPod, From: from, To: to, Reachable: cause == "", Cause: words.Quote(cause)}
		if a.Reachable {
			a.Source = results.SourceKept
		}
		return results.Record{Reachability: a}
	}
	both := func(plugin, there, back string) []results.Record {
		return []results.Record{reach(plugin, "node1", "node2", there), reach(plugin, "node2", "node1", back)}
	}
	streams := append(fine("host", "tcp-stream", "goodput", 9e8, six...), fine("flannel-vxlan", "tcp-stream", "goodput", 8e8, six...)...)
	backward := func(host, plugin float64) []results.Record {
		return append(fine("host", "tcp-stream:reverse", "goodput", host, six...), fine("flannel-vxlan", "tcp-stream:reverse", "goodput", plugin, six...)...)
	}
	for _, c := range []struct {
		name    string
		records []results.Record
		works   string
		mark    string
	}{
		{"both", both("flannel-vxlan", "", ""), "yes", "works"},
		{"not back", both("flannel-vxlan", "", "no datagram arrived"), "no", "does not work: pod-to-pod: from node2 to node1: not reached: no datagram arrived"},
		{"not there", both("flannel-vxlan", "no datagram arrived", ""), "no", "does not work: pod-to-pod: from node1 to node2: not reached: no datagram arrived"},
		{"neither", both("flannel-vxlan", "lost", "lost"), "no", "does not work: pod-to-pod: from node1 to node2: not reached: lost; from node2 to node1: not reached: lost"},
		{"not back, and the host's neither", append(both("flannel-vxlan", "", "lost"), both("host", "", "lost")...), "",
			"not measured: the nodes' own network fails at it too: from node2 to node1: not reached: lost"},
		{"neither, and the host's one way", append(both("flannel-vxlan", "lost", "lost"), both("host", "", "lost")...), "no",
			"does not work: pod-to-pod: from node1 to node2: not reached: lost; from node2 to node1: not reached: lost"},
		{"an old record of one way", []results.Record{reach("flannel-vxlan", "", "", "")}, "yes", "works"},
		{"next to nothing back", backward(9e8, 1.8e6), "partly", "hardly works: tcp-stream:reverse carries 1.80 Mbit/s over 1gbit, ×0.002 [0.002, 0.002] of host"},
		{"much less back", backward(9e8, 1e8), "yes", "works, but: one direction carries much less than the other: 800 Mbit/s over 1gbit from the first node to the second, 100 Mbit/s back"},
		{"much less back, as the host's", backward(1e8, 0.9e8), "yes", "works"},
	} {
		t.Run(c.name, func(t *testing.T) {
			recorded := record(together(streams, c.records)...)
			recorded.Run.Metrics = append(recorded.Run.Metrics, results.Metric{Probe: "tcp-stream:reverse", Name: "goodput", Unit: "bit/s", Better: "higher"})
			r := build(t, recorded)
			if got := facts.Works(r, "flannel-vxlan", results.On("l2")); got.Value != c.works {
				t.Errorf("works: %+v", got)
			}
			if got := view.CellOf(r, "flannel-vxlan", results.On("l2")).Text().String(); got != c.mark {
				t.Errorf("the matrix says\n%q, want\n%q", got, c.mark)
			}
			if lines := view.ReachLines(r); c.name == "both" && lines[0].Cells[3].String() != "both ways: reached, source kept" ||
				c.name == "not back" && lines[0].Cells[3].String() != "from node1 to node2: reached, source kept; from node2 to node1: not reached: no datagram arrived" {
				t.Errorf("%q", lines[0].Cells)
			}
		})
	}
}

// TestNodesOfFigures checks that the report gives the number of nodes that figures are
// measured between, not the number that was requested.
func TestNodesOfFigures(t *testing.T) {
	recorded := syntheticRun(nil, "l2")
	recorded.Run.Asked.Nodes = 3
	if f := facts.All(build(t, recorded))[0]; f.Nodes != 2 || f.NodesAsked != 3 {
		t.Errorf("%d of %d", f.Nodes, f.NodesAsked)
	}
}
