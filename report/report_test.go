package report_test

import (
	"bytes"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report"
	ashtml "github.com/cnibench/cnibench/report/html"
	"github.com/cnibench/cnibench/report/machine"
	"github.com/cnibench/cnibench/report/markdown"
	astext "github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/words"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGolden renders a recorded run of real agents.
func TestGolden(t *testing.T) {
	recorded, err := results.Load("testdata/run")
	if err != nil {
		t.Fatal(err)
	}
	r, err := report.Build(recorded, catalogue.All())
	if err != nil {
		t.Fatal(err)
	}
	zh := chinese(t)
	for name, render := range map[string]func(io.Writer) error{"report.txt": people(astext.Write, r, nil), "report.json": of(machine.JSON, r), "report.html": people(ashtml.Write, r, nil),
		"report.zh.txt": people(astext.Write, r, zh), "report.zh.html": people(ashtml.Write, r, zh), "report.zh.md": people(markdown.Write, r, zh),
		"report.md": people(markdown.Write, r, nil), "report.xml": of(machine.JUnit, r), "report.prom": of(machine.OpenMetrics, r), "report.csv": of(machine.CSV, recorded), "report.bench": of(machine.Benchfmt, recorded)} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := render(&got); err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("differs from %s (go test ./report -update rewrites it):\n%s", golden, diff)
			}
		})
	}
}

// validate checks a report against the schema.
func validate(t *testing.T, r *model.Report) {
	t.Helper()
	schema, err := jsonschema.UnmarshalJSON(bytes.NewReader(machine.JSONSchema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("schema.json", schema); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := machine.JSON(&text, r); err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(&text)
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(instance); err != nil {
		t.Errorf("the report does not follow its schema: %v", err)
	}
}

// record returns a run in memory of the host and one plugin.
func record(records ...results.Record) *results.Recorded {
	return &results.Recorded{
		Run: results.Run{Schema: results.RunSchema, ID: "test", Started: time.Unix(0, 0).UTC(), Host: results.Host{CPUs: 2},
			Asked:   results.Asked{Plugins: []string{"host", "flannel-vxlan"}, Testbed: "lab", Topology: []string{"l2"}, Wire: []string{"1gbit"}, MTU: 1500, Rounds: 6},
			Metrics: []results.Metric{{Probe: "tcp-stream", Name: "goodput", Unit: "bit/s", Better: "higher"}}},
		Records: records,
	}
}

func network(plugin, status, cause string, podMTU int) results.Record {
	return results.Record{Network: &results.Network{Plugin: plugin, Topology: results.On("l2"), Status: status, Cause: words.Quote(cause), Fidelity: "agent", PodMTU: podMTU}}
}

func goodput(plugin string, block int, v float64) results.Record {
	return results.Record{Sample: &results.Sample{Cell: results.Cell{Plugin: plugin, Topology: results.On("l2"), Wire: "1gbit"}, Probe: "tcp-stream", Block: block,
		Placement: results.Placement{Mode: "split"}, Values: map[string]float64{"goodput": v}}}
}

func build(t *testing.T, recorded *results.Recorded) *model.Report {
	t.Helper()
	r, err := report.Build(recorded, catalogue.All())
	if err != nil {
		t.Fatal(err)
	}
	validate(t, r)
	for _, render := range []func(io.Writer) error{people(astext.Write, r, nil), people(ashtml.Write, r, nil)} {
		if err := render(io.Discard); err != nil {
			t.Error(err)
		}
	}
	return r
}

func TestExpectedAndLoss(t *testing.T) {
	records := []results.Record{network("host", "ok", "", 1500), network("flannel-vxlan", "ok", "", 1450)}
	for block := range 6 {
		drift := 1 + 0.1*float64(block)
		records = append(records, goodput("host", block, 1e9*drift), goodput("flannel-vxlan", block, 0.9e9*drift))
	}
	r := build(t, record(records...))
	host := r.Cell(results.Cell{Plugin: "host", Topology: results.On("l2"), Wire: "1gbit"})
	vxlan := r.Cell(results.Cell{Plugin: "flannel-vxlan", Topology: results.On("l2"), Wire: "1gbit"})
	// (1500−52)/(1500+14) and (1500−50−52)/(1500+14) of a gigabit.
	for cell, want := range map[*model.Cell]float64{host: 1e9 * 1448 / 1514, vxlan: 1e9 * 1398 / 1514} {
		if got := cell.Metric("tcp-stream", "goodput").Expected; got == nil || math.Abs(*got-want) > 1 {
			t.Errorf("%s: expected goodput is %v, want %v", cell.Plugin, got, want)
		}
	}
	v := vxlan.Metric("tcp-stream", "goodput").VsHost
	if v == nil || v.N != 6 || math.Abs(v.Ratio-0.9) > 1e-9 || v.CI == nil || v.CI[1]-v.CI[0] > 1e-9 {
		t.Errorf("vs host: %+v", v)
	}
	// Headers leave 1398/1448 = 0.9655 (FIELD arithmetic).
	if l := vxlan.Loss; l == nil || math.Abs(l.Total-0.1) > 1e-9 || math.Abs(l.Header-(1-0.96547)) > 1e-5 || math.Abs(l.Total-l.Header-l.Rest) > 1e-12 {
		t.Errorf("loss: %+v", l)
	}
	if host.Loss != nil || host.Metric("tcp-stream", "goodput").VsHost != nil {
		t.Error("the baseline is compared with itself")
	}
}

func TestWhatIsMissingIsSaid(t *testing.T) {
	failed := goodput("flannel-vxlan", 1, 0)
	failed.Sample.Values, failed.Sample.Error = nil, words.Quote("connecting to 10.244.1.2:99: no route to host")
	for _, c := range []struct {
		name     string
		recorded *results.Recorded
		says     string
	}{
		{"no samples at all", record(network("host", "ok", "", 1500)), "the run ended before it was brought up"},
		{"too few samples", record(network("host", "ok", "", 1500), goodput("host", 0, 1)), "1 sample gives no interval: 5 more are needed"},
		{"failed samples", record(network("flannel-vxlan", "ok", "", 1450), goodput("flannel-vxlan", 0, 1), failed), "1 of 2 samples failed, the last: connecting"},
		{"only failed samples", record(network("flannel-vxlan", "ok", "", 1450), failed), "no sample succeeded; the last one: connecting"},
		{"a run that was cut off", record(), "cut off"},
		{"a plugin of another version", record(network("weave", "ok", "", 1500), goodput("weave", 0, 1)), "weave"},
		{"the wire disagrees", record(network("flannel-vxlan", "ok", "", 1450), results.Record{Encapsulation: &results.Encapsulation{
			Plugin: "flannel-vxlan", Topology: results.On("l2"), Configured: "vxlan", ConfiguredPort: 8472, ExpectedBytes: 50, Effective: "none", Frames: 32, Sent: 32}}),
			"the wire disagrees: flannel-vxlan on l2 is configured for vxlan to port 8472 (50 bytes), but what was seen is no encapsulation"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := build(t, c.recorded)
			var text, page bytes.Buffer
			if err := astext.Write(&text, r, nil); err != nil {
				t.Fatal(err)
			}
			if err := ashtml.Write(&page, r, nil); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(text.String(), c.says) || !strings.Contains(page.String(), c.says) {
				t.Errorf("%q is not in the text or not in the page:\n%s", c.says, &text)
			}
		})
	}
}

// TestUntrustedText renders text that a hostile agent could log.
func TestUntrustedText(t *testing.T) {
	hostile := "\x1b[2J\x07</td><script>alert(1)</script>\u202e\r\nWARNING: fine"
	r := build(t, record(network("flannel-vxlan", "failed", hostile, 0), network("host", "ok", "", 1500),
		results.Record{Event: &results.Event{Name: results.EventAgentExit, Plugin: "host", Topology: results.On("l2"), Text: words.Quote(hostile)}}))
	var text, page bytes.Buffer
	if err := astext.Write(&text, r, nil); err != nil {
		t.Fatal(err)
	}
	if err := ashtml.Write(&page, r, nil); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(text.String(), "\x1b\x07\r\u202e") || strings.Contains(text.String(), "\nWARNING: fine") {
		t.Errorf("the terminal gets %q", text.String())
	}
	if strings.Contains(page.String(), "<script") {
		t.Error("the page contains a script")
	}
}
