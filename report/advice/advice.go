// Package advice says which plugin a cluster should run, from what a run
// measured and what the cluster needs. Its rules are data (rules.yaml): a
// condition, a conclusion, a reason and a source. What is documented of the
// plugins (modes.yaml) and of clouds (limits.yaml) may speak against a plugin;
// what speaks for one was measured.
package advice

import (
	"slices"
	"strings"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// Names of the facts that a run may show of a plugin on a topology. The values
// are yes, no and partly, "" for what was not measured.
const (
	Works        = "works"        // pods on different nodes reach each other
	Encapsulates = "encapsulates" // there are headers around pods' packets on the wire
	WireAgrees   = "wire_agrees"  // they are those that the mode is configured for
	Encrypts     = "encrypts"
	Policy       = "policy"     // a deny rule takes effect
	Reachable    = "reachable"  // from a host outside the cluster, by the pod's address
	SameNode     = "same_node"  // pods on one node reach each other
	UserSpace    = "user_space" // the agents handle packets themselves
	// PathSeen is "no" where pods' packets arrived, but were not seen on the wire
	// that was watched: figures are then those of another path.
	PathSeen = "path_seen"
	// SourceKept is "no" where a pod on another node sees another source address
	// than the sending pod's.
	SourceKept = "source_kept"
)

// Values of facts.
const (
	yes    = "yes"
	no     = "no"
	partly = "partly"
)

// DataPath is the fidelity of a plugin whose agents did not run.
const DataPath = "datapath"

// clusterTestbed is the testbed of figures that a real cluster gave.
const clusterTestbed = "cluster"

// Fact is what a run showed, and by what.
type Fact struct {
	Value    string     // "" if it was not measured
	Evidence words.Text // figures for people; for what was not measured, why not
}

// Facts is what a run showed on one topology.
type Facts struct {
	Topology   results.Topology // with its options, such as vpc:l3-only
	Testbed    string
	Nodes      int // that figures are between
	NodesAsked int // of each network, as asked for; 0 if nobody asked
	// NeededRounds is the least number of blocks in which the verdicts that
	// plugins are ranked by can show a difference.
	NeededRounds int
	Complete     bool // all that was asked for was done
	Link         Fact // whether frames for foreign addresses reach the other node
	Plugins      []Plugin
	Comparisons  []Comparison
}

// Plugin is what a run showed of one plugin on one topology.
type Plugin struct {
	Name     string
	Fidelity string // agent, datapath or cluster
	Kernel   string // that it was measured in, "" for the machine's own
	Facts    map[string]Fact
	// Overhead is the number of bytes around a pod's packet that a capture
	// showed; nil if none was looked at.
	Overhead *int
	// PathMTU is the largest packet that passed between pods in both directions,
	// in bytes; 0 if it was not measured.
	PathMTU  int
	Findings []Finding
	Memory   int64 // resident bytes of all agents, 0 if none ran
	// Rounds counts the blocks in which it was measured, in its kernel.
	Rounds int
	// Untried: the run ended before it was brought up, so nothing speaks for or
	// against it.
	Untried bool
}

// Finding is something that a probe found wrong with a plugin's network.
type Finding struct {
	Name string
	Text words.Text
}

// found reports whether a probe found something of that name.
func (p *Plugin) found(name string) bool {
	return slices.ContainsFunc(p.Findings, func(f Finding) bool { return f.Name == name })
}

// Comparison is how plugin A stands to plugin B by one figure: faster is
// better, be the figure a goodput or a latency.
type Comparison struct {
	A, B     string
	Wire     string
	Probe    string // with its parameters
	Metric   string
	Ratio    float64     // A to B
	CI       *[2]float64 // of the ratio; nil if there are too few samples
	Verdict  stats.Verdict
	Evidence words.Text // figures for people
}

// Reason is one rule that spoke for or against a plugin.
type Reason struct {
	Rule     string     `json:"rule"`
	Text     words.Text `json:"text"`
	Evidence words.Text `json:"evidence"`       // what was measured; empty if the reason is documented
	Source   words.Text `json:"source"`         // of the rule, with its date
	Need     string     `json:"need,omitempty"` // that made the rule apply
}

// Rejected is a plugin that is not recommended, with what it lacks or costs.
type Rejected struct {
	Plugin  string   `json:"plugin"`
	Because []Reason `json:"because"`
}

// Opening is what a firewall between the nodes must let through.
type Opening struct {
	Protocol string     `json:"protocol"` // tcp, udp, "ip protocol 4", or any
	Port     int        `json:"port"`     // 0 where the protocol has none
	Why      words.Text `json:"why"`
}

// Configuration is a file for the plugin's own tools.
type Configuration struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Confidence says how far a recommendation can be trusted, and what it rests
// on.
type Confidence struct {
	Level   words.Text `json:"level"` // high, medium or low
	RestsOn words.Text `json:"rests_on"`
}

// Recommendation is the advice for one topology.
type Recommendation struct {
	Topology results.Topology `json:"topology"`
	Kernel   string           `json:"kernel,omitempty"` // that was measured in, "" for the machine's own
	// Plugin is the name in the catalogue; "" if nothing fits.
	Plugin      string       `json:"plugin"`
	Summary     words.Text   `json:"summary"` // a sentence, with what was found and what is excluded
	Confidence  Confidence   `json:"confidence"`
	Because     []Reason     `json:"because"`
	Rejected    []Rejected   `json:"rejected"`
	NotMeasured []words.Text `json:"not_measured"`
	Notes       []Reason     `json:"notes"`
	Firewall    []Opening    `json:"firewall"`
	Limits      []Limit      `json:"limits"`
	// Kubespray are group_vars (YAML); "" if nothing is recommended.
	Kubespray     string          `json:"kubespray"`
	Configuration []Configuration `json:"configuration"`
}

// Recommend judges all plugins of a topology.
func Recommend(n results.Needs, f Facts) Recommendation {
	r := Recommendation{Topology: f.Topology, Because: []Reason{}, Rejected: []Rejected{}, NotMeasured: []words.Text{},
		Notes: []Reason{}, Firewall: []Opening{}, Limits: []Limit{}, Configuration: []Configuration{}}
	var untried []string
	f.Plugins, untried = tried(f.Plugins)
	if len(untried) > 0 {
		r.NotMeasured = append(r.NotMeasured, words.RunEndedBefore.With(words.List(words.Quotes(untried)...)))
	}
	var fit []*subject
	for i := range f.Plugins {
		s := newSubject(n, &f, &f.Plugins[i])
		s.judge()
		for _, text := range s.unknown {
			r.NotMeasured = append(r.NotMeasured, words.Of(words.Quote(s.plugin.Name), text))
		}
		if len(s.against) > 0 {
			r.Rejected = append(r.Rejected, Rejected{s.plugin.Name, s.against})
			continue
		}
		fit = append(fit, s)
	}
	if absent := notInRun(f, untried); len(absent) > 0 {
		r.NotMeasured = append(r.NotMeasured, words.NotInRun.With(words.List(words.Quotes(absent)...)))
	}
	if len(fit) == 0 {
		r.Summary = nothingFits(f, r.Rejected)
		r.Confidence = Confidence{words.High, words.EveryPluginExcluded}
		if len(r.NotMeasured) > 0 {
			r.Confidence = Confidence{words.Low, words.NotAllMeasured}
		}
		return r
	}
	o := rank(&f, fit)
	said := excluded(&f, r.Rejected, len(fit) == 1)
	for i := range r.Rejected {
		r.Rejected[i].Because = append(r.Rejected[i].Because, o.slower(&f, r.Rejected[i].Plugin)...)
	}
	r.NotMeasured = append(r.NotMeasured, o.unknown...)
	r.Rejected = append(r.Rejected, o.rejected...)
	slices.SortStableFunc(r.Rejected, func(a, b Rejected) int { return strings.Compare(a.Plugin, b.Plugin) })
	r.recommend(n, &f, o, len(fit), said)
	return r
}

// recommend fills in what is said of the winner, and of what was excluded.
func (r *Recommendation) recommend(n results.Needs, f *Facts, o outcome, fit int, excluded words.Text) {
	s := o.winner
	r.Plugin, r.Kernel = s.plugin.Name, s.plugin.Kernel
	r.Because = append(s.reasons, o.because...)
	r.Notes = s.notes
	r.Confidence = confidence(f, s, o, fit)
	r.Summary = words.Following(summary(f, s, o, fit), foundOn(s.plugin), excluded)
	r.Firewall = append(r.Firewall, s.mode.openings()...)
	r.Limits = s.limits()
	r.Kubespray = s.kubespray(n)
	r.Configuration = s.configuration(n)
}

// tried parts the plugins that the run came to from the names of the others.
func tried(all []Plugin) (tried []Plugin, untried []string) {
	for _, p := range all {
		if p.Untried {
			untried = append(untried, p.Name)
			continue
		}
		tried = append(tried, p)
	}
	return tried, untried
}

// notInRun lists the modes that the run was not asked for on this topology.
func notInRun(f Facts, untried []string) []string {
	var absent []string
	for _, m := range modes() {
		if !slices.Contains(untried, m.Plugin) && !slices.ContainsFunc(f.Plugins, func(p Plugin) bool { return p.Name == m.Plugin }) {
			absent = append(absent, m.Plugin)
		}
	}
	return absent
}

// nothingFits names what excludes each plugin.
func nothingFits(f Facts, rejected []Rejected) words.Text {
	if len(rejected) == 0 {
		return words.NoPluginMeasured.With(f.Topology)
	}
	var order []words.Text
	by := map[words.Text][]string{}
	for _, r := range rejected {
		why := words.ThisNetwork
		for _, reason := range r.Because {
			if reason.Need != "" {
				why = words.NeedNamed.With(reason.Need)
				break
			}
		}
		if by[why] == nil {
			order = append(order, why)
		}
		by[why] = append(by[why], r.Plugin)
	}
	var parts []words.Text
	for _, why := range order {
		parts = append(parts, words.Excludes.With(why, words.List(words.Quotes(by[why])...)))
	}
	return words.NothingFits.With(f.Topology, words.Clauses(parts...))
}
