package report_test

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report"
	ashtml "github.com/cnibench/cnibench/report/html"
	"github.com/cnibench/cnibench/report/machine"
	"github.com/cnibench/cnibench/report/markdown"
	"github.com/cnibench/cnibench/report/model"
	astext "github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// surveyed returns a run with a survey of n nodes by two plugins, of which change alters
// the pairs.
func surveyed(t testing.TB, n int, change func(plugin string, from, to int, p *results.SurveyPair)) *model.Report {
	t.Helper()
	recorded := syntheticRun(nil, "l2")
	last := len(recorded.Records) - 1
	end := recorded.Records[last]
	recorded.Records = recorded.Records[:last]
	for _, plugin := range []string{"host", "flannel-vxlan"} {
		head := results.Survey{Plugin: plugin, Topology: results.On("l2")}
		for i := range n {
			head.Nodes = append(head.Nodes, results.SurveyNode{Name: nodeName(i), Zone: string(rune('a' + i%2)), Subnet: "100.64.0.0/24", Pod: fmt.Sprintf("10.%d.%d.2", i/200, i%200)})
		}
		head.Nodes = append(head.Nodes, results.SurveyNode{Name: "control", Problem: words.Quote("taint only"), LeftOut: true})
		recorded.Records = append(recorded.Records, results.Record{Survey: &head})
		for i := range n {
			part := results.Survey{Plugin: plugin, Topology: results.On("l2")}
			for j := range n {
				if i != j {
					p := results.SurveyPair{From: nodeName(i), To: nodeName(j), Sent: 20, Arrived: 20, Answered: 20, Source: results.SourceKept,
						RTT: 1e-4 * (1 + float64((i*7+j*3)%10)/10), Interface: 1450, Largest: 1450}
					change(plugin, i, j, &p)
					part.Pairs = append(part.Pairs, p)
				}
			}
			recorded.Records = append(recorded.Records, results.Record{Survey: &part})
		}
	}
	recorded.Records = append(recorded.Records, speeds(n)...)
	recorded.Records = append(recorded.Records, end)
	r, err := report.Build(recorded, catalogue.All())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// speeds returns streams of eight rounds between n nodes, of which the fifth receives less
// with flannel, and comparisons that confirm that.
func speeds(n int) (all []results.Record) {
	add := func(plugin string, from, to, round int, again *results.Suspect) {
		p := &results.PairSpeed{Plugin: plugin, Topology: results.On("l2"), Pair: results.Pair{From: nodeName(from), To: nodeName(to)}, Round: round, Again: again}
		p.Goodput = 1e9 * (1 + float64((from*7+to*3+round)%10)/1000)
		if plugin != "host" {
			p.Goodput *= 0.95
			if to == 4 {
				p.Goodput *= 0.7
			}
		}
		all = append(all, results.Record{PairSpeed: p})
	}
	for round := range 8 {
		for i := range n {
			for _, plugin := range []string{"host", "flannel-vxlan"} {
				add(plugin, i, (i+round+1)%n, round, nil)
			}
		}
	}
	for round := range 3 {
		for i := range n / 2 {
			add("flannel-vxlan", 2*i, 2*i+1, round, nil)
			all[len(all)-1].PairSpeed.Together = true
		}
	}
	for i := range 16 {
		again := &results.Suspect{Node: nodeName(4), Receiver: true}
		add("flannel-vxlan", 5+i%(n-5), 4, i, again)
		add("flannel-vxlan", 5+i%(n-5), i%4, i, again)
	}
	return all
}

func nodeName(i int) string { return fmt.Sprintf("node-%d", i+1) }

// threeFaults closes the way into one node, makes the packets of another smaller, and
// loses packets into a third, which the host's network does too.
func threeFaults(plugin string, from, to int, p *results.SurveyPair) {
	switch {
	case plugin != "host" && to == 2:
		*p = results.SurveyPair{From: p.From, To: p.To, Sent: 20, Interface: 1450, Refused: "no route to host"}
	case plugin != "host" && (from == 5 || to == 5):
		p.Largest = 1350 + from%2
	case to == 7:
		p.Arrived, p.Answered = 15, 14
	}
}

// TestSurveyRenderings renders a survey with three faults in every form.
func TestSurveyRenderings(t *testing.T) {
	r := surveyed(t, 9, threeFaults)
	validate(t, r)
	var all strings.Builder
	section := func(name, text string, in func(line string) bool) {
		fmt.Fprintf(&all, "== %s\n", name)
		for line := range strings.Lines(text) {
			if in(line) {
				all.WriteString(line)
			}
		}
	}
	from := func(begin string) func(string) bool {
		within := false
		return func(line string) bool {
			within = (within || strings.Contains(line, begin)) && line != "\n"
			return within
		}
	}
	section("text", rendered(t, people(astext.Write, r, nil)), from("all pairs of nodes:"))
	section("text, pairs", rendered(t, people(astext.Write, r, nil)), from("goodput of a TCP stream over pairs"))
	section("text, pairs, Chinese", rendered(t, people(astext.Write, r, chinese(t))), from("节点对之间的 TCP"))
	section("text, Chinese", rendered(t, people(astext.Write, r, chinese(t))), from("所有节点两两之间"))
	section("Markdown", rendered(t, people(markdown.Write, r, nil)), func(line string) bool {
		return strings.Contains(line, "ordered pairs") || strings.HasPrefix(line, "  - ")
	})
	section("OpenMetrics", rendered(t, of(machine.OpenMetrics, r)), func(line string) bool {
		return strings.HasPrefix(line, "cnibench_node_") && strings.Contains(line, `node="node-3"`) || strings.HasPrefix(line, "cnibench_survey")
	})
	fmt.Fprintln(&all, "== JUnit")
	var cases struct {
		Suites []struct {
			Name  string `xml:"name,attr"`
			Cases []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Text string `xml:"message,attr"`
				} `xml:"failure"`
				Error *struct {
					Text string `xml:"message,attr"`
				} `xml:"error"`
				Skipped *struct {
					Text string `xml:"message,attr"`
				} `xml:"skipped"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal([]byte(rendered(t, of(machine.JUnit, r))), &cases); err != nil {
		t.Fatal(err)
	}
	for _, s := range cases.Suites {
		for _, c := range s.Cases {
			switch {
			case s.Name != "nodes" && s.Name != "slow nodes":
			case c.Failure != nil:
				fmt.Fprintf(&all, "%s: failure: %s\n", c.Name, c.Failure.Text)
			case c.Error != nil:
				fmt.Fprintf(&all, "%s: error: %s\n", c.Name, c.Error.Text)
			case c.Skipped != nil:
				fmt.Fprintf(&all, "%s: skipped: %s\n", c.Name, c.Skipped.Text)
			default:
				fmt.Fprintf(&all, "%s: ok\n", c.Name)
			}
		}
	}
	page := rendered(t, people(ashtml.Write, r, nil))
	fmt.Fprintf(&all, "== page: %d squares, %d with a fault\n", strings.Count(page, `<rect class="heat`), strings.Count(page, `<rect class="heat fault`))
	const golden = "testdata/survey.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(all.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), all.String()); diff != "" {
		t.Errorf("differs from %s (go test ./report -update rewrites it):\n%s", golden, diff)
	}
}

// TestSurveyOfManyNodes checks that the page of a large survey shows the rows of the odd
// nodes only, and stays small.
func TestSurveyOfManyNodes(t *testing.T) {
	page := rendered(t, people(ashtml.Write, surveyed(t, 200, threeFaults), nil))
	const most = 3 << 20
	if len(page) > most {
		t.Errorf("the page has %d bytes, more than %d", len(page), most)
	}
	for _, says := range []string{"→ node-3", "→ node-6", "node-6 →", "→ node-8", "node-3 inbound from 199 of 199 nodes"} {
		if !strings.Contains(page, says) {
			t.Errorf("the page does not say %q", says)
		}
	}
}

// BenchmarkSurveyOfManyNodes reports a survey of 200 nodes, which has 39,800 pairs for
// each of two networks.
func BenchmarkSurveyOfManyNodes(b *testing.B) {
	var page, data bytes.Buffer
	for b.Loop() {
		page.Reset()
		data.Reset()
		r := surveyed(b, 200, threeFaults)
		if err := ashtml.Write(&page, r, nil); err != nil {
			b.Fatal(err)
		}
		if err := machine.JSON(&data, r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(page.Len())/1e6, "page-MB")
	b.ReportMetric(float64(data.Len())/1e6, "json-MB")
}
