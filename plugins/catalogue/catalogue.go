// Package catalogue lists every plugin mode that cnibench knows. [All] is the only
// place in which to register a new family.
package catalogue

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/plugins/aws"
	"github.com/cnibench/cnibench/plugins/calico"
	"github.com/cnibench/cnibench/plugins/cce"
	"github.com/cnibench/cnibench/plugins/flannel"
	"github.com/cnibench/cnibench/plugins/host"
	"github.com/cnibench/cnibench/plugins/terway"
	"github.com/cnibench/cnibench/plugins/vpcroute"
)

// All returns the catalogue, the baseline first.
func All() Catalogue {
	return slices.Concat(host.Modes(), flannel.Modes(), calico.Modes(), vpcroute.Modes(), terway.Modes(), cce.Modes(), aws.Modes())
}

// Catalogue is a list of plugins that can be searched by name.
type Catalogue []*plugins.Plugin

// Get returns the plugin with this name or alias, or nil.
func (c Catalogue) Get(name string) *plugins.Plugin {
	for _, p := range c {
		if p.Name == name || slices.Contains(p.Aliases, name) {
			return p
		}
	}
	return nil
}

// Select returns the plugins that match names, aliases and globs (path.Match), in
// the order of the patterns and without duplicates.
func (c Catalogue) Select(patterns []string) ([]*plugins.Plugin, error) {
	var selected []*plugins.Plugin
	for _, pattern := range patterns {
		found, err := c.match(pattern)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			if !slices.Contains(selected, p) {
				selected = append(selected, p)
			}
		}
	}
	return selected, nil
}

func (c Catalogue) match(pattern string) ([]*plugins.Plugin, error) {
	if p := c.Get(pattern); p != nil {
		return []*plugins.Plugin{p}, nil
	}
	if !strings.ContainsAny(pattern, "*?[") {
		return nil, fmt.Errorf("there is no plugin %q; did you mean %s? (cnibench plugins lists all)", pattern, Nearest(pattern, c.names()))
	}
	var found []*plugins.Plugin
	for _, p := range c {
		ok, err := path.Match(pattern, p.Name)
		if err != nil {
			return nil, fmt.Errorf("plugin pattern %q: %w", pattern, err)
		}
		if ok {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no plugin matches %q (cnibench plugins lists all)", pattern)
	}
	return found, nil
}

func (c Catalogue) names() []string {
	var names []string
	for _, p := range c {
		names = append(append(names, p.Name), p.Aliases...)
	}
	return names
}
