package report_test

import (
	"html"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/plugins/catalogue"
	ashtml "github.com/cnibench/cnibench/report/html"
	"github.com/cnibench/cnibench/report/markdown"
	"github.com/cnibench/cnibench/report/model"
	astext "github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

func chinese(t *testing.T) *words.Language {
	t.Helper()
	zh, err := words.New("zh")
	if err != nil {
		t.Fatal(err)
	}
	return zh
}

var (
	// english matches a sequence of words that looks like an English sentence.
	english = regexp.MustCompile(`[a-z]+[a-z'’]* [a-z][a-z'’]* [a-z][a-z'’]*`)
	// asItIs matches parts of a report that are the same in every language: names
	// of documents in square brackets, and files to paste.
	asItIs = regexp.MustCompile(`(?m)\[[^\]]*\]?[^\]]*\]|^    .*$|^程序：.*$|Flannel: pods of a node|context deadline exceeded|network is unreachable`)
	// agentLog matches a line from the log of a Go agent, quoted as printed.
	agentLog = regexp.MustCompile(`[EWIF]\d{4} \d\d:.*`)
	marks    = regexp.MustCompile(`(?s)<style>.*?</style>|<pre.*?</pre>|<[^>]*>|&[#a-z0-9]*;`)
)

// TestNothingIsLeftInEnglish looks for untranslated sentences in a Chinese report.
func TestNothingIsLeftInEnglish(t *testing.T) {
	for name, r := range map[string]*model.Report{
		"recorded run":     build(t, load(t, "testdata/run")),
		"three topologies": build(t, syntheticRun(&results.Needs{Nodes: 20, NodesLater: 120}, "l2", "routed", "vpc")),
		"reference run":    build(t, load(t, "../results/reference")),
		"needs of a cloud": build(t, syntheticRun(&results.Needs{Cloud: "alibaba", Nodes: 300, NetworkPolicy: true, PodIPsReachable: true}, "vpc")),
	} {
		zh := chinese(t)
		for format, render := range map[string]func(io.Writer) error{"text": people(astext.Write, r, zh), "html": people(ashtml.Write, r, zh), "markdown": people(markdown.Write, r, zh)} {
			t.Run(name+" as "+format, func(t *testing.T) {
				text := agentLog.ReplaceAllString(html.UnescapeString(rendered(t, render)), "")
				text = marks.ReplaceAllString(text, "\n")
				for _, cause := range causes(r) {
					text = strings.ReplaceAll(text, cause, "")
				}
				for _, left := range english.FindAllString(asItIs.ReplaceAllString(text, ""), -1) {
					at := strings.Index(text, left)
					t.Errorf("left in English: %q", text[max(0, at-80):min(len(text), at+90)])
				}
			})
		}
	}
}

func load(t *testing.T, dir string) *results.Recorded {
	t.Helper()
	recorded, err := results.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return recorded
}

// causes returns the causes that the made-up run contains. They are not sentences of the
// program and are not translated.
func causes(r *model.Report) []string {
	var all []string
	for _, c := range r.Cells {
		all = append(all, c.Cause.String())
	}
	for _, a := range r.Reachability {
		all = append(all, a.Cause.String())
	}
	for _, a := range r.Adjacency {
		all = append(all, a.Cause.String())
	}
	for _, p := range r.Policy {
		all = append(all, p.Cause.String())
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// TestPathsInChinese checks the translations of the packet paths in the catalogue.
func TestPathsInChinese(t *testing.T) {
	zh := chinese(t)
	for _, p := range catalogue.All() {
		if said := zh.Say(p.Path); english.MatchString(said) {
			t.Errorf("%s: %q is left in English in %q", p.Name, english.FindString(said), said)
		}
	}
}

// TestChinesePage checks the language attribute and headings of the Chinese page.
func TestChinesePage(t *testing.T) {
	r := build(t, syntheticRun(&results.Needs{Nodes: 20}, "l2"))
	page := rendered(t, people(ashtml.Write, r, chinese(t)))
	for _, want := range []string{`<html lang="zh">`, "这个网络该用哪个 CNI 插件？", "测量方法"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	if page := rendered(t, people(ashtml.Write, r, nil)); !strings.Contains(page, `<html lang="en">`) {
		t.Error("the English page does not say that it is English")
	}
}
