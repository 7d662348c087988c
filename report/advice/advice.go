// Package advice recommends a plugin for a cluster, based on what a run measured and what the cluster
// needs. Its rules are data (rules.yaml): a condition, a conclusion, a reason and a source. Documented
// properties of plugins (modes.yaml) and of clouds (limits.yaml) may count against a plugin; only
// measurements count in favour of one.
package advice

import (
	"slices"
	"strings"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// Names of the facts that a run may show about a plugin on a topology. Their values are yes, no and
// partly, or "" if the fact was not measured.
const (
	Works        = "works"        // pods on different nodes reach each other
	Encapsulates = "encapsulates" // pods' packets carry additional headers on the wire
	WireAgrees   = "wire_agrees"  // they are the headers that the mode is configured for
	Encrypts     = "encrypts"
	Policy       = "policy"     // a deny rule takes effect
	Reachable    = "reachable"  // from a host outside the cluster, by the pod's address
	SameNode     = "same_node"  // pods on one node reach each other
	UserSpace    = "user_space" // the agents handle packets themselves
	// PathSeen is "no" if pods' packets arrived but were not seen on the wire that was captured. The
	// figures then belong to another path.
	PathSeen = "path_seen"
	// AsNamed is "no" if pods or nodes of a cluster show another plugin than the one that the figures are
	// named after.
	AsNamed = "as_named"
	// SourceKept is "no" if a pod on another node sees a source address other than the sending pod's.
	SourceKept = "source_kept"
)

// Values of facts.
const (
	yes    = "yes"
	no     = "no"
	partly = "partly"
)

// DataPath is the fidelity of a plugin that was measured without its agents.
const DataPath = "datapath"

// clusterTestbed is the testbed of figures that were measured on a real cluster.
const clusterTestbed = "cluster"

// Fact is something that a run showed, with the evidence for it.
type Fact struct {
	Value    string     // "" if it was not measured
	Evidence words.Text // figures for people, or why the fact was not measured
}

// Facts is what a run showed on one topology.
type Facts struct {
	Topology   results.Topology // with its options, such as vpc:l3-only
	Testbed    string
	Nodes      int // between which figures were measured
	NodesAsked int // of each network, as requested; 0 if not specified
	// Figures is the number of figures by which plugins are ranked, each at each rate limit: those that
	// verdicts are corrected over to count for the advice.
	Figures int
	// NeededRounds is the smallest number of blocks with which the verdicts used for ranking can show a
	// difference; 0 if no two plugins were up at the same time.
	NeededRounds int
	Complete     bool // everything requested was done
	// ControlDiffers names the plugins that were found to differ from their own copies.
	ControlDiffers []string
	Link           Fact // whether frames for foreign addresses reach the other node
	Plugins        []Plugin
	Comparisons    []Comparison
}

// Plugin is what a run showed about one plugin on one topology.
type Plugin struct {
	Name     string
	Fidelity string // agent, datapath or cluster
	Kernel   string // in which it was measured; "" for the machine's own
	Facts    map[string]Fact
	// Overhead is the number of bytes that a capture showed around a pod's packet. It is nil if nothing
	// was captured.
	Overhead *int
	// Configured is what a cluster's settings say about the wire; nil if the documented values hold.
	Configured *results.Configured
	// PathMTU is the size in bytes of the largest packet that passed between pods in both directions. It
	// is 0 if it was not measured.
	PathMTU  int
	Findings []Finding
	Memory   int64 // resident bytes of all agents, 0 if none ran
	// Rounds is the number of blocks in which the plugin was measured, in its kernel.
	Rounds int
	// Samples counts the samples of the probes that failed on the plugin at least once, and Failed those
	// of them that failed.
	Samples, Failed int
	// Implausible names the rules by which results of the plugin contradict physics or the setup.
	Implausible []string
	// Untried reports whether the run ended before the plugin was brought up, so that nothing counts for
	// or against it.
	Untried bool
}

// Finding is a problem that a probe found with a plugin's network.
type Finding struct {
	Name string
	Text words.Text
}

// found reports whether a probe reported a finding with that name.
func (p *Plugin) found(name string) bool {
	return slices.ContainsFunc(p.Findings, func(f Finding) bool { return f.Name == name })
}

// Comparison compares plugin A with plugin B by one metric. Faster means better, both for a goodput and
// for a latency.
type Comparison struct {
	A, B    string
	Wire    string
	Probe   string // with its parameters
	Metric  string
	Ratio   float64       // A to B
	CI      *[2]float64   // of the ratio; nil if there are too few samples
	Verdict stats.Verdict // corrected over the pairs that this figure compares
	// Holds reports whether the verdict is at the level that it claims over all figures by which plugins
	// are ranked. If not, it does not count for the advice.
	Holds    bool
	Margin   float64 // below which two plugins are equivalent
	Evidence words.Text
	// Detectable is the smallest difference, as a share, that would probably have been found by all
	// figures together; infinite if there are too few samples to find any.
	Detectable float64
	// Deployments is the number of deployments of the two that the verdict rests on.
	Deployments int
	Notes       []words.Text // what weakens the verdict
	// Undisturbed is the verdict without the disturbed samples, if it is another one.
	Undisturbed stats.Verdict
}

// Reason is one rule that counted for or against a plugin.
type Reason struct {
	Rule     string     `json:"rule"`
	Text     words.Text `json:"text"`
	Evidence words.Text `json:"evidence"`       // what was measured; empty if the reason is documented
	Source   words.Text `json:"source"`         // source of the rule, with its date
	Need     string     `json:"need,omitempty"` // the need that made the rule apply
}

// Rejected is a plugin that is not recommended, with the reasons.
type Rejected struct {
	Plugin  string   `json:"plugin"`
	Because []Reason `json:"because"`
}

// Opening is traffic that a firewall between the nodes must allow.
type Opening struct {
	Protocol string     `json:"protocol"` // tcp, udp, "ip protocol 4", or any
	Port     int        `json:"port"`     // 0 where the protocol has none
	Why      words.Text `json:"why"`
}

// Configuration is a configuration file for the plugin's own tools.
type Configuration struct {
	Name string `json:"name"`
	Text string `json:"text"`
}

// Confidence is how far a recommendation can be trusted, and what it rests on.
type Confidence struct {
	Level   words.Text `json:"level"` // high, medium or low
	RestsOn words.Text `json:"rests_on"`
	// Lowered lists what lowers the level, all of it part of RestsOn.
	Lowered []Lowering `json:"lowered"`
}

// Lowering is a condition that lowers the confidence.
type Lowering struct {
	Rule  string     `json:"rule"`
	Level words.Text `json:"level"` // the highest level that is left
	Text  words.Text `json:"text"`
}

// Recommendation is the advice for one topology.
type Recommendation struct {
	Topology results.Topology `json:"topology"`
	Kernel   string           `json:"kernel,omitempty"` // in which the plugin was measured; "" for the machine's own
	// Plugin is the plugin's name in the catalogue, or "" if nothing fits.
	Plugin string `json:"plugin"`
	// Unbeaten lists the plugins that nothing is shown to be faster than, the recommended one first. If
	// every plugin is slower than another, it lists those of the circle. It is empty if speeds were not
	// compared.
	Unbeaten    []string     `json:"unbeaten"`
	Summary     words.Text   `json:"summary"` // with the findings and the excluded plugins
	Confidence  Confidence   `json:"confidence"`
	Because     []Reason     `json:"because"`
	Rejected    []Rejected   `json:"rejected"`
	NotMeasured []words.Text `json:"not_measured"`
	Notes       []Reason     `json:"notes"`
	Firewall    []Opening    `json:"firewall"`
	Limits      []Limit      `json:"limits"`
	// Kubespray holds group_vars (YAML). It is "" if nothing is recommended.
	Kubespray     string          `json:"kubespray"`
	Configuration []Configuration `json:"configuration"`
}

// Recommend judges all plugins on a topology and recommends one of them, if any fits.
func Recommend(n results.Needs, f Facts) Recommendation {
	r := Recommendation{Topology: f.Topology, Because: []Reason{}, Rejected: []Rejected{}, NotMeasured: []words.Text{}, Unbeaten: []string{},
		Notes: []Reason{}, Firewall: []Opening{}, Limits: []Limit{}, Configuration: []Configuration{}}
	var untried []string
	f.Plugins, untried = tried(f.Plugins)
	if len(untried) > 0 {
		r.NotMeasured = append(r.NotMeasured, words.RunEndedBefore.With(words.ListNames(untried)))
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
		r.NotMeasured = append(r.NotMeasured, words.NotInRun.With(words.ListNames(absent)))
	}
	if len(fit) == 0 {
		r.Summary = nothingFits(f, r.Rejected)
		r.Confidence = Confidence{words.High, words.EveryPluginExcluded, []Lowering{}}
		if len(r.NotMeasured) > 0 {
			r.Confidence = Confidence{words.Low, words.NotAllMeasured, []Lowering{{"not-all-measured", words.Low, words.NotAllMeasured}}}
		}
		return r
	}
	o := choose(&f, fit)
	said := excluded(&f, r.Rejected, len(fit) == 1)
	for i := range r.Rejected {
		r.Rejected[i].Because = append(r.Rejected[i].Because, o.slower(r.Rejected[i].Plugin)...)
	}
	r.NotMeasured = append(r.NotMeasured, o.unknown...)
	r.Rejected = append(r.Rejected, o.rejected...)
	slices.SortStableFunc(r.Rejected, func(a, b Rejected) int { return strings.Compare(a.Plugin, b.Plugin) })
	r.recommend(n, o, said)
	return r
}

// recommend fills in the recommendation of the winner.
func (r *Recommendation) recommend(n results.Needs, o outcome, excluded words.Text) {
	s := o.winner
	if o.measured {
		for _, leader := range o.leaders {
			r.Unbeaten = append(r.Unbeaten, leader.plugin.Name)
		}
	}
	r.Plugin, r.Kernel = s.plugin.Name, s.plugin.Kernel
	r.Because = append(s.reasons, o.because...)
	r.Notes = s.notes
	r.Confidence = o.confidence()
	r.Summary = words.Following(o.summary(), foundOn(s.plugin), excluded)
	r.Firewall = append(r.Firewall, s.mode.openings(s.plugin.Configured)...)
	r.Limits = s.limits()
	r.Kubespray = s.kubespray(n)
	r.Configuration = s.configuration(n)
}

// tried returns the plugins that the run reached, and the names of the others.
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

// notInRun returns the plugins of modes.yaml that the run did not include on this topology.
func notInRun(f Facts, untried []string) []string {
	var absent []string
	for _, m := range modes() {
		if !slices.Contains(untried, m.Plugin) && !slices.ContainsFunc(f.Plugins, func(p Plugin) bool { return p.Name == m.Plugin }) {
			absent = append(absent, m.Plugin)
		}
	}
	return absent
}

// nothingFits returns the summary for when nothing fits: it names what excludes each plugin.
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
		parts = append(parts, words.Excludes.With(why, words.ListNames(by[why])))
	}
	return words.NothingFits.With(f.Topology, words.Clauses(parts...))
}
