package detect

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/words"
)

// rank is how much evidence weighs: an agent that runs outweighs configuration, which
// may have been left behind, and that outweighs annotations, which nobody removes.
type rank int

const (
	none rank = iota
	annotation
	configuration
	running
)

// mode is how a plugin connects pods.
type mode struct {
	plugin   string     // its name in a run; "" if it cannot be determined
	says     words.Text // what the name does not say
	settings *Settings  // nil if the cluster says nothing of them
}

// adds adds to what is said of the mode.
func (m *mode) adds(t words.Text) { m.says = words.List(m.says, t) }

func (m mode) text() words.Text {
	switch {
	case m.plugin == "" && m.says.Empty():
		return words.NothingReadable
	case m.plugin == "":
		return m.says
	}
	return words.Aside(words.Quote(m.plugin), m.says)
}

// candidate is a plugin that something in the cluster speaks for.
type candidate struct {
	family family
	rank   rank // of the best evidence
	places []words.Text
	mode   mode
	notes  []words.Text // what a reader should know besides
	// policy says that its agents only enforce policies on another plugin's network.
	policy bool
	// chained is the plugin to whose network Cilium adds itself, as its option
	// cni-chaining-mode names it; "" for none.
	chained string
	// routes says that kube-router is told to connect pods.
	routes bool
	proxy  bool // replaces kube-proxy
}

// add adds a place that speaks for the candidate.
func (c *candidate) add(r rank, place words.Text) {
	c.rank = max(c.rank, r)
	c.places = append(c.places, place)
}

// text says what speaks for the candidate.
func (c *candidate) text() words.Text {
	said := words.EvidenceSays
	if len(c.places) == 1 && !slices.Contains([]words.Text{words.NodeAnnotations, words.NodeLabels, words.CalicoPools}, c.places[0]) {
		said = words.EvidenceOneSays
	}
	return said.With(words.And(c.places...), c.mode.text())
}

// readers lists the functions that look for plugins with modes. Each returns nil if
// nothing speaks for its plugin.
var readers = []func(*state) *candidate{readFlannel, readCalicoPlugin, readCilium, readTerway, readAmazon, readAzure, readAntrea, readKubeRouter, readKubeOVN, readOVN, readKilo}

// candidates returns all plugins that something speaks for.
func (s *state) candidates() []*candidate {
	var all []*candidate
	for _, read := range readers {
		if c := read(s); c != nil {
			all = append(all, c)
		}
	}
	for _, d := range s.sets {
		a, known := agentOf(d)
		if !known || a.plugin == "" || slices.ContainsFunc(all, func(c *candidate) bool { return c.family == a.family }) {
			continue
		}
		c := &candidate{family: a.family, mode: mode{plugin: a.plugin, says: besides(a.plugin, a.family), settings: undeclared()}}
		c.add(running, d.text())
		all = append(all, c)
	}
	return all
}

// besides returns a family's name, unless the plugin's says it all.
func besides(plugin string, f family) words.Text {
	if string(f) == plugin {
		return words.Text{}
	}
	return words.Quote(string(f))
}

// find returns the candidate of a family, or nil.
func find(all []*candidate, f family) *candidate {
	if i := slices.IndexFunc(all, func(c *candidate) bool { return c.family == f }); i >= 0 {
		return all[i]
	}
	return nil
}

// without returns the candidates except one.
func without(all []*candidate, c *candidate) []*candidate {
	return slices.DeleteFunc(slices.Clone(all), func(other *candidate) bool { return other == c })
}

// chains names the plugins of Cilium's option cni-chaining-mode
// (Documentation/installation/cni-chaining.rst of Cilium v1.16).
var chains = map[string]family{"aws-cni": amazon, "flannel": flannel, "azure": azure, "calico": calico, "terway": terway}

// companions sorts out agents that are known to run beside each other: it returns the
// candidates that connect pods, and what is said of those that only enforce policies.
func companions(all []*candidate) (connect []*candidate, said []words.Text) {
	if c := find(all, dataplane2); c != nil { // Google's build of Cilium, with its options
		all = without(without(all, find(all, cilium)), find(all, netd))
	}
	if a, c := find(all, azure), find(all, cilium); a != nil && c != nil && c.chained == "" && (a.rank == running || c.rank == running) {
		a.rank = max(a.rank, c.rank)
		a.places, a.proxy = append(a.places, c.places...), c.proxy
		a.mode.plugin = "azure-cni-cilium"
		a.mode.adds(c.mode.says)
		all = without(all, c)
	} else if a != nil && a.mode.plugin == "azure-cni-cilium" {
		a.mode.adds(words.Quote(string(cilium)))
	}
	if c := find(all, cilium); c != nil && c.chained != "" {
		all = chain(all, c)
	}
	if f, c := find(all, flannel), find(all, calico); f != nil && c != nil && f.rank >= c.rank && slices.Contains(f.notes, words.CalicoForPolicy) {
		all = without(all, c)
	}
	all = beneathKilo(all)
	for _, c := range all {
		beside := c.family == kubeRouter && !c.routes && find(all, flannel) != nil
		if c.policy || beside {
			said = append(said, words.PolicyOnly.With(words.And(c.places...), string(c.family)))
			continue
		}
		connect = append(connect, c)
	}
	return connect, said
}

// chain makes Cilium a companion of the plugin that it is chained to.
func chain(all []*candidate, c *candidate) []*candidate {
	on, known := chains[c.chained]
	target := find(all, on)
	others := slices.DeleteFunc(without(all, c), func(o *candidate) bool { return o.policy })
	switch {
	case target == nil && known && on == amazon:
		target = &candidate{family: amazon, mode: mode{plugin: "aws-vpc-cni"}}
		target.places = c.places
		all = append(all, target)
	case target == nil && !known && len(others) == 1:
		target = others[0]
	case target == nil:
		c.mode = mode{says: words.ChainedTo.With(c.chained), settings: undeclared()}
		return all
	}
	target.rank = max(target.rank, c.rank)
	target.notes = append(target.notes, words.CiliumChained.With(words.And(c.places...), c.chained))
	target.proxy = c.proxy
	return without(all, c)
}

// judged is the conclusion from the evidence.
type judged struct {
	winner *candidate // nil if nothing speaks for a plugin, or several contradict each other
	said   []words.Text
}

// judge weighs candidates against each other. Weaker evidence of another plugin than
// the one that runs was left behind. If it is not known what runs, it contradicts.
func (s *state) judge(connect []*candidate) judged {
	if len(connect) == 0 {
		return judged{said: []words.Text{words.EvidenceSays.With(words.NodeAnnotations, words.NothingOfKnownPlugin)}}
	}
	slices.SortStableFunc(connect, func(a, b *candidate) int { return int(b.rank) - int(a.rank) })
	best := connect[0]
	var said, left []words.Text
	contradicts := false
	for _, c := range connect {
		switch {
		case c == best || c.rank == best.rank || best.rank < running && !s.setsRead:
			contradicts = contradicts || c != best
			said = append(append(said, c.text()), c.notes...)
		default:
			left = append(left, words.LeftBehind.With(string(c.family), words.And(c.places...)))
		}
	}
	if contradicts {
		return judged{said: append([]words.Text{words.List(words.Clauses(said...), words.EvidenceContradicts)}, left...)}
	}
	return judged{winner: best, said: append(said, left...)}
}

var noSlug = regexp.MustCompile(`[^a-z0-9]+`)

// slug makes a name for a run from words: lower case letters, digits and dashes, at
// most 40 bytes.
func slug(s string) string {
	s = strings.Trim(noSlug.ReplaceAllString(strings.ToLower(s), "-"), "-")
	return strings.Trim(s[:min(len(s), 40)], "-")
}

// sortedKeys returns a map's keys in order.
func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
