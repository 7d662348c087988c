package accept

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io/fs"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/cnibench/cnibench/manifests"
	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// runOf returns a report on host and calico-bgp in which every figure has the
// interval ci and every ratio to host the interval ratio.
func runOf(ci *[2]float64, ratio *[2]float64) *model.Report {
	metric := func(probe, name, unit string) model.Metric {
		return model.Metric{Probe: probe, Name: name, Unit: unit, Better: "higher", Placement: "split", N: 10, Median: 1, CI: ci, LevelCI: ci,
			VsHost: &model.VsHost{N: 10, Ratio: 1, CI: ratio, Judged: constant(1)}}
	}
	cell := func(plugin string) model.Cell {
		return model.Cell{Cell: results.Cell{Plugin: plugin, Topology: results.On("l2"), Wire: "1gbit"}, Status: "ok", PodMTU: 1450,
			Metrics: []model.Metric{metric("tcp-stream", "goodput", "bit/s"), metric("tcp-rr", "p99", "s")}}
	}
	return &model.Report{Run: model.Run{ID: "test", Started: time.Unix(0, 0)}, Host: results.Host{CPU: "x", CPUs: 2},
		Cells: []model.Cell{cell("host"), cell("calico-bgp")},
		Encapsulation: []results.Encapsulation{{Plugin: "calico-bgp", Topology: results.On("l2"), Configured: "vxlan", Effective: "vxlan", OverheadBytes: 50, Agrees: true},
			{Plugin: "host", Topology: results.On("l2"), Effective: "none"}},
		Adjacency:    []results.Adjacency{{Plugin: "calico-bgp", Topology: results.On("l2"), Neighbour: true, Forwards: false}},
		Reachability: []results.Reachability{{Plugin: "calico-bgp", Topology: results.On("l2"), Direction: "pod-to-outside", Reachable: true, Source: "snat"}, {Plugin: "calico-bgp", Topology: results.On("l2"), Direction: "outside-to-pod", Cause: words.Quote("no route")}},
		Policy:       []model.Policy{{Policy: results.Policy{Plugin: "calico-bgp", Topology: results.On("l2"), Enforced: true, Seconds: 0.5}}},
		Findings:     []results.Finding{{Plugin: "calico-bgp", Topology: results.On("l2"), Name: "x"}},
		Setup:        []model.Setup{{Plugin: "calico-bgp", Topology: results.On("l2"), NetworkReadyMS: 1500, CNIAddMS: 100, CNIAdds: []float64{100}, AgentRSSBytes: 200 << 20, Agents: 3}},
	}
}

// constant returns a ratio that is the same in all blocks.
func constant(v float64) stats.Ratio {
	a, b := map[int]float64{}, map[int]float64{}
	for i := range 10 {
		a[i], b[i] = v, 1
	}
	return stats.Paired(a, b)
}

func parse(t *testing.T, threshold string) *Spec {
	t.Helper()
	s, err := Parse([]byte("thresholds:\n- {"+threshold+"}\n"), results.Asked{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestThresholds compares intervals and facts with limits.
func TestThresholds(t *testing.T) {
	nan := math.NaN()
	at := func(low, high float64) *[2]float64 { return &[2]float64{low, high} }
	const goodput = "metric: tcp-stream goodput, "
	const ofHost = "metric: tcp-stream goodput, of: host, "
	for _, c := range []struct {
		name      string
		threshold string
		ci        *[2]float64 // interval of the figure and of the ratio
		want      Verdict
	}{
		{"at least: all above", goodput + "at_least: 10", at(11, 12), Pass},
		{"at least: low end on the limit", goodput + "at_least: 10", at(10, 12), Pass},
		{"at least: across", goodput + "at_least: 10", at(9, 12), Inconclusive},
		{"at least: high end on the limit", goodput + "at_least: 10", at(9, 10), Inconclusive},
		{"at least: all below", goodput + "at_least: 10", at(8, 9.999), Fail},
		{"at least: a point on the limit", goodput + "at_least: 10", at(10, 10), Pass},
		{"at least: a point below", goodput + "at_least: 10", at(9, 9), Fail},
		{"at most: all below", goodput + "at_most: 10", at(8, 9), Pass},
		{"at most: high end on the limit", goodput + "at_most: 10", at(8, 10), Pass},
		{"at most: across", goodput + "at_most: 10", at(9, 11), Inconclusive},
		{"at most: low end on the limit", goodput + "at_most: 10", at(10, 11), Inconclusive},
		{"at most: all above", goodput + "at_most: 10", at(10.001, 11), Fail},
		{"both: inside", goodput + "at_least: 5, at_most: 10", at(6, 9), Pass},
		{"both: across the upper", goodput + "at_least: 5, at_most: 10", at(6, 11), Inconclusive},
		{"both: across the lower", goodput + "at_least: 5, at_most: 10", at(4, 9), Inconclusive},
		{"both: wider than the limits", goodput + "at_least: 5, at_most: 10", at(4, 11), Inconclusive},
		{"both: above", goodput + "at_least: 5, at_most: 10", at(11, 12), Fail},
		{"both: below", goodput + "at_least: 5, at_most: 10", at(1, 2), Fail},
		{"no interval", goodput + "at_least: 0", nil, Inconclusive},
		{"bounds that are not numbers", goodput + "at_least: 0", at(nan, nan), Inconclusive},
		{"bounds the wrong way round", goodput + "at_least: 10", at(12, 9), Inconclusive},
		{"infinite", goodput + "at_least: 10", at(11, math.Inf(1)), Pass},
		{"negative limit", goodput + "at_most: -1", at(-3, -2), Pass},
		{"zero", goodput + "at_most: 0", at(0, 0), Pass},
		{"in units", goodput + "at_least: 900 Mbit/s", at(9.1e8, 9.2e8), Pass},
		{"in units: below", goodput + "at_least: 1 Gbit/s", at(9.1e8, 9.2e8), Fail},
		{"in a unit of something else", goodput + "at_least: 1 ms", at(9.1e8, 9.2e8), Inconclusive},
		{"latency in units", "metric: tcp-rr p99, at_most: 500 µs", at(4e-4, 4.9e-4), Pass},
		{"latency across", "metric: tcp-rr p99, at_most: 500 µs", at(4e-4, 6e-4), Inconclusive},
		{"ratio to host", ofHost + "at_least: 0.95", at(0.96, 0.99), Pass},
		{"ratio to host in percent", ofHost + "at_least: 95 %", at(0.94, 0.949), Fail},
		{"ratio to host across", ofHost + "at_least: 95 %", at(0.94, 0.96), Inconclusive},
		{"ratio without an interval", ofHost + "at_least: 95 %", nil, Inconclusive},
		{"a metric that is not in the run", "metric: udp-pps rate, at_least: 1", at(1, 1), Inconclusive},
		{"a misspelt metric", "metric: tcp-strem goodput, at_least: 1", at(1, 1), Inconclusive},
		{"a plugin that is not in the run", "plugin: flannel-vxlan, " + goodput + "at_least: 1", at(2, 2), Inconclusive},
		{"a rate limit that is not in the run", "wire: 10gbit, " + goodput + "at_least: 1", at(2, 2), Inconclusive},
		{"an alias", "plugin: calico, " + goodput + "at_least: 1", at(2, 2), Pass},
		{"a glob", "plugin: \"calico-*\", " + goodput + "at_least: 1", at(2, 2), Pass},
		{"an earlier run that is not given", goodput + "of: earlier, at_least: 1", at(2, 2), Inconclusive},
		{"encapsulation agrees", "fact: encapsulation agrees, is: true", nil, Pass},
		{"encapsulation kind", "fact: encapsulation kind, is: vxlan", nil, Pass},
		{"another encapsulation", "fact: encapsulation kind, is: none", nil, Fail},
		{"overhead", "fact: encapsulation overhead, at_most: 50", nil, Pass},
		{"too much overhead", "fact: encapsulation overhead, at_most: 49 B", nil, Fail},
		{"neighbours", "fact: adjacency neighbour, is: true", nil, Pass},
		{"not adjacent", "fact: adjacency forwards, is: true", nil, Fail},
		{"reachable", "fact: reachability pod-to-outside, is: true", nil, Pass},
		{"not reachable", "fact: reachability outside-to-pod, is: true", nil, Fail},
		{"reachability that was not measured", "fact: reachability pod-to-pod, is: true", nil, Inconclusive},
		{"source", "fact: source pod-to-outside, is: kept", nil, Fail},
		{"source of packets that did not arrive", "fact: source outside-to-pod, is: kept", nil, Inconclusive},
		{"policy", "fact: policy enforced, is: true", nil, Pass},
		{"policy in time", "fact: policy seconds, at_most: 1 s", nil, Pass},
		{"MTU", "fact: mtu pod, at_least: 1500", nil, Fail},
		{"findings", "fact: findings, at_most: 0", nil, Fail},
		{"ready in time", "setup: network_ready_ms, at_most: 2 s", nil, Pass},
		{"ready too late", "setup: network_ready_ms, at_most: 1000", nil, Fail},
		{"CNI ADD", "setup: cni_add_ms, at_most: 200 ms", nil, Pass},
		{"memory", "setup: agent_rss_bytes, at_most: 100 MiB", nil, Fail},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := Judge(parse(t, c.threshold), runOf(c.ci, c.ci), nil, catalogue.All())
			if o.Verdict != c.want || len(o.Thresholds) != 1 || o.Thresholds[0].Reason == "" {
				t.Errorf("%+v, want %s", o.Thresholds, c.want)
			}
		})
	}
}

// TestStatusOfCells distinguishes networks that do not work from networks that
// were not measured.
func TestStatusOfCells(t *testing.T) {
	for _, c := range []struct {
		name, status string
		cause        words.Text
		want         Verdict
	}{
		{"a network that does not work", "failed", words.Quote("no packet within 30 s"), Fail},
		{"a network that was never reached", "failed", model.CauseNotReached, Inconclusive},
		{"a mode that the kernel lacks", "unsupported", words.Quote("kernel lacks ipip"), Inconclusive},
	} {
		for _, threshold := range []string{"metric: tcp-stream goodput, at_least: 1", "fact: encapsulation agrees, is: true", "setup: cni_add_ms, at_most: 1"} {
			t.Run(c.name+" "+threshold, func(t *testing.T) {
				r := runOf(&[2]float64{2, 2}, nil)
				r.Cells[1].Status, r.Cells[1].Cause, r.Cells[1].Metrics = c.status, c.cause, nil
				if o := Judge(parse(t, threshold), r, nil, catalogue.All()); o.Verdict != c.want || !strings.Contains(o.Thresholds[0].Reason, c.cause.String()) {
					t.Errorf("%+v", o.Thresholds)
				}
			})
		}
	}
}

func TestOfEarlier(t *testing.T) {
	spec := parse(t, "metric: tcp-stream goodput, of: earlier, at_least: 80 %")
	now, earlier := runOf(nil, nil), runOf(nil, nil)
	for i := range earlier.Cells[1].Metrics {
		earlier.Cells[1].Metrics[i].VsHost.Judged = constant(2)
	}
	if o := Judge(spec, now, earlier, catalogue.All()); o.Verdict != Fail {
		t.Errorf("half of the earlier run: %+v", o.Thresholds)
	}
	if o := Judge(spec, now, now, catalogue.All()); o.Verdict != Pass {
		t.Errorf("the same run: %+v", o.Thresholds)
	}
	// One deployment of each run does not show how much deployments differ.
	close := parse(t, "metric: tcp-stream goodput, of: earlier, at_least: 95 %")
	if o := Judge(close, now, now, catalogue.All()); o.Verdict != Inconclusive {
		t.Errorf("the same run with a close limit: %+v", o.Thresholds)
	}
	earlier.Host.CPU = "another"
	if o := Judge(spec, now, earlier, catalogue.All()); o.Verdict != Inconclusive || !strings.Contains(o.Thresholds[0].Reason, "not known to come from one machine") {
		t.Errorf("another machine: %+v", o.Thresholds)
	}
}

func TestWorse(t *testing.T) {
	for _, c := range []struct{ a, b, want Verdict }{
		{Pass, Pass, Pass}, {Pass, Inconclusive, Inconclusive}, {Inconclusive, Fail, Fail}, {Fail, Pass, Fail}, {Fail, Inconclusive, Fail},
	} {
		if got := worse(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %s", c.a, c.b, got)
		}
	}
}

func TestBadSpecs(t *testing.T) {
	for _, c := range []struct{ name, spec, says string }{
		{"nothing", "", "no thresholds"},
		{"no YAML", "thresholds: [", "reading YAML"},
		{"an unknown key", "title: x\nthreshold:\n- {}", `line 2: there is no key "threshold"; did you mean thresholds`},
		{"an unknown key of a threshold", "thresholds:\n- metric: a b\n  at_lest: 3", `line 3: there is no key "at_lest"; did you mean at_least`},
		{"an unknown key of the run", "run:\n  plugin: [calico]\nthresholds: []", `line 2: there is no key "plugin"; did you mean plugins`},
		{"a key twice", "title: a\ntitle: b", "line 2: title is given twice, first in line 1"},
		{"a list where a value belongs", "title: [a]", "line 1: title: must be a single value"},
		{"a value where a list belongs", "thresholds: 3", "line 1: thresholds: must be a list"},
		{"a word where a number belongs", "run: {mtu: big}", "line 1: mtu: takes a value of type int, not a string"},
		{"two subjects", "thresholds:\n- {metric: a b, fact: findings, at_most: 1}", "threshold 1: exactly one"},
		{"no subject", "thresholds:\n- {at_most: 1}", "exactly one"},
		{"no limit", "thresholds:\n- {metric: a b}", "at_least or at_most is missing"},
		{"a metric without a name", "thresholds:\n- {metric: tcp-stream, at_most: 1}", "not a probe and a metric"},
		{"an unknown fact", "thresholds:\n- {fact: encapsulation agres, is: true}", "did you mean encapsulation agrees"},
		{"an unknown setup figure", "thresholds:\n- {setup: cni_add, at_most: 1}", "did you mean cni_add_ms"},
		{"an unknown reference", "thresholds:\n- {metric: a b, of: hots, at_most: 1}", "did you mean host"},
		{"a word for a number", "thresholds:\n- {fact: findings, is: none}", "takes at_least or at_most"},
		{"a number for a word", "thresholds:\n- {fact: encapsulation agrees, at_least: 1}", "takes is"},
		{"a word that is not a value of the fact", "thresholds:\n- {fact: encapsulation kind, is: vxlna}", "did you mean vxlan"},
		{"a unit of something else", "thresholds:\n- {setup: cni_add_ms, at_most: 1 MiB}", "cannot be compared"},
		{"an unknown unit", "thresholds:\n- {metric: a b, at_most: 1 furlong}", "unknown unit"},
		{"a bound that is not a number", "thresholds:\n- {metric: a b, at_most: much}", "neither a number"},
		{"an infinite bound", "thresholds:\n- {metric: a b, at_most: .inf}", "unsupported value"},
		{"limits that exclude each other", "thresholds:\n- {metric: a b, at_least: 2, at_most: 1}", "above at_most"},
		{"a rate limit for a fact", "thresholds:\n- {fact: findings, wire: none, at_most: 1}", "wire applies only to a metric"},
		{"a broken pattern", "thresholds:\n- {metric: a b, plugin: \"[\", at_most: 1}", "pattern"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Parse([]byte(c.spec), results.Asked{}); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %q", err, c.says)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add("thresholds:\n- {metric: a b, at_least: 95 %}")
	f.Add("a: &a [*a]")
	f.Add("? {}\n: x")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse([]byte(text), results.Asked{})
		if err == nil && Judge(s, runOf(nil, nil), nil, catalogue.All()).Verdict == "" {
			t.Error("no verdict")
		}
	})
}

func TestExamples(t *testing.T) {
	names, err := fs.Glob(manifests.Acceptance, "acceptance/*.yaml")
	if err != nil || len(names) < 3 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		text, err := manifests.Acceptance.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Parse(text, results.Asked{})
		if err != nil || !s.MeasuresItself() || s.Title == "" {
			t.Errorf("%s: %v, %+v", name, err, s)
		}
	}
}

// TestExplanationIsWhole checks that the explanation is a valid spec and names every
// key, fact and setup figure.
func TestExplanationIsWhole(t *testing.T) {
	if _, err := Parse([]byte(Explain()), results.Asked{}); err != nil {
		t.Errorf("the explanation is not a spec: %v", err)
	}
	var keys map[string]any
	if err := yaml.Unmarshal([]byte(Explain()), &keys); err != nil {
		t.Fatal(err)
	}
	for _, of := range []reflect.Type{reflect.TypeFor[Spec](), reflect.TypeFor[Threshold]()} {
		for i := range of.NumField() {
			if key, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ","); !strings.Contains(Explain(), key+":") {
				t.Errorf("%s is not explained", key)
			}
		}
	}
	for _, f := range factsKnown {
		if !strings.Contains(Explain(), f.name) {
			t.Errorf("%s is not explained", f.name)
		}
	}
	for _, s := range setups {
		if !strings.Contains(Explain(), s.name) {
			t.Errorf("%s is not explained", s.name)
		}
	}
}

// TestOutcomeFormats renders one threshold of each verdict, with hostile text.
func TestOutcomeFormats(t *testing.T) {
	const hostile = "\x1b[2J</system-out>]]>\u009b"
	s, err := Parse([]byte("thresholds:\n- {name: one, metric: tcp-stream goodput, at_least: 1}\n- {name: two, metric: tcp-stream goodput, at_least: 9}\n"+
		"- {name: three, metric: a b, at_least: 1}\n"), results.Asked{})
	if err != nil {
		t.Fatal(err)
	}
	r := runOf(&[2]float64{2, 3}, nil)
	r.Warnings, r.Cells[1].Metrics[0].Warnings = words.Quotes([]string{hostile}), words.Quotes([]string{hostile})
	o := Judge(s, r, nil, catalogue.All())
	var text, asJSON, junit bytes.Buffer
	for _, err := range []error{o.Text(&text), o.JSON(&asJSON), o.JUnit(&junit)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range []string{text.String(), asJSON.String(), junit.String()} {
		if strings.ContainsAny(b, "\x1b\u009b") {
			t.Errorf("the terminal gets %q", b)
		}
	}
	var read Outcome
	if err := json.Unmarshal(asJSON.Bytes(), &read); err != nil || read.Verdict != Fail || len(read.Thresholds) != 3 {
		t.Errorf("%v, %+v", err, read)
	}
	var document struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
			} `xml:"failure"`
			Error *struct {
				Message string `xml:"message,attr"`
			} `xml:"error"`
		} `xml:"testsuite>testcase"`
	}
	if err := xml.Unmarshal(junit.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	if document.Tests != 3 || document.Failures != 1 || document.Errors != 1 || len(document.Cases) != 3 {
		t.Fatalf("%s", &junit)
	}
	if c := document.Cases; c[0].Failure != nil || c[0].Error != nil || c[1].Failure == nil || !strings.Contains(c[1].Failure.Message, "[2.00, 3.00]") && !strings.Contains(c[1].Failure.Message, "[2, 3]") ||
		c[2].Error == nil || !strings.Contains(c[2].Error.Message, "the run has no a b") {
		t.Errorf("%s", &junit)
	}
}
