package advice

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
	"sigs.k8s.io/yaml"
)

//go:embed modes.yaml
var modesFile []byte

// modes returns what is documented about each plugin.
var modes = loaded[[]mode]("modes.yaml", modesFile)

// mode is what is documented about one plugin mode. modes.yaml explains the keys.
type mode struct {
	Plugin     string         `json:"plugin"`
	Words      string         `json:"words"` // what people call it
	Kind       string         `json:"kind"`
	NeedsL2    bool           `json:"needs_l2"`
	SameSubnet bool           `json:"same_subnet"` // plain routes inside a subnet, a tunnel between subnets
	BGP        bool           `json:"bgp"`
	DebugOnly  bool           `json:"debug_only"`
	Clouds     []string       `json:"clouds"`  // in which it runs; empty for any
	Managed    []string       `json:"managed"` // clouds whose managed clusters offer it
	Routes     bool           `json:"routes"`  // needs one VPC route per node
	Pods       string         `json:"pods"`
	MaxNodes   int            `json:"max_nodes"`
	Agents     int            `json:"agents"`
	Firewall   []Opening      `json:"firewall"`
	Kubespray  map[string]any `json:"kubespray"`
	Flannel    map[string]any `json:"flannel"` // the backend in net-conf.json
	Calico     *calicoPool    `json:"calico"`
	// NetworkPolicy is nil if nothing is known.
	NetworkPolicy *documented `json:"network_policy"`
	Sources       []string    `json:"sources"`
}

// documented is an answer with its source.
type documented struct {
	Enforced bool   `json:"enforced"`
	Source   string `json:"source"`
}

// calicoPool holds the fields of an IPPool that distinguish Calico's modes.
type calicoPool struct {
	IPIPMode  string `json:"ipipMode"`
	VXLANMode string `json:"vxlanMode"`
}

// modeOf returns what is documented about a plugin. If the plugin is not in the file, only the name is
// set.
func modeOf(plugin string) mode {
	all := modes()
	if i := slices.IndexFunc(all, func(m mode) bool { return m.Plugin == plugin }); i >= 0 {
		return all[i]
	}
	return mode{Plugin: plugin}
}

// DocumentedPolicy returns whether a plugin is documented to enforce NetworkPolicy objects by itself:
// yes, no, or "" if nothing is known, with the source.
func DocumentedPolicy(plugin string) (answer, source string) {
	switch d := modeOf(plugin).NetworkPolicy; {
	case d == nil:
		return "", ""
	case d.Enforced:
		return yes, d.Source
	default:
		return no, d.Source
	}
}

// loaded returns a function that decodes an embedded data file on first use: every probe worker is a
// process of this program, and none of them gives advice.
func loaded[T any](name string, text []byte) func() T {
	return sync.OnceValue(func() T { return load[T](name, text) })
}

// load decodes an embedded data file. It panics if the file is invalid, which is a programming error
// that every test finds.
func load[T any](name string, text []byte) T {
	var v T
	if err := yaml.UnmarshalStrict(text, &v); err != nil {
		panic(fmt.Sprintf("reading %s: %v", name, err))
	}
	return v
}

// called returns what people call the mode, or an empty text if nothing is documented about it.
func (m mode) called() words.Text {
	if m.Words == "" {
		return words.Text{}
	}
	return words.Define("modes."+m.Plugin, m.Words).With()
}

// openings returns the traffic that firewalls must allow, each with its reason. A cluster's own port
// takes the place of the documented one.
func (m mode) openings(of *results.Configured) []Opening {
	all := slices.Clone(m.Firewall)
	for i := range all {
		if of != nil && of.Encapsulation == m.Kind && of.Port != 0 && all[i].Protocol == "udp" {
			all[i].Port = of.Port
		}
		why := all[i].Why.String()
		all[i].Why = words.Define(idOf("openings", why), why).With()
	}
	return all
}

var noLetters = regexp.MustCompile(`[^a-z0-9]+`)

// idOf returns the id of a sentence that has no name in its data file. It is made from the words of the
// sentence.
func idOf(subject, english string) string {
	return subject + "." + strings.Trim(noLetters.ReplaceAllString(strings.ToLower(english), "-"), "-")
}
