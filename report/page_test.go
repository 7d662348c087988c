package report_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report"
	ashtml "github.com/cnibench/cnibench/report/html"
	"github.com/cnibench/cnibench/results"
)

// pageLimit is the maximum size of a page of twelve plugins on three topologies: small
// enough to attach to a mail.
const pageLimit = 1_500_000 // byte

// standIns maps plugins to the plugin of the reference run whose records they copy.
var standIns = map[string][]string{
	"flannel-vxlan":   {"calico-vxlan", "cce-tunnel"},
	"flannel-host-gw": {"vpc-route", "terway-eni", "terway-eniip"},
	"calico-bgp":      {"aws-vpc-cni", "cce-eni"},
}

// twelvePlugins returns the reference run of five plugins on three topologies, with
// copies of them that make twelve.
func twelvePlugins(tb testing.TB) *results.Recorded {
	tb.Helper()
	recorded, err := results.Load("../results/reference")
	if err != nil {
		tb.Fatal(err)
	}
	var copies []results.Record
	for _, r := range recorded.Records {
		text, err := json.Marshal(r)
		if err != nil {
			tb.Fatal(err)
		}
		for original, names := range standIns {
			if !bytes.Contains(text, []byte(`"`+original+`"`)) {
				continue
			}
			for _, name := range names {
				var c results.Record
				if err := json.Unmarshal(bytes.ReplaceAll(text, []byte(`"`+original+`"`), []byte(`"`+name+`"`)), &c); err != nil {
					tb.Fatal(err)
				}
				copies = append(copies, c)
			}
		}
	}
	recorded.Records = append(recorded.Records, copies...)
	return recorded
}

func TestPageOfTwelvePlugins(t *testing.T) {
	r, err := report.Build(twelvePlugins(t), catalogue.All())
	if err != nil {
		t.Fatal(err)
	}
	page := rendered(t, people(ashtml.Write, r, nil))
	for _, names := range standIns {
		for _, name := range names {
			if !strings.Contains(page, name) {
				t.Errorf("the page does not name %s", name)
			}
		}
	}
	if len(page) > pageLimit {
		t.Errorf("the page has %d bytes, more than %d", len(page), pageLimit)
	}
}

// BenchmarkPageOfTwelvePlugins builds the report of that run and renders the page.
func BenchmarkPageOfTwelvePlugins(b *testing.B) {
	recorded := twelvePlugins(b)
	for b.Loop() {
		r, err := report.Build(recorded, catalogue.All())
		if err != nil {
			b.Fatal(err)
		}
		if err := ashtml.Write(io.Discard, r, nil); err != nil {
			b.Fatal(err)
		}
	}
}
