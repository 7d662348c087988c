package report_test

import (
	"html"
	"io"
	"strings"
	"testing"

	ashtml "github.com/cnibench/cnibench/report/html"
	"github.com/cnibench/cnibench/report/markdown"
	astext "github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// TestLinkIsNamed checks that every rendering for people describes the delay and loss of
// a run's links, and that goodput has no expected value with loss.
func TestLinkIsNamed(t *testing.T) {
	for _, c := range []struct {
		name, link       string
		english, chinese []string
		expected         bool // whether goodput has an expected value
	}{
		{"none", "", nil, nil, true},
		{"delay", "delay=20ms", []string{"took 20ms longer each way, a round trip 40ms"}, []string{"单向多用 20ms，往返多用 40ms"}, true},
		{"loss", "loss=0.1%", []string{"0.1 % of the packets between two machines were lost each way"}, []string{"单向丢失 0.1 %"}, false},
		{"both", "delay=1.5ms,loss=2%", []string{"1.5ms longer each way", "a round trip 3ms", "2 % of the packets"}, []string{"往返多用 3ms", "单向丢失 2 %"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			recorded := load(t, "testdata/run")
			recorded.Run.Asked.Link = parsedLink(t, c.link)
			r := build(t, recorded)
			for in, want := range map[*words.Language][]string{nil: c.english, chinese(t): c.chinese} {
				for format, render := range map[string]func(io.Writer) error{"text": people(astext.Write, r, in), "html": people(ashtml.Write, r, in), "markdown": people(markdown.Write, r, in)} {
					got := html.UnescapeString(rendered(t, render)) // Markdown writes dots as references
					for _, part := range want {
						if !strings.Contains(got, part) {
							t.Errorf("%s does not say %q", format, part)
						}
					}
					if c.link == "" && strings.Contains(got, "each way") {
						t.Errorf("%s mentions a link that was not requested", format)
					}
				}
			}
			shaped := 0
			for _, cell := range r.Cells {
				m := cell.Metric("tcp-stream", "goodput")
				if m == nil || cell.Wire == "none" {
					continue
				}
				shaped++
				if (m.Expected != nil) != c.expected || (cell.Loss != nil) != (c.expected && cell.Plugin != "host") {
					t.Errorf("%s over %s: expected %v, split into %+v", cell.Plugin, cell.Wire, m.Expected, cell.Loss)
				}
			}
			if shaped == 0 {
				t.Error("the recorded run has no rate limit: nothing was checked")
			}
		})
	}
}

// TestLinkWithoutSamples checks that a link without samples is not mentioned.
func TestLinkWithoutSamples(t *testing.T) {
	for name, records := range map[string][]results.Record{
		"no network came up":    {network("host", "failed", "no carrier", 0), network("flannel-vxlan", "failed", "no carrier", 0)},
		"every sample failed":   together(failing("host", "tcp-stream", "timed out", six...), failing("flannel-vxlan", "tcp-stream", "timed out", six...)),
		"the run was cut short": nil,
	} {
		t.Run(name, func(t *testing.T) {
			recorded := record(records...)
			recorded.Run.Asked.Link = parsedLink(t, "delay=20ms,loss=0.1%")
			r := build(t, recorded)
			for format, render := range map[string]func(io.Writer) error{"text": people(astext.Write, r, nil), "html": people(ashtml.Write, r, nil), "markdown": people(markdown.Write, r, nil)} {
				if got := rendered(t, render); strings.Contains(got, "each way") {
					t.Errorf("%s mentions the link", format)
				}
			}
		})
	}
}

func parsedLink(t *testing.T, text string) results.Link {
	t.Helper()
	l, err := results.ParseLink(text)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
