// Package host is the baseline: the nodes' own network, without a plugin. The cost
// of a plugin is its difference from the baseline.
package host

import (
	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/words"
)

// Modes returns the baseline.
func Modes() []*plugins.Plugin {
	return []*plugins.Plugin{{
		Name: "host", Title: "the nodes' own network, the baseline", Path: plugins.Path(words.ProcessOnNode, "NIC"),
		Encapsulation: plugins.None, Fidelity: plugins.Agent, Features: []string{"bridge", "veth"},
	}}
}
