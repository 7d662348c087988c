package report_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/machine"
	"github.com/cnibench/cnibench/report/markdown"
	astext "github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// TestPolicies checks what each outcome of the two rules means beside what is
// documented of the plugin, and that every rendering says it.
func TestPolicies(t *testing.T) {
	gone := 0.02
	held := func(plugin string, at results.PolicyDirection) results.Policy {
		return results.Policy{Plugin: plugin, Topology: results.On("l2"), Direction: at, From: "n1", To: "n2", Enforced: true, Seconds: 0.3, LiftedSeconds: &gone}
	}
	passed := func(plugin string, at results.PolicyDirection) results.Policy {
		return results.Policy{Plugin: plugin, Topology: results.On("l2"), Direction: at, From: "n1", To: "n2", Cause: words.Quote("packets still passed")}
	}
	old := results.Policy{Plugin: "calico-bgp", Topology: results.On("l2"), Enforced: true, Seconds: 0.3}
	for _, tt := range []struct {
		name     string
		policies []results.Policy
		value    string   // of the fact
		row      string   // of the table
		warnings []string // parts of them
	}{
		{"enforced as documented", []results.Policy{held("calico-bgp", "ingress"), held("calico-bgp", "egress")}, "yes",
			"enforced after 300 ms, gone after 20 ms enforced after 300 ms, gone after 20 ms enforced", nil},
		{"only one direction", []results.Policy{held("calico-bgp", "ingress"), passed("calico-bgp", "egress")}, "partly",
			"enforced after 300 ms, gone after 20 ms not enforced: packets still passed enforced", []string{"calico-bgp on l2: a rule did not hold (denied at the sender (egress): packets still passed), although"}},
		{"not enforced as documented", []results.Policy{passed("flannel-vxlan", "ingress"), passed("flannel-vxlan", "egress")}, "no",
			"not enforced: packets still passed not enforced: packets still passed not by itself", nil},
		{"enforced beside the plugin", []results.Policy{held("flannel-vxlan", "ingress"), held("flannel-vxlan", "egress")}, "yes",
			"gone after 20 ms not by itself", []string{"flannel-vxlan on l2: a rule held (denied at the receiver (ingress))", "(denied at the sender (egress))"}},
		{"an old record", []results.Policy{old}, "yes", "enforced after 300 ms not measured enforced", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := syntheticRun(nil, "l2")
			var kept []results.Record
			for _, rec := range run.Records {
				if rec.Policy == nil || rec.Policy.Plugin != tt.policies[0].Plugin {
					kept = append(kept, rec)
				}
			}
			for i := range tt.policies {
				kept = append(kept, results.Record{Policy: &tt.policies[i]})
			}
			run.Records = kept
			r := build(t, run)
			plugin := tt.policies[0].Plugin
			if got := facts.OfPlugin(r, plugin, results.On("l2")).Facts[advice.Policy].Value; got != tt.value {
				t.Errorf("the fact is %q", got)
			}
			var about []string
			for _, w := range r.Warnings {
				if strings.Contains(w.String(), "NetworkPolicy") {
					about = append(about, w.String())
				}
			}
			for i, part := range tt.warnings {
				if i >= len(about) || !strings.Contains(about[i], part) {
					t.Errorf("warnings %q, without %q", about, part)
				}
			}
			if len(about) != len(tt.warnings) {
				t.Errorf("warnings %q", about)
			}
			var text, comment, gauges, junit bytes.Buffer
			for _, err := range []error{astext.Write(&text, r, nil), markdown.Write(&comment, r, nil), machine.OpenMetrics(&gauges, r), machine.JUnit(&junit, r)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			if !strings.Contains(strings.Join(strings.Fields(text.String()), " "), tt.row) {
				t.Errorf("the text has no row %q", tt.row)
			}
			if !strings.Contains(comment.String(), "egress") {
				t.Errorf("the comment says %s", &comment)
			}
			enforced := strings.Count(gauges.String(), `cnibench_policy_lifted_seconds{run="synthetic",plugin="`+plugin+`"`)
			want := 0
			for _, p := range tt.policies {
				if p.LiftedSeconds != nil {
					want++
				}
			}
			if enforced != want {
				t.Errorf("%d gauges of removals, want %d: %s", enforced, want, &gauges)
			}
			if failures := strings.Count(junit.String(), `type="contradicts"`); failures != len(tt.warnings) {
				t.Errorf("%d cases failed: %s", failures, &junit)
			}
		})
	}
}
