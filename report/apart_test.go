package report_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// apart returns a made-up run in which each plugin has its own rounds, the host has all
// rounds, and the machine is twice as fast in the later ones.
func apart(rounds int, asked func(*results.Asked)) *results.Recorded {
	order := []string{"flannel-vxlan", "flannel-host-gw"}
	r := steady(rounds*len(order), nil)
	r.Records = slices.DeleteFunc(r.Records, func(record results.Record) bool {
		switch {
		case record.Network != nil:
			return record.Network.Plugin != results.HostPlugin && !slices.Contains(order, record.Network.Plugin)
		case record.Sample != nil && record.Sample.Plugin != results.HostPlugin:
			return slices.Index(order, record.Sample.Plugin) != record.Sample.Block/rounds
		}
		return false
	})
	for _, record := range r.Records {
		if s := record.Sample; s != nil && s.Block >= rounds {
			s.Values["goodput"] *= 2
		}
	}
	r.Run.Asked.Plugins, r.Run.Asked.Control = append([]string{results.HostPlugin}, order...), ""
	asked(&r.Run.Asked)
	return r
}

// TestApart checks that plugins that were never up at the same time are compared by
// their ratios to the host, even if the speed of the machine changed in between.
func TestApart(t *testing.T) {
	for _, tt := range []struct {
		name     string
		rounds   int
		asked    func(*results.Asked)
		verdict  stats.Verdict
		says     string
		hostRows bool
	}{
		{"installed one after the other", 8, func(a *results.Asked) { a.Install = a.Plugins[1:] }, stats.Slower, "flannel-host-gw in rounds 9 to 16", true},
		{"on different clusters", 8, func(a *results.Asked) { a.Contexts = []string{"a=flannel-vxlan", "b=flannel-host-gw"} }, stats.Slower, "different machines", false},
		{"too few rounds", 3, func(a *results.Asked) { a.Install = a.Plugins[1:] }, stats.Inconclusive, "rounds 4 to 6", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := build(t, apart(tt.rounds, tt.asked))
			c := pair(t, r, "flannel-vxlan", "flannel-host-gw")
			if !c.ThroughHost || c.Verdict != tt.verdict || c.Ratio == nil || *c.Ratio < 0.94 || *c.Ratio > 0.96 || c.N != tt.rounds {
				t.Errorf("%+v", c)
			}
			if !strings.Contains(words.Clauses(c.Notes...).String(), "never up at once") || !strings.Contains(words.Clauses(r.Warnings...).String(), tt.says) {
				t.Errorf("notes %q, warnings %q", c.Notes, r.Warnings)
			}
			if c := pair(t, r, "flannel-vxlan", "host"); c.ThroughHost || c.N != tt.rounds {
				t.Errorf("against the host: %+v", c)
			}
			host := r.Cell(results.Cell{Plugin: "host", Topology: c.Topology, Wire: c.Wire})
			if host == nil || host.Status != results.StatusOK || (len(host.Metrics) > 0) != tt.hostRows {
				t.Errorf("the host's own figures: %+v", host)
			}
		})
	}
}
