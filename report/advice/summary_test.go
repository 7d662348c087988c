package advice

import (
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// TestSummary checks the summary and the confidence against what they rest on.
func TestSummary(t *testing.T) {
	sure := results.Needs{L2: results.Yes}
	found := func(plugin, name string) func(*Facts) {
		return func(f *Facts) { f.plugin(plugin).Findings = []Finding{{name, words.Quote("larger packets vanish")}} }
	}
	for _, c := range []struct {
		name  string
		run   []shown
		alter func(*Facts)
		level string
		says  string
	}{
		{"one plugin", only(onL2, "flannel-vxlan"), func(*Facts) {}, "medium", "it is the only plugin that was measured."},
		{"one that fits beside one for debugging", only(onL2, "flannel-vxlan", "flannel-udp"), func(*Facts) {}, "medium",
			"of 2 plugins it is the only one that fits. Excluded, although working here: flannel-udp (upstream gives it for debugging only)."},
		{"one that fits beside one that fails", but(only(onL2, "flannel-vxlan", "calico-bgp"), "calico-bgp", func(s *shown) { s.works = no }), func(*Facts) {}, "medium", "Not working here: calico-bgp."},
		{"a black hole", onL2, found("flannel-host-gw", "pmtu-black-hole"), "low", "But this was found on it: larger packets vanish."},
		{"an MTU that gives goodput away", onL2, found("flannel-host-gw", "pod-mtu-too-small"), "medium", "But this was found on it"},
		{"too few rounds", but(only(onL2, "flannel-host-gw", "calico-bgp"), "calico-bgp", func(s *shown) { s.speed = 0.95 }),
			func(f *Facts) { f.Plugins[0].Rounds, f.NeededRounds = 3, 9 }, "low", "nothing is shown to be faster than flannel-host-gw and calico-bgp; of these, flannel-host-gw is preferred because it has fewer moving parts"},
		{"another kernel", only(onL2, "flannel-host-gw", "calico-bgp", "flannel-vxlan"), func(f *Facts) {
			f.plugin("flannel-vxlan").Kernel = "uml 6.1"
			f.Comparisons = append(compared(onL2[2], onL2[6]), compared(onL2[0], shown{name: "host", speed: 1})...)
		}, "medium", "the speed of flannel-vxlan was measured in another kernel (uml 6.1) and cannot be compared"},
		{"another path than the baseline's", only(onL2, "flannel-host-gw", "flannel-vxlan"), func(f *Facts) {
			f.plugin("flannel-host-gw").Facts[PathSeen] = Fact{no, words.Quote("not seen")}
		}, "medium", "flannel-host-gw (its packets did not cross the NIC"},
		{"some that the run did not come to", onL2, func(f *Facts) {
			f.Complete = false
			for i := range f.Plugins {
				f.Plugins[i].Untried = f.Plugins[i].Name != "flannel-vxlan" && f.Plugins[i].Name != "flannel-udp"
			}
		}, "low", "of 2 plugins it is the only one that fits. Excluded, although working here: flannel-udp (upstream gives it for debugging only)."},
		{"only one that the run came to", onL2, func(f *Facts) {
			f.Complete = false
			for i := range f.Plugins {
				f.Plugins[i].Untried = f.Plugins[i].Name != "flannel-vxlan"
			}
		}, "low", "it is the only plugin that was measured."},
		{"every finding's name is the probes'", onL2, found("flannel-host-gw", results.FindingPodSourceNAT), "low", "But this was found on it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := factsOf("l2", c.run)
			c.alter(&f)
			r := Recommend(sure, f)
			if r.Confidence.Level.String() != c.level || !strings.Contains(r.Summary.String(), c.says) {
				t.Errorf("%+v, want %s and %q: %s", r.Confidence, c.level, c.says, r.Summary)
			}
		})
	}
}

// TestTranslatedSource checks that a need for policies rules out a plugin that translates pods' source
// addresses.
func TestTranslatedSource(t *testing.T) {
	for _, c := range []struct {
		name  string
		needs results.Needs
		kept  string
		want  string
	}{
		{"policies are needed", policy, no, "calico-vxlan-crosssubnet"},
		{"policies are needed and sources kept", policy, yes, "calico-bgp"},
		{"policies are needed and nobody looked", policy, "", "calico-bgp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := factsOf("l2", onL2)
			f.plugin("calico-bgp").Facts[SourceKept] = Fact{c.kept, words.Quote("pod-to-pod: reached")}
			if r := Recommend(c.needs, f); r.Plugin != c.want {
				t.Errorf("recommended %s, want %s: %s", r.Plugin, c.want, r.Summary)
			}
		})
	}
}

// TestTies checks that what is said about two plugins that speed does not separate follows from the
// verdicts: only plugins shown to be equivalent are called equally fast.
func TestTies(t *testing.T) {
	for _, c := range []struct {
		name                string
		throughput, latency stats.Verdict // verdicts of flannel-host-gw against calico-bgp
		winner, loser       string
		summary             string
	}{
		{"nothing is shown", stats.Inconclusive, stats.Inconclusive, "is not shown to be faster or slower than calico-bgp, and", "is not shown to be faster or slower than calico-bgp, and", "nothing is shown to be faster than flannel-host-gw and calico-bgp; of these, flannel-host-gw is preferred"},
		{"one kind is equivalent", stats.Equivalent, stats.Inconclusive, "is not shown to be faster or slower than calico-bgp, and", "is not shown to be faster or slower than calico-bgp, and", "nothing is shown to be faster than flannel-host-gw and calico-bgp; of these, flannel-host-gw is preferred"},
		{"both are equivalent", stats.Equivalent, stats.Equivalent, "is as fast as calico-bgp, and", "is as fast as calico-bgp, and", "nothing is shown to be faster than flannel-host-gw and calico-bgp; of these, flannel-host-gw is preferred"},
		{"each is better at one", stats.Faster, stats.Slower, "is faster than calico-bgp by some figures and slower by others, and", "by some figures and slower by others, and", "nothing is shown to be faster than flannel-host-gw and calico-bgp; of these, flannel-host-gw is preferred"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := factsOf("l2", only(onL2, "flannel-host-gw", "calico-bgp"))
			for i := range f.Comparisons {
				cmp := &f.Comparisons[i]
				cmp.A, cmp.B, cmp.Verdict, cmp.Holds = "flannel-host-gw", "calico-bgp", c.throughput, true
				if cmp.Probe == "tcp-rr" {
					cmp.Verdict = c.latency
				}
			}
			r := Recommend(results.Needs{L2: results.Yes}, f)
			if r.Plugin != "flannel-host-gw" || !strings.Contains(r.Summary.String(), c.summary) {
				t.Errorf("%s", r.Summary)
			}
			if !said(r.Because, c.winner) {
				t.Errorf("reasons for the winner: %+v", r.Because)
			}
			if !said(r.Rejected[0].Because, "fits, but flannel-host-gw ") || !said(r.Rejected[0].Because, c.loser) {
				t.Errorf("reasons against the other: %+v", r.Rejected)
			}
		})
	}
}

func said(reasons []Reason, part string) bool {
	return slices.ContainsFunc(reasons, func(r Reason) bool { return strings.Contains(r.Text.String(), part) })
}

// TestLowered checks borders that a record hardly shows: what is done to all comparisons of two plugins
// of one speed, and by which rules that lowers the confidence.
func TestLowered(t *testing.T) {
	for _, c := range []struct {
		name  string
		alter func(*Comparison)
		want  string
	}{
		{"undecided, and little could have been missed", func(c *Comparison) { c.Detectable = c.Margin }, "undecided"},
		{"undecided, and more than the margin could have been missed", func(c *Comparison) { c.Detectable = 1.01 * c.Margin }, "undecided undetectable"},
		{"equivalent", func(c *Comparison) { c.Verdict, c.Holds, c.Detectable = stats.Equivalent, true, 1 }, "undecided"},
		{"disturbed samples decide a verdict that does not count", func(c *Comparison) { c.Verdict, c.Undisturbed = stats.Faster, stats.Inconclusive }, "undecided"},
		{"without disturbed samples there is a verdict", func(c *Comparison) { c.Undisturbed = stats.Slower }, "undecided disturbed"},
		{"disturbed samples decide a verdict that counts", func(c *Comparison) { c.Verdict, c.Holds, c.Undisturbed = stats.Faster, true, stats.Inconclusive }, "disturbed"},
		{"too few deployments", func(c *Comparison) { c.Deployments = stats.MinDeployments - 1 }, "undecided few-deployments"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := factsOf("l2", only(but(onL2, "calico-bgp", func(s *shown) { s.speed = 0.95 }), "flannel-host-gw", "calico-bgp"))
			for i := range f.Comparisons {
				c.alter(&f.Comparisons[i])
			}
			var rules []string
			for _, l := range Recommend(results.Needs{L2: results.Yes}, f).Confidence.Lowered {
				rules = append(rules, l.Rule)
			}
			if got := strings.Join(rules, " "); got != c.want {
				t.Errorf("lowered by %q, want %q", got, c.want)
			}
		})
	}
}
