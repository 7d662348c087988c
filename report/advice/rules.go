package advice

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

//go:embed rules.yaml
var rulesFile []byte

var rules = sync.OnceValue(func() []rule { return checked(load[[]rule]("rules.yaml", rulesFile)) })

// rule is an entry of rules.yaml, which explains the keys.
type rule struct {
	Rule    string            `json:"rule"`
	When    map[string]values `json:"when"`
	Require map[string]values `json:"require"`
	Text    string            `json:"text"`
	Lacks   string            `json:"lacks"`
	Unknown string            `json:"unknown"`
	Reject  string            `json:"reject"`
	Note    string            `json:"note"`
	Weakens bool              `json:"weakens"`
	Source  string            `json:"source"`
	Date    string            `json:"date"`
}

// values holds the values that satisfy a condition, written as one value or a list. YAML 1.1 reads yes
// and no as booleans.
type values []string

// UnmarshalJSON decodes one value or a list.
func (v *values) UnmarshalJSON(text []byte) error {
	var one any
	if err := json.Unmarshal(text, &one); err != nil {
		return err
	}
	list, ok := one.([]any)
	if !ok {
		list = []any{one}
	}
	for _, item := range list {
		switch item := item.(type) {
		case bool:
			*v = append(*v, answer(item))
		case string:
			*v = append(*v, item)
		default:
			return fmt.Errorf("a condition takes strings, yes or no, not %v", item)
		}
	}
	return nil
}

func answer(v bool) string {
	if v {
		return yes
	}
	return no
}

// checked returns the rules, and panics if one of them is invalid. To keep the advice honest, it allows
// only measured facts as requirements, because these count in favour of a plugin.
func checked(all []rule) []rule {
	for _, r := range all {
		conclusions := 0
		for _, there := range []bool{len(r.Require) > 0, r.Reject != "", r.Note != ""} {
			if there {
				conclusions++
			}
		}
		if conclusions != 1 || r.Source == "" || r.Date == "" {
			panic(fmt.Sprintf("rules.yaml: %s needs one conclusion, a source and a date", r.Rule))
		}
		for name := range r.Require {
			if strings.Contains(name, ".") {
				panic(fmt.Sprintf("rules.yaml: %s requires %s, which is not measured", r.Rule, name))
			}
		}
	}
	return all
}

// subject is a plugin that is being judged.
type subject struct {
	plugin  *Plugin
	facts   *Facts
	mode    mode
	known   map[string]string // need.*, doc.* and net.*
	fill    map[string]any    // values for the brackets in rules' texts
	bounds  bounds
	reasons []Reason
	against []Reason
	notes   []Reason
	unknown []words.Text
	// weakened reports whether a note says that the advice may not hold for the cluster.
	weakened bool
}

func newSubject(n results.Needs, f *Facts, p *Plugin) *subject {
	s := &subject{plugin: p, facts: f, mode: modeOf(p.Name), known: needed(n), notes: []Reason{}}
	s.bounds = boundsOf(n, s.mode)
	kind, _, _ := strings.Cut(f.Topology.Name, ":")
	s.known["net.kind"], s.known["net.link"] = kind, f.Link.Value
	for name, v := range map[string]bool{"debug_only": s.mode.DebugOnly, "needs_l2": s.mode.NeedsL2, "same_subnet": s.mode.SameSubnet,
		"kubespray": len(s.mode.Kubespray) > 0, "managed": len(s.mode.Managed) > 0} {
		s.known["doc."+name] = answer(v)
	}
	s.known["doc.kind"] = s.mode.Kind
	if n.Cloud != "" && len(s.mode.Clouds) > 0 {
		s.known["doc.cloud_fits"] = answer(slices.Contains(s.mode.Clouds, n.Cloud))
	}
	maps.Copy(s.known, s.bounds.known())
	s.fill = s.bounds.fill()
	s.fill["cloud"], s.fill["clouds"] = cloudNamed(n.Cloud), clouds(s.mode.Clouds)
	return s
}

// needed returns the needs by the names that rules use.
func needed(n results.Needs) map[string]string {
	known := map[string]string{"need.cloud": n.Cloud, "need.l2": string(n.L2)}
	for name, v := range map[string]bool{"network_policy": n.NetworkPolicy, "pod_ips_reachable": n.PodIPsReachable, "no_overlay": n.NoOverlay,
		"encryption": n.Encryption, "existing_cluster": n.ExistingCluster} {
		known["need."+name] = answer(v)
	}
	return known
}

func clouds(list []string) words.Text {
	named := make([]words.Text, len(list))
	for i, c := range list {
		named[i] = cloudNamed(c)
	}
	return words.List(named...)
}

func cloudNamed(cloud string) words.Text { return words.Named(cloudNames, cloud) }

var cloudNames = map[string]words.Text{"alibaba": words.AlibabaCloud, "huawei": words.HuaweiCloud, "aws": words.Quote("AWS"),
	"azure": words.Quote("Azure"), "gce": words.GoogleCloud, "none": words.NetworkOnesOwn, "": words.Cloud}

// judge applies all rules.
func (s *subject) judge() {
	for _, r := range rules() {
		if !s.holds(r.When) {
			continue
		}
		switch {
		case r.Reject != "":
			s.against = append(s.against, s.reason(r, "reject", r.Reject, s.evidence(r.When)))
		case r.Note != "":
			s.weakened = s.weakened || r.Weakens
			s.notes = append(s.notes, s.reason(r, "note", r.Note, s.evidence(r.When)))
		default:
			s.require(r)
		}
	}
}

// require checks that a measured fact about the plugin has a value that the rule requires.
func (s *subject) require(r rule) {
	evidence := s.evidence(r.Require)
	for _, name := range slices.Sorted(maps.Keys(r.Require)) {
		switch value := s.plugin.Facts[name].Value; {
		case value == "":
			s.against = append(s.against, s.reason(r, "unknown", r.Unknown, evidence))
			s.unknown = append(s.unknown, words.Aside(s.say(r, "unknown", r.Unknown), evidence))
			return
		case !slices.Contains(r.Require[name], value):
			s.against = append(s.against, s.reason(r, "lacks", r.Lacks, evidence))
			return
		}
	}
	s.reasons = append(s.reasons, s.reason(r, "text", r.Text, evidence))
}

// holds reports whether all conditions hold. A condition on a fact that was not measured holds only if
// it lists the empty string.
func (s *subject) holds(when map[string]values) bool {
	for name, wanted := range when {
		if !slices.Contains(wanted, s.value(name)) {
			return false
		}
	}
	return true
}

func (s *subject) value(name string) string {
	switch {
	case strings.Contains(name, "."):
		return s.known[name]
	case name == "fidelity":
		return s.plugin.Fidelity
	}
	return s.plugin.Facts[name].Value
}

// evidence returns the evidence for the facts that a rule names.
func (s *subject) evidence(when map[string]values) words.Text {
	var all []words.Text
	for _, name := range slices.Sorted(maps.Keys(when)) {
		e := s.plugin.Facts[name].Evidence
		if name == "net.link" {
			e = s.facts.Link.Evidence
		}
		if !e.Empty() {
			all = append(all, e)
		}
	}
	return words.Clauses(all...)
}

// reason returns what a rule says about the plugin.
func (s *subject) reason(r rule, key, text string, evidence words.Text) Reason {
	out := Reason{Rule: r.Rule, Text: s.say(r, key, text), Evidence: evidence, Source: words.List(s.source(r), words.Quote(r.Date))}
	for _, name := range slices.Sorted(maps.Keys(r.When)) {
		if need, ok := strings.CutPrefix(name, "need."); ok {
			out.Need = need
		}
	}
	if out.Need == "" {
		out.Need = needOf(r)
	}
	return out
}

// needOf returns the need behind a condition that is computed from it, or "".
func needOf(r rule) string {
	for name := range r.When {
		switch name {
		case "doc.cloud_fits":
			return "cloud"
		case "doc.routes_fit", "doc.nodes_fit":
			return "nodes"
		case "doc.pods_fit":
			return "pods_per_node"
		}
	}
	return ""
}

// bracket matches a placeholder in a rule's text for a figure of the plugin or the cluster.
var bracket = regexp.MustCompile(`\{([a-z_]+)\}`)

// messageOf returns the message for a rule's text, whose id names the rule and the key, and the names of
// its arguments in order.
func messageOf(id, text string) (words.Message, []string) {
	var names []string
	for _, m := range bracket.FindAllStringSubmatch(text, -1) {
		names = append(names, m[1])
	}
	return words.Define(id, bracket.ReplaceAllString(text, "%v")), names
}

// say returns one of a rule's texts with its brackets filled in.
func (s *subject) say(r rule, key, text string) words.Text {
	m, names := messageOf("rules."+r.Rule+"."+key, text)
	args := make([]any, len(names))
	for i, name := range names {
		args[i] = s.fill[name]
	}
	return m.With(args...)
}

// source returns the source of a rule: a document, or the value of a bracket.
func (s *subject) source(r rule) words.Text {
	name := bracket.FindStringSubmatch(r.Source)
	if name == nil {
		return words.Define("rules."+r.Rule+".source", r.Source).With()
	}
	if t, ok := s.fill[name[1]].(words.Text); ok {
		return t
	}
	return words.Quote(fmt.Sprint(s.fill[name[1]]))
}
