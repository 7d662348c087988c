package advice

import (
	_ "embed"
	"slices"

	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

//go:embed claims.yaml
var claimsFile []byte

var claims = loaded[[]claim]("claims.yaml", claimsFile)

// founding is the source of all claims.
var founding = words.FoundingDocument

// Verdicts of a [Claim].
var (
	Confirmed = words.Confirmed
	Refuted   = words.Refuted
	NotTested = words.NotTested
	Undecided = words.Inconclusive
)

// NoEvidence is the evidence of a claim, or of a part of one, that no plugin in the run could test.
var NoEvidence = words.NoEvidence

// Claim is a statement about plugins, with what a run showed about it.
type Claim struct {
	Claim    words.Text `json:"claim"`
	Source   words.Text `json:"source"`
	Verdict  words.Text `json:"verdict"`
	Evidence words.Text `json:"evidence"`
}

// claim is one entry of claims.yaml, which explains the keys.
type claim struct {
	Claim string `json:"claim"`
	Parts []part `json:"parts"`
}

type part struct {
	Fact *struct {
		Plugin   string `json:"plugin"`
		Topology string `json:"topology"` // kind of topology, or "" for any
		Name     string `json:"name"`
		Is       values `json:"is"`
	} `json:"fact"`
	Compare *struct {
		A  string        `json:"a"`
		B  string        `json:"b"`
		Is stats.Verdict `json:"is"`
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

// test tests all parts of a claim. A refuted part refutes the claim; otherwise an untested part leaves
// the claim untested.
func (c claim) test(all []Facts) Claim {
	out := Claim{Claim: words.Define(idOf("claims", c.Claim), c.Claim).With(), Source: founding, Verdict: Confirmed}
	var evidence []words.Text
	tested := false
	for _, p := range c.Parts {
		f := p.test(all)
		tested = tested || !slices.Equal(f.evidence, []words.Text{NoEvidence})
		said := words.Aside(words.Of(f.about, f.verdict()), words.Clauses(f.evidence...))
		if p.Aside {
			said = words.List(words.AsideClaim, said)
		} else {
			out.Verdict = stronger(out.Verdict, f.verdict())
		}
		evidence = append(evidence, said)
	}
	out.Evidence = NoEvidence
	if tested {
		out.Evidence = words.Sentences(evidence...)
	}
	return out
}

// stronger returns the one of two parts' verdicts that applies to the whole claim.
func stronger(a, b words.Text) words.Text {
	order := []words.Text{Refuted, NotTested, Undecided, Confirmed}
	return order[min(slices.Index(order, a), slices.Index(order, b))]
}

// finding collects what all topologies and figures show about a part.
type finding struct {
	about          words.Text
	yes, no, maybe int
	evidence       []words.Text
}

func (f finding) verdict() words.Text {
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

func (f *finding) add(holds bool, evidence words.Text) {
	if holds {
		f.yes++
	} else {
		f.no++
	}
	f.evidence = append(f.evidence, evidence)
}

func (f *finding) unsure(evidence words.Text) {
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

// testFact looks up a fact on every topology. Without the plugin's agents nothing enforces a policy, so
// an unenforced policy then says nothing about the plugin.
func (p part) testFact(all []Facts) finding {
	f := finding{about: stated(p.Fact.Plugin, p.Fact.Name, p.Fact.Is)}
	if p.Fact.Topology != "" {
		f.about = words.On.With(f.about, p.Fact.Topology)
	}
	for _, facts := range all {
		// A topology with options is a different network: a vpc with its check off says nothing about one
		// with the check on.
		if p.Fact.Topology != "" && p.Fact.Topology != facts.Topology.Name {
			continue
		}
		plugin := facts.plugin(p.Fact.Plugin)
		if plugin == nil {
			continue
		}
		fact := plugin.Facts[p.Fact.Name]
		evidence := words.Aside(words.Of(words.Quote(facts.Topology.String()), fact.Evidence), dataPath(plugin))
		switch {
		case fact.Value == "":
		case p.Fact.Name == Policy && plugin.Fidelity == DataPath && fact.Value == no:
			f.evidence = append(f.evidence, words.DataPathEnforcesNothing.With(facts.Topology))
		default:
			f.add(slices.Contains(p.Fact.Is, fact.Value), evidence)
		}
	}
	return f.orNothing()
}

// stated returns a statement of the fact that is claimed.
func stated(plugin, name string, is values) words.Text {
	said := map[string][2]words.Message{
		Works:        {words.PluginWorks, words.PluginDoesNotWork},
		Encapsulates: {words.PluginEncapsulates, words.PluginDoesNotEncapsulate},
		Policy:       {words.PluginEnforcesPolicies, words.PluginEnforcesNoPolicies},
		Reachable:    {words.PodsReachedFromOutside, words.PodsNotReachedFromOutside},
		SameNode:     {words.ConnectsPodsOfNode, words.DoesNotConnectPodsOfNode},
		UserSpace:    {words.HandlesInUserSpace, words.DoesNotHandleInUserSpace},
	}[name]
	if slices.Contains(is, yes) {
		return said[0].With(plugin)
	}
	return said[1].With(plugin)
}

// orNothing returns f, with NoEvidence if there is no evidence.
func (f finding) orNothing() finding {
	if len(f.evidence) == 0 {
		f.evidence = []words.Text{NoEvidence}
	}
	return f
}

func dataPath(p *Plugin) words.Text {
	if p.Fidelity == DataPath {
		return words.DataPathOnly
	}
	return words.Text{}
}

// testCompare checks the verdict on every figure against the claim. The speed of a data path without
// its agents is not that of the product.
func (p part) testCompare(all []Facts) finding {
	f := finding{about: words.PluginVerdict.With(p.Compare.A, quantity.VerdictText(p.Compare.Is), p.Compare.B)}
	if p.Compare.Is == stats.Equivalent {
		f.about = words.PluginsEquivalent.With(p.Compare.A, p.Compare.B)
	}
	for _, facts := range all {
		for _, c := range facts.Comparisons {
			c, ok := c.between(p.Compare.A, p.Compare.B)
			if !ok || !Figure(c.Probe, c.Metric) {
				continue
			}
			evidence := words.List(words.Quote(facts.Topology.String()), c.Evidence)
			if c.Verdict == stats.Inconclusive || facts.builtOnly(c) {
				f.unsure(words.Aside(evidence, facts.note(c)))
				continue
			}
			f.add(c.Verdict == p.Compare.Is, evidence)
		}
	}
	return f.orNothing()
}

// testRatio checks the whole interval of every goodput ratio against a bound.
func (p part) testRatio(all []Facts) finding {
	f := finding{about: words.GoodputAtLeast.With(p.Ratio.A, p.Ratio.AtLeast, p.Ratio.B)}
	for _, facts := range all {
		for _, c := range facts.Comparisons {
			c, ok := c.between(p.Ratio.A, p.Ratio.B)
			if !ok || base(c.Probe) != "tcp-stream" || c.Metric != "goodput" {
				continue
			}
			evidence := words.List(words.Quote(facts.Topology.String()), c.Evidence)
			switch {
			case c.CI == nil || facts.builtOnly(c) || c.CI[0] < p.Ratio.AtLeast && c.CI[1] >= p.Ratio.AtLeast:
				f.unsure(words.Aside(evidence, facts.note(c)))
			default:
				f.add(c.CI[0] >= p.Ratio.AtLeast, evidence)
			}
		}
	}
	return f.orNothing()
}

// between returns the comparison oriented as a against b, inverted if needed. It returns false if the
// comparison is of other plugins.
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
	case stats.Faster:
		c.Verdict = stats.Slower
	case stats.Slower:
		c.Verdict = stats.Faster
	}
	return c, true
}

// builtOnly reports whether either side of a comparison is a data path without its agents.
func (f *Facts) builtOnly(c Comparison) bool {
	return slices.ContainsFunc(f.Plugins, func(p Plugin) bool { return (p.Name == c.A || p.Name == c.B) && p.Fidelity == DataPath })
}

func (f *Facts) note(c Comparison) words.Text {
	if f.builtOnly(c) {
		return words.DataPathNotProduct
	}
	return words.Text{}
}

func (f *Facts) plugin(name string) *Plugin {
	if i := slices.IndexFunc(f.Plugins, func(p Plugin) bool { return p.Name == name }); i >= 0 {
		return &f.Plugins[i]
	}
	return nil
}
