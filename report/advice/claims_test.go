package advice

import (
	"strings"
	"testing"

	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// TestClaims tests each claim with a run that confirms it, one that refutes it, and one that shows
// nothing.
func TestClaims(t *testing.T) {
	l2 := func(change ...func(*Facts)) []Facts {
		f := factsOf("l2", onL2)
		for _, c := range change {
			c(&f)
		}
		return []Facts{f, factsOf("routed", onRouted), factsOf("vpc", onVPC)}
	}
	set := func(plugin, fact, value string) func(*Facts) {
		return func(f *Facts) { f.plugin(plugin).Facts[fact] = Fact{value, words.Quote(fact + " " + value)} }
	}
	vpc := func(run []shown, change ...func(*Facts)) []Facts {
		f := factsOf("vpc", run)
		for _, c := range change {
			c(&f)
		}
		return []Facts{f}
	}
	own := func(s *shown) { s.datapath = false }
	for _, c := range []struct {
		name, claim string
		facts       []Facts
		want        string
	}{
		{"udp burns CPU and is slow", "udp backend", l2(set("flannel-udp", UserSpace, yes), set("flannel-vxlan", UserSpace, no)), Confirmed.String()},
		{"udp is slow, but why was not seen", "udp backend", l2(), NotTested.String()},
		{"udp does not burn CPU", "udp backend", l2(set("flannel-udp", UserSpace, no), set("flannel-vxlan", UserSpace, no)), Refuted.String()},
		{"host-gw is faster and bare", "no encapsulation cost", l2(), Confirmed.String()},
		{"host-gw is slower", "no encapsulation cost", []Facts{factsOf("l2", but(onL2, "flannel-host-gw", func(s *shown) { s.speed = 0.5 }))}, Refuted.String()},
		{"host-gw is as fast", "no encapsulation cost", []Facts{factsOf("l2", but(onL2, "flannel-host-gw", func(s *shown) { s.speed = 0.8 }))}, Undecided.String()},
		{"host-gw works on l2 alone", "needs one layer 2", l2(), Confirmed.String()},
		{"host-gw works behind a router", "needs one layer 2", []Facts{factsOf("l2", onL2), factsOf("routed", but(onRouted, "flannel-host-gw", func(s *shown) { s.works = yes })), factsOf("vpc", onVPC)}, Refuted.String()},
		{"host-gw on l2 was all", "needs one layer 2", []Facts{factsOf("l2", onL2)}, NotTested.String()},
		{"a vpc with its check off is another network", "needs one layer 2", []Facts{factsOf("l2", onL2), factsOf("routed", onRouted), factsOf("vpc:srcdst-off", but(onVPC, "flannel-host-gw", func(s *shown) { s.works = yes }))}, NotTested.String()},
		{"calico is like host-gw", "Calico is like host-gw", l2(), Confirmed.String()},
		{"calico encapsulates", "Calico is like host-gw", l2(set("calico-bgp", Encapsulates, yes)), Refuted.String()},
		{"ICAN by its data path", "ICAN is a VXLAN overlay", vpc(onVPC), NotTested.String()},
		{"ICAN without policy", "ICAN is a VXLAN overlay", vpc(but(onVPC, "cce-tunnel", own), set("cce-tunnel", Policy, no)), Refuted.String()},
		{"ICAN's speed by its data path proves nothing", "20 % faster", vpc(onVPC), Undecided.String()},
		{"ICAN itself is slower", "20 % faster", vpc(but(onVPC, "cce-tunnel", own)), Refuted.String()},
		{"ICAN itself is 25 % faster", "20 % faster", vpc(but(onVPC, "cce-tunnel", func(s *shown) { s.datapath, s.speed = false, 1.0 })), Confirmed.String()},
		{"ICAN itself is 20 % faster within noise", "20 % faster", vpc(but(onVPC, "cce-tunnel", func(s *shown) { s.datapath, s.speed = false, 0.96 })), Undecided.String()},
		{"Terway is bare", "Terway needs no tunnel", vpc(onVPC, set("terway-eniip", SameNode, yes)), Confirmed.String()},
		{"Terway between pods of a node was not tried", "Terway needs no tunnel", vpc(onVPC), NotTested.String()},
		{"a data path enforces no policy, which says nothing", "Terway supports", vpc(onVPC), NotTested.String()},
		{"Terway enforces one", "Terway supports", vpc(onVPC, set("terway-eniip", Policy, yes)), Confirmed.String()},
		{"flannel is the faster one", "performance is low", l2(), Refuted.String()},
		{"flannel is the slower one", "performance is low", []Facts{factsOf("l2", but(but(onL2, "flannel-vxlan", func(s *shown) { s.speed = 0.3 }), "flannel-host-gw", func(s *shown) { s.speed = 0.3 }))}, Confirmed.String()},
		{"pods of flannel are not reached", "cannot be reached", vpc(append(only(onVPC, "flannel-vxlan", "vpc-route"), shown{"flannel-udp", yes, 28, no, no, 0.1, false})), Confirmed.String()},
		{"pods of flannel are reached", "cannot be reached", vpc([]shown{{"flannel-vxlan", yes, 50, no, yes, 0.8, false}, {"flannel-udp", yes, 28, no, no, 0.1, false}}), Refuted.String()},
	} {
		t.Run(c.name, func(t *testing.T) {
			found := false
			for _, got := range Claims(c.facts) {
				if !strings.Contains(got.Claim.String(), c.claim) {
					continue
				}
				found = true
				if got.Verdict.String() != c.want {
					t.Errorf("%s: %s: %s, want %s", got.Claim, got.Verdict, got.Evidence, c.want)
				}
				if got.Evidence.Empty() || got.Source.Empty() {
					t.Errorf("no evidence or source: %+v", got)
				}
			}
			if !found {
				t.Errorf("no claim contains %q", c.claim)
			}
		})
	}
}

func TestClaimsOfNothing(t *testing.T) {
	all := Claims(nil)
	if len(all) < 10 {
		t.Errorf("%d claims", len(all))
	}
	for _, c := range all {
		if c.Verdict != NotTested || c.Evidence != NoEvidence {
			t.Errorf("%+v", c)
		}
	}
}

// TestTurnedComparison checks a comparison that is read from the other side.
func TestTurnedComparison(t *testing.T) {
	c := Comparison{A: "x", B: "y", Ratio: 0.5, CI: &[2]float64{0.4, 0.8}, Verdict: stats.Slower}
	turned, ok := c.between("y", "x")
	if !ok || turned.Ratio != 2 || turned.CI[0] != 1.25 || turned.CI[1] != 2.5 || turned.Verdict != stats.Faster {
		t.Errorf("%+v", turned)
	}
	if _, ok := c.between("x", "z"); ok {
		t.Error("a comparison of other plugins is accepted")
	}
}
