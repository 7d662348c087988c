package advice

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/cnibench/cnibench/words"
	"sigs.k8s.io/yaml"
)

//go:embed modes.yaml
var modesFile []byte

// modes is what is documented of each plugin.
var modes = loaded[[]mode]("modes.yaml", modesFile)

// mode is what is documented of one plugin mode; modes.yaml explains the keys.
type mode struct {
	Plugin     string         `json:"plugin"`
	Words      string         `json:"words"` // what people call it
	Kind       string         `json:"kind"`
	NeedsL2    bool           `json:"needs_l2"`
	SameSubnet bool           `json:"same_subnet"` // plain routes inside a subnet, a tunnel between subnets
	BGP        bool           `json:"bgp"`
	DebugOnly  bool           `json:"debug_only"`
	Clouds     []string       `json:"clouds"`  // that it runs in; none: anywhere
	Managed    []string       `json:"managed"` // clouds whose managed clusters offer it
	Routes     bool           `json:"routes"`  // one VPC route a node
	Pods       string         `json:"pods"`
	MaxNodes   int            `json:"max_nodes"`
	Agents     int            `json:"agents"`
	Firewall   []Opening      `json:"firewall"`
	Kubespray  map[string]any `json:"kubespray"`
	Flannel    map[string]any `json:"flannel"` // backend of net-conf.json
	Calico     *calicoPool    `json:"calico"`
	Sources    []string       `json:"sources"`
}

// calicoPool is what tells Calico's modes apart in an IPPool.
type calicoPool struct {
	IPIPMode  string `json:"ipipMode"`
	VXLANMode string `json:"vxlanMode"`
}

// modeOf returns what is documented of a plugin; of one that the file does not
// know only the name.
func modeOf(plugin string) mode {
	all := modes()
	if i := slices.IndexFunc(all, func(m mode) bool { return m.Plugin == plugin }); i >= 0 {
		return all[i]
	}
	return mode{Plugin: plugin}
}

// loaded reads an embedded data file when it is first asked for: every probe
// worker is a process of this program, and none of them advises.
func loaded[T any](name string, text []byte) func() T {
	return sync.OnceValue(func() T { return load[T](name, text) })
}

// load reads an embedded data file. A file that cannot be read is an error of
// the program, which every test finds.
func load[T any](name string, text []byte) T {
	var v T
	if err := yaml.UnmarshalStrict(text, &v); err != nil {
		panic(fmt.Sprintf("reading %s: %v", name, err))
	}
	return v
}

// called is what people call the mode, in words; empty if nothing is documented of it.
func (m mode) called() words.Text {
	if m.Words == "" {
		return words.Text{}
	}
	return words.Define("modes."+m.Plugin, m.Words).With()
}

// openings are what firewalls must let through, each with its reason.
func (m mode) openings() []Opening {
	all := slices.Clone(m.Firewall)
	for i := range all {
		why := all[i].Why.String()
		all[i].Why = words.Define(idOf("openings", why), why).With()
	}
	return all
}

var noLetters = regexp.MustCompile(`[^a-z0-9]+`)

// idOf is the id of a sentence that a data file holds without a name: its own
// words.
func idOf(subject, english string) string {
	return subject + "." + strings.Trim(noLetters.ReplaceAllString(strings.ToLower(english), "-"), "-")
}
