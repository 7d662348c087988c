package advice

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/results"
)

//go:embed claims.yaml
var claimsFile []byte

var claims = loaded[[]claim]("claims.yaml", claimsFile)

// founding is where all claims come from.
const founding = "the project's founding document"

// Verdicts of a [Claim].
const (
	Confirmed = "confirmed"
	Refuted   = "refuted"
	NotTested = "not tested"
	Undecided = "inconclusive"
)

// NoEvidence is said of a claim, or a part of one, that no plugin of the run
// could test.
const NoEvidence = "the run has nothing on it"

// Claim is something that is said of plugins, and what a run showed of it.
type Claim struct {
	Claim    string `json:"claim"`
	Source   string `json:"source"`
	Verdict  string `json:"verdict"`
	Evidence string `json:"evidence"`
}

// claim is one entry of claims.yaml, which explains the keys.
type claim struct {
	Claim string `json:"claim"`
	Parts []part `json:"parts"`
}

type part struct {
	Fact *struct {
		Plugin   string `json:"plugin"`
		Topology string `json:"topology"` // kind of topology; "" for any
		Name     string `json:"name"`
		Is       values `json:"is"`
	} `json:"fact"`
	Compare *struct {
		A  string `json:"a"`
		B  string `json:"b"`
		Is string `json:"is"`
	} `json:"compare"`
	Ratio *struct {
		A       string  `json:"a"`
		B       string  `json:"b"`
		AtLeast float64 `json:"at_least"`
	} `json:"ratio"`
	Aside bool `json:"aside"`
}

// Claims tests all claims against what a run showed on its topologies.
func Claims(all []Facts) []Claim {
	tested := make([]Claim, len(claims()))
	for i, c := range claims() {
		tested[i] = c.test(all)
	}
	return tested
}

// test joins the parts: one that is refuted refutes the claim, one that is not
// tested leaves it untested.
func (c claim) test(all []Facts) Claim {
	out := Claim{Claim: c.Claim, Source: founding, Verdict: Confirmed}
	var evidence []string
	tested := false
	for _, p := range c.Parts {
		f := p.test(all)
		tested = tested || !slices.Equal(f.evidence, []string{NoEvidence})
		said := f.about + ": " + f.verdict()
		if len(f.evidence) > 0 {
			said += " (" + strings.Join(f.evidence, "; ") + ")"
		}
		if p.Aside {
			said = "aside, " + said
		} else {
			out.Verdict = stronger(out.Verdict, f.verdict())
		}
		evidence = append(evidence, said)
	}
	out.Evidence = NoEvidence
	if tested {
		out.Evidence = strings.Join(evidence, ". ")
	}
	return out
}

// stronger is which of two parts' verdicts the whole takes.
func stronger(a, b string) string {
	order := []string{Refuted, NotTested, Undecided, Confirmed}
	return order[min(slices.Index(order, a), slices.Index(order, b))]
}

// finding is what all topologies and figures say of a part.
type finding struct {
	about          string
	yes, no, maybe int
	evidence       []string
}

func (f finding) verdict() string {
	switch {
	case f.yes+f.no+f.maybe == 0:
		return NotTested
	case f.no == 0 && f.maybe == 0:
		return Confirmed
	case f.yes == 0 && f.maybe == 0:
		return Refuted
	}
	return Undecided
}

func (f *finding) add(holds bool, evidence string) {
	if holds {
		f.yes++
	} else {
		f.no++
	}
	f.evidence = append(f.evidence, evidence)
}

func (f *finding) unsure(evidence string) {
	f.maybe++
	f.evidence = append(f.evidence, evidence)
}

func (p part) test(all []Facts) finding {
	switch {
	case p.Fact != nil:
		return p.testFact(all)
	case p.Compare != nil:
		return p.testCompare(all)
	}
	return p.testRatio(all)
}

// testFact looks a fact up. Without the plugin's agents nothing enforces a
// policy, which says nothing about the plugin.
func (p part) testFact(all []Facts) finding {
	f := finding{about: p.Fact.Plugin + " " + stated(p.Fact.Name, p.Fact.Is)}
	if p.Fact.Topology != "" {
		f.about += " on " + p.Fact.Topology
	}
	for _, facts := range all {
		// Options make another network of a topology: a vpc with its check off
		// says nothing about one with the check on.
		if topology, _ := results.SplitGround(facts.Topology); p.Fact.Topology != "" && p.Fact.Topology != topology {
			continue
		}
		plugin := facts.plugin(p.Fact.Plugin)
		if plugin == nil {
			continue
		}
		fact := plugin.Facts[p.Fact.Name]
		evidence := facts.Topology + ": " + fact.Evidence + dataPath(plugin)
		switch {
		case fact.Value == "":
		case p.Fact.Name == Policy && plugin.Fidelity == DataPath && fact.Value == no:
			f.evidence = append(f.evidence, facts.Topology+": only the data path ran, without the agents that enforce policies")
		default:
			f.add(slices.Contains(p.Fact.Is, fact.Value), evidence)
		}
	}
	return f.orNothing()
}

// stated puts a fact into words.
func stated(name string, is values) string {
	words := map[string][2]string{
		Works: {"works", "does not work"}, Encapsulates: {"encapsulates", "does not encapsulate"}, Policy: {"enforces policies", "enforces no policies"},
		Reachable: {"has pods that are reached from outside", "has pods that are not reached from outside"},
		SameNode:  {"connects pods of one node", "does not connect pods of one node"},
		UserSpace: {"handles packets in user space", "does not handle packets in user space"},
	}[name]
	if slices.Contains(is, yes) {
		return words[0]
	}
	return words[1]
}

// orNothing says so if there is no evidence.
func (f finding) orNothing() finding {
	if len(f.evidence) == 0 {
		f.evidence = []string{NoEvidence}
	}
	return f
}

func dataPath(p *Plugin) string {
	if p.Fidelity == DataPath {
		return " (data path only)"
	}
	return ""
}

// testCompare holds every figure's verdict to the claim. What a data path
// alone shows of speed is not the product's.
func (p part) testCompare(all []Facts) finding {
	f := finding{about: fmt.Sprintf("%s is %s than %s", p.Compare.A, p.Compare.Is, p.Compare.B)}
	if p.Compare.Is == Equivalent {
		f.about = fmt.Sprintf("%s and %s are equivalent", p.Compare.A, p.Compare.B)
	}
	for _, facts := range all {
		for _, c := range facts.Comparisons {
			c, ok := c.between(p.Compare.A, p.Compare.B)
			if !ok || !Figure(c.Probe, c.Metric) {
				continue
			}
			evidence := facts.Topology + ", " + c.Evidence
			if c.Verdict == Inconclusive || facts.builtOnly(c) {
				f.unsure(evidence + facts.note(c))
				continue
			}
			f.add(c.Verdict == p.Compare.Is, evidence)
		}
	}
	return f.orNothing()
}

// testRatio holds the whole interval of every goodput ratio to a bound.
func (p part) testRatio(all []Facts) finding {
	f := finding{about: fmt.Sprintf("goodput of %s is at least %.2f times that of %s", p.Ratio.A, p.Ratio.AtLeast, p.Ratio.B)}
	for _, facts := range all {
		for _, c := range facts.Comparisons {
			c, ok := c.between(p.Ratio.A, p.Ratio.B)
			if !ok || base(c.Probe) != "tcp-stream" || c.Metric != "goodput" {
				continue
			}
			evidence := facts.Topology + ", " + c.Evidence
			switch {
			case c.CI == nil || facts.builtOnly(c) || c.CI[0] < p.Ratio.AtLeast && c.CI[1] >= p.Ratio.AtLeast:
				f.unsure(evidence + facts.note(c))
			default:
				f.add(c.CI[0] >= p.Ratio.AtLeast, evidence)
			}
		}
	}
	return f.orNothing()
}

// between turns a comparison so that it reads a to b; ok is false if it is of
// others.
func (c Comparison) between(a, b string) (Comparison, bool) {
	switch {
	case c.A == a && c.B == b:
		return c, true
	case c.A != b || c.B != a:
		return c, false
	}
	c.A, c.B, c.Ratio = a, b, 1/c.Ratio
	if c.CI != nil {
		c.CI = &[2]float64{1 / c.CI[1], 1 / c.CI[0]}
	}
	switch c.Verdict {
	case Faster:
		c.Verdict = Slower
	case Slower:
		c.Verdict = Faster
	}
	return c, true
}

// builtOnly reports whether a side of a comparison is a data path without its
// agents.
func (f *Facts) builtOnly(c Comparison) bool {
	return slices.ContainsFunc(f.Plugins, func(p Plugin) bool { return (p.Name == c.A || p.Name == c.B) && p.Fidelity == DataPath })
}

func (f *Facts) note(c Comparison) string {
	if f.builtOnly(c) {
		return " (data path only, not the product)"
	}
	return ""
}

func (f *Facts) plugin(name string) *Plugin {
	if i := slices.IndexFunc(f.Plugins, func(p Plugin) bool { return p.Name == name }); i >= 0 {
		return &f.Plugins[i]
	}
	return nil
}
