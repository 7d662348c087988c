// Package host is the baseline: no plugin, the nodes' own network. What a
// plugin costs is the difference to it.
package host

import "github.com/cnibench/cnibench/plugins"

// Modes is the one baseline.
func Modes() []*plugins.Plugin {
	return []*plugins.Plugin{{
		Name: "host", Title: "the nodes' own network, the baseline", Path: "process on the node → NIC",
		Encapsulation: plugins.None, Fidelity: plugins.Agent, Features: []string{"bridge", "veth"},
	}}
}
