package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	prometheus "github.com/prometheus/common/model"
	"golang.org/x/perf/benchfmt"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report"
	ashtml "github.com/cnibench/cnibench/report/html"
	"github.com/cnibench/cnibench/report/junit"
	"github.com/cnibench/cnibench/report/machine"
	"github.com/cnibench/cnibench/report/markdown"
	"github.com/cnibench/cnibench/report/model"
	astext "github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

func recordedRun(t *testing.T) (*results.Recorded, *model.Report) {
	t.Helper()
	recorded, err := results.Load("testdata/run")
	if err != nil {
		t.Fatal(err)
	}
	r, err := report.Build(recorded, catalogue.All())
	if err != nil {
		t.Fatal(err)
	}
	return recorded, r
}

func rendered(t *testing.T, render func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := render(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// samplesOf returns the samples of a record that have values.
func samplesOf(recorded *results.Recorded) (all []*results.Sample) {
	for _, r := range recorded.Records {
		if r.Sample != nil && len(r.Sample.Values) > 0 {
			all = append(all, r.Sample)
		}
	}
	return all
}

func TestCSVHoldsEverySample(t *testing.T) {
	recorded, _ := recordedRun(t)
	lines, err := csv.NewReader(strings.NewReader(rendered(t, of(machine.CSV, recorded)))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range lines[0] {
		column[name] = i
	}
	got := map[string]string{}
	for _, l := range lines[1:] {
		got[strings.Join([]string{l[column["plugin"]], l[column["wire"]], l[column["probe"]], l[column["block"]], l[column["metric"]]}, " ")] = l[column["value"]]
	}
	want := 0
	for _, s := range samplesOf(recorded) {
		for name, v := range s.Values {
			want++
			text := got[fmt.Sprintf("%s %s %s %d %s", s.Plugin, s.Wire, s.Probe, s.Block, name)]
			if read, err := strconv.ParseFloat(text, 64); err != nil || read != v {
				t.Errorf("%s %s %s of block %d is %q, want %v", s.Plugin, s.Probe, name, s.Block, text, v)
			}
		}
	}
	if len(lines)-1 != want {
		t.Errorf("%d lines for %d values", len(lines)-1, want)
	}
}

func TestGoBenchmarkIsReadBack(t *testing.T) {
	recorded, _ := recordedRun(t)
	in := benchfmt.NewReader(strings.NewReader(rendered(t, of(machine.Benchfmt, recorded))), "run")
	samples := samplesOf(recorded)
	n := 0
	for in.Scan() {
		switch r := in.Result().(type) {
		case *benchfmt.SyntaxError:
			t.Error(r)
		case *benchfmt.Result:
			s := samples[n]
			n++
			if want := fmt.Sprintf("CNI/probe=%s/plugin=%s/topology=%s/wire=%s", s.Probe, s.Plugin, s.Topology, s.Wire); r.Name.String() != want {
				t.Errorf("%s, want %s", r.Name, want)
			}
			if len(r.Values) != len(s.Values) {
				t.Errorf("%s: %v, want %v", r.Name, r.Values, s.Values)
			}
			if v, ok := r.Value("goodput-bit/s"); ok && v != s.Values["goodput"] {
				t.Errorf("goodput %v, want %v", v, s.Values["goodput"])
			}
		}
	}
	if in.Err() != nil || n != len(samples) {
		t.Errorf("%d of %d samples, %v", n, len(samples), in.Err())
	}
	if better := in.Units().Get("p50-s", "better"); better == nil || better.Value != "lower" {
		t.Errorf("of latency %v is better", better)
	}
}

// TestBenchstat reads the output with benchstat itself.
func TestBenchstat(t *testing.T) {
	benchstat, err := filepath.Abs("../bin/benchstat")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(benchstat); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("missing here: bin/benchstat (make tools)")
		}
		t.Skip("missing here: bin/benchstat (make tools)")
	}
	recorded, _ := recordedRun(t)
	file := filepath.Join(t.TempDir(), "run.bench")
	if err := os.WriteFile(file, []byte(rendered(t, of(machine.Benchfmt, recorded))), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(benchstat, "-col", "/plugin", "-filter", "/wire:1gbit /plugin:(host OR flannel-vxlan)", file).CombinedOutput()
	text := string(out)
	if err != nil || !strings.Contains(text, "flannel-vxlan") || !strings.Contains(text, "goodput-bit/s") || !strings.Contains(text, "p50-s") || !strings.Contains(text, "p=0.001 n=7") {
		t.Errorf("%v:\n%s", err, text)
	}
}

// TestOpenMetrics reads the figures as node_exporter's textfile collector does and lints
// them as "promtool check metrics" does (both with the same packages), and checks the
// additional requirements of the OpenMetrics format.
func TestOpenMetrics(t *testing.T) {
	_, r := recordedRun(t)
	checkOpenMetrics(t, rendered(t, of(machine.OpenMetrics, r)))
	parser := expfmt.NewTextParser(prometheus.LegacyValidation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(rendered(t, of(machine.OpenMetrics, r))))
	if err != nil {
		t.Fatal(err)
	}
	want := r.Cell(results.Cell{Plugin: "flannel-vxlan", Topology: results.On("l2"), Wire: "1gbit"}).Metric("tcp-stream", "goodput").Median
	found := false
	for _, m := range families["cnibench_goodput_bytes_per_second"].GetMetric() {
		found = found || m.GetGauge().GetValue() == want/8
	}
	if !found {
		t.Errorf("the goodput of flannel-vxlan, %v, is missing", want)
	}
}

var (
	metaLine   = regexp.MustCompile(`^# (TYPE|UNIT|HELP) ([a-z_][a-z0-9_]*) (.+)$`)
	sampleLine = regexp.MustCompile(`^([a-z_][a-z0-9_]*)\{([a-z_][a-z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*\} (\S+)$`)
)

// checkOpenMetrics checks a text against the grammar of OpenMetrics 1.0 for gauges:
// metadata first, one family at a time, the unit as suffix of the name, no duplicate
// series, and the end mark.
func checkOpenMetrics(t *testing.T, text string) {
	t.Helper()
	parser := expfmt.NewTextParser(prometheus.LegacyValidation)
	if _, err := parser.TextToMetricFamilies(strings.NewReader(text)); err != nil {
		t.Errorf("the textfile collector refuses it: %v", err)
	}
	body, ended := strings.CutSuffix(text, "# EOF\n")
	if !ended || strings.Contains("\n"+body, "\n# EOF") {
		t.Error("the text does not end in # EOF, once")
	}
	family, seen := "", map[string]bool{}
	for _, line := range strings.Split(strings.TrimSuffix(body, "\n"), "\n") {
		if m := metaLine.FindStringSubmatch(line); m != nil {
			if m[2] != family { // the order of a family's metadata is free
				if seen[m[2]] {
					t.Errorf("a second family: %s", line)
				}
				family = m[2]
				seen[family] = true
			}
			if m[1] == "TYPE" && m[3] != "gauge" || m[1] == "UNIT" && !strings.HasSuffix(family, "_"+m[3]) {
				t.Errorf("metadata out of place: %s", line)
			}
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil || m[1] != family {
			t.Errorf("no sample of %s: %q", family, line)
			continue
		}
		series, _, _ := strings.Cut(line, "} ")
		if v, err := strconv.ParseFloat(m[3], 64); err != nil || math.IsNaN(v) || seen[series] {
			t.Errorf("no figure, or a second one of its series: %s", line)
		}
		seen[series] = true
	}
}

// TestJUnitStructure checks the output against the parts of Jenkins' junit-10.xsd that it
// uses.
func TestJUnitStructure(t *testing.T) {
	_, r := recordedRun(t)
	checkJUnit(t, rendered(t, of(machine.JUnit, r)))
}

func checkJUnit(t *testing.T, text string) {
	t.Helper()
	var document struct {
		XMLName  xml.Name `xml:"testsuites"`
		Tests    int      `xml:"tests,attr"`
		Failures int      `xml:"failures,attr"`
		Suites   []struct {
			Name                             string `xml:"name,attr"`
			Tests, Failures, Errors, Skipped int    `xml:",attr"`
			Cases                            []struct {
				Name      string `xml:"name,attr"`
				Classname string `xml:"classname,attr"`
				Skipped   []struct {
					Message string `xml:"message,attr"`
				} `xml:"skipped"`
				Failure []struct {
					Message string `xml:"message,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(strings.NewReplacer(` tests=`, ` Tests=`, ` failures=`, ` Failures=`, ` errors=`, ` Errors=`, ` skipped=`, ` Skipped=`).
		Replace(strings.Replace(text, "<testsuites tests=", "<testsuites x=", 1))), &document); err != nil {
		t.Fatal(err)
	}
	for _, s := range document.Suites {
		failed, skipped := 0, 0
		for _, c := range s.Cases {
			failed, skipped = failed+len(c.Failure), skipped+len(c.Skipped)
			if c.Name == "" || c.Classname == "" || len(c.Failure)+len(c.Skipped) > 1 {
				t.Errorf("%s: %+v", s.Name, c)
			}
			for _, f := range c.Failure {
				if f.Message == "" {
					t.Errorf("%s: a failure without a reason", c.Name)
				}
			}
		}
		if s.Name == "" || s.Tests != len(s.Cases) || s.Failures != failed || s.Skipped != skipped || s.Errors != 0 {
			t.Errorf("the counts of %s are wrong: %+v", s.Name, s)
		}
	}
}

// TestJUnitSchema validates the output against a schema with xmllint: a report, and
// suites with every kind of case.
func TestJUnitSchema(t *testing.T) {
	xmllint := needsProgram(t, "xmllint", "libxml2-utils")
	_, r := recordedRun(t)
	every := new(strings.Builder)
	err := junit.Write(every, junit.Suite{Name: "empty", Time: time.Unix(0, 0)}, junit.Suite{Name: "a <suite>", Hostname: "node\x1b[0m", Time: time.Unix(0, 0), Cases: []junit.Case{
		{Class: "c", Name: "passed", Output: "0.99 [0.98, 1.00]\x00"},
		{Class: "c", Name: "failed ]]>", Failure: "0.8 < 0.9 & so on", Kind: "below"},
		{Class: "c", Name: "in error", Error: "no such metric"},
		{Class: "c", Name: "skipped", Skipped: "kernel lacks \u202eipip"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		text string
		ok   bool
	}{
		"a report":             {rendered(t, of(machine.JUnit, r)), true},
		"every kind of case":   {every.String(), true},
		"a case without name":  {strings.Replace(every.String(), `name="passed"`, "", 1), false},
		"a failure in silence": {strings.Replace(every.String(), `<failure message="`, `<failure x="`, 1), false},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command(xmllint, "--noout", "--nonet", "--schema", "testdata/junit.xsd", "-")
			cmd.Stdin = strings.NewReader(tt.text)
			if out, err := cmd.CombinedOutput(); (err == nil) != tt.ok {
				t.Errorf("xmllint: %v: %s\n%s", err, out, tt.text)
			}
		})
	}
}

// TestPromtoolReadsOpenMetrics checks the metrics with Prometheus' own promtool.
func TestPromtoolReadsOpenMetrics(t *testing.T) {
	promtool := needsProgram(t, "promtool", "prometheus")
	_, r := recordedRun(t)
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(rendered(t, of(machine.OpenMetrics, r)))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v: %s", err, out)
	}
}

// TestNothingIsInjected renders names and causes that try to inject markup or commands
// into each format.
func TestNothingIsInjected(t *testing.T) {
	for _, hostile := range []string{
		"\x1b[2J\x1b]0;title\x07", "\u009b2J", "\u202egnp.exe", "</td><script>alert(1)</script><img src=x onerror=alert(1)>",
		"| a | b |\n| --- | --- |", "`code` **bold** [link](javascript:alert(1)) ![x](http://x.example/y.png)", "@octocat #1 http://x.example www.x.example",
		`=HYPERLINK("http://x.example","y")`, "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1+1", "a\"b,c\r\nd", "# EOF\n# TYPE x counter", `\"} 1`, "]]><x/>", "\x00\xff",
	} {
		t.Run(fmt.Sprintf("%q", hostile), func(t *testing.T) {
			failed := goodput("flannel-vxlan", 1, 0)
			failed.Sample.Values, failed.Sample.Error, failed.Sample.Warnings = nil, words.Quote(hostile), words.Quotes([]string{hostile})
			named := goodput(hostile, 0, 1)
			recorded := record(network("flannel-vxlan", "failed", hostile, 0), network(hostile, "ok", "", 1500), named, failed,
				results.Record{Event: &results.Event{Name: results.EventAgentExit, Plugin: "flannel-vxlan", Topology: results.On("l2"), Text: words.Quote(hostile)}},
				results.Record{Finding: &results.Finding{Plugin: hostile, Topology: results.On("l2"), Name: "x", Text: words.Quote(hostile)}},
				results.Record{Encapsulation: &results.Encapsulation{Plugin: hostile, Topology: results.On("l2"), Configured: "none", Effective: "none", Warnings: words.Quotes([]string{hostile})}})
			r, err := report.Build(recorded, catalogue.All())
			if err != nil {
				t.Fatal(err)
			}
			for name, render := range map[string]func(io.Writer) error{"text": people(astext.Write, r, nil), "markdown": people(markdown.Write, r, nil), "json": of(machine.JSON, r), "junit": of(machine.JUnit, r),
				"openmetrics": of(machine.OpenMetrics, r), "csv": of(machine.CSV, recorded), "benchfmt": of(machine.Benchfmt, recorded)} {
				text := rendered(t, render)
				if strings.ContainsAny(text, "\x1b\x07\r\u009b\u202e\x00") {
					t.Errorf("the terminal gets escapes from %s: %q", name, text)
				}
			}
			if page := rendered(t, people(ashtml.Write, r, nil)); strings.Contains(page, "<script>alert") || strings.Contains(page, "<img") {
				t.Error("the page contains injected elements")
			}
			checkMarkdown(t, rendered(t, people(markdown.Write, r, nil)))
			checkCells(t, rendered(t, of(machine.CSV, recorded)))
			checkOpenMetrics(t, rendered(t, of(machine.OpenMetrics, r)))
			checkJUnit(t, rendered(t, of(machine.JUnit, r)))
			in := benchfmt.NewReader(strings.NewReader(rendered(t, of(machine.Benchfmt, recorded))), "run")
			for in.Scan() {
				if e, bad := in.Result().(*benchfmt.SyntaxError); bad {
					t.Error(e)
				}
			}
		})
	}
}

// checkMarkdown checks that untrusted text contains no character that Markdown could take
// for structure, a link or a mention.
func checkMarkdown(t *testing.T, text string) {
	t.Helper()
	for _, code := range regexp.MustCompile(`<code>(.*?)</code>`).FindAllStringSubmatch(text, -1) {
		if rest := regexp.MustCompile(`&#[0-9]+;`).ReplaceAllString(code[1], ""); strings.ContainsAny(rest, "<>&|`*_[]!@#:/\\") {
			t.Errorf("structure in %q", code[0])
		}
	}
	for i, line := range strings.Split(regexp.MustCompile(`<code>.*?</code>`).ReplaceAllString(text, "x"), "\n") {
		bare := strings.NewReplacer("<sub>", "", "</sub>", "", "**NO**", "", "**Warning:**", "").Replace(line)
		if strings.ContainsAny(bare, "<`[@!\\") || strings.Contains(bare, "www.") {
			t.Errorf("line %d: %q", i+1, line)
		}
	}
}

// checkCells checks that no cell begins with a formula.
func checkCells(t *testing.T, text string) {
	t.Helper()
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		for _, cell := range line {
			if _, err := strconv.ParseFloat(cell, 64); err != nil && strings.IndexAny(cell, "=+-@\t\r\n|%") == 0 {
				t.Errorf("a formula: %q", cell)
			}
		}
	}
}

func TestMarkdownFitsAComment(t *testing.T) {
	records := []results.Record{}
	for i := range 2000 {
		records = append(records, network(fmt.Sprintf("plugin-%d", i), "failed", "a cause that is "+strings.Repeat("long ", 20), 0))
	}
	r, err := report.Build(record(records...), catalogue.All())
	if err != nil {
		t.Fatal(err)
	}
	if text := rendered(t, people(markdown.Write, r, nil)); len(text) > 65536 || !strings.Contains(text, "does not fit") {
		t.Errorf("%d bytes", len(text))
	}
}
