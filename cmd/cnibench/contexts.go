package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster"
)

// contextOf is a context of the kubeconfig file, with the plugin that the person
// says its cluster runs; "" for the one that is found there.
type contextOf struct{ name, plugin string }

// parseContexts reads NAME, or several as NAME=PLUGIN,... A name that holds a
// comma stands in double quotes.
func (p *program) parseContexts(text string) ([]contextOf, error) {
	var parts []string
	quoted, from := false, 0
	for i := range len(text) {
		switch {
		case text[i] == '"':
			quoted = !quoted
		case text[i] == ',' && !quoted:
			parts, from = append(parts, text[from:i]), i+1
		}
	}
	return p.contextsOf(append(parts, text[from:]))
}

// contextsOf reads a list of NAME or NAME=PLUGIN.
func (p *program) contextsOf(parts []string) ([]contextOf, error) {
	var all []contextOf
	for _, part := range parts {
		c, ok := p.parseContext(part)
		if !ok && len(parts) > 1 || !ok && part != "" {
			return nil, usage("--context takes a name, or several as NAME=PLUGIN,NAME=PLUGIN, each name in double quotes if it holds a comma, not %q", results.Printable(part))
		}
		all = append(all, c)
	}
	return all, nil
}

// parseContext reads NAME or NAME=PLUGIN. Without quotes the last = divides, and
// only if a plugin follows: names of contexts may hold it too.
func (p *program) parseContext(text string) (c contextOf, ok bool) {
	if rest, quoted := strings.CutPrefix(text, `"`); quoted {
		// Two quotes within a name stand for one, as in CSV (RFC 4180).
		for end := 0; end < len(rest); end++ {
			if rest[end] != '"' {
				continue
			}
			if end+1 < len(rest) && rest[end+1] == '"' {
				end++
				continue
			}
			plugin, named := strings.CutPrefix(rest[end+1:], "=")
			c = contextOf{strings.ReplaceAll(rest[:end], `""`, `"`), plugin}
			return c, c.name != "" && named == (plugin != "") && (named || rest[end+1:] == "")
		}
		return c, false
	}
	if i := strings.LastIndexByte(text, '='); i >= 0 && (i == 0 || p.isPlugin(text[i+1:])) {
		return contextOf{text[:i], text[i+1:]}, i > 0
	}
	return contextOf{text, ""}, text != ""
}

// isPlugin reports whether a record or a person may call a cluster's plugin so.
func (p *program) isPlugin(name string) bool {
	selected, err := p.catalogue.Select([]string{name})
	return name == unknownPlugin || err == nil && len(selected) > 0
}

// String is what parseContext reads.
func (c contextOf) String() string {
	name := c.name
	if strings.ContainsAny(name, `,="`) {
		name = `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
	}
	if c.plugin == "" {
		return name
	}
	return name + "=" + c.plugin
}

// unknownPlugin is what a cluster's plugin is called that the catalogue lacks.
const unknownPlugin = "unknown"

// clusterAsked completes what was asked of clusters and returns their contexts.
func (p *program) clusterAsked(o *runOptions) ([]contextOf, error) {
	a := &o.asked
	asked := cmp.Or(o.cluster.context, strings.Join(a.Contexts, ","))
	contexts, err := p.contextsOf(a.Contexts)
	if o.cluster.context != "" || len(a.Contexts) == 0 {
		contexts, err = p.parseContexts(o.cluster.context)
	}
	if err != nil {
		return nil, err
	}
	switch named := len(contexts) > 1 || contexts[0].plugin != ""; {
	case named && len(a.Plugins) > 0:
		return nil, usage("--context %s names the plugins; leave out --plugins", results.Printable(asked))
	case named && len(a.Install) > 0:
		return nil, usage("--install is for one cluster, named by its context alone")
	case len(a.Install) > 0 && o.cluster.namespace != "":
		return nil, usage("--install needs a namespace of its own: leave out --namespace")
	case len(a.Install) > 0:
		return contexts, p.toInstall(o)
	}
	return contexts, nil
}

// toInstall fits what is to be installed to the catalogue: each plugin is
// installed alone, and is what the run measures.
func (p *program) toInstall(o *runOptions) error {
	a := &o.asked
	if len(a.Plugins) > 0 {
		return usage("--install names the plugins that are measured; leave out --plugins")
	}
	if o.cluster.unprivileged {
		return usage("--install changes the nodes' network, which --unprivileged rules out")
	}
	selected, err := p.catalogue.Select(a.Install)
	if err != nil {
		return usageError{err}
	}
	a.Install = nil
	for _, plugin := range selected {
		if err := cluster.Installable(plugin.Name); err != nil {
			return usageError{err}
		}
		a.Install = append(a.Install, plugin.Name)
	}
	a.Plugins = slices.Clone(a.Install)
	return nil
}

// nameClusterPlugins finds out what connects each cluster's pods unless the
// person has said it. What the catalogue does not know is measured all the same.
func (p *program) nameClusterPlugins(ctx context.Context, beds []*cluster.Cluster, contexts []contextOf, o *runOptions) error {
	said := o.asked.Plugins
	o.asked.Plugins, o.asked.Contexts = nil, nil
	for i, bed := range beds {
		if contexts[i].plugin != "" {
			said = []string{contexts[i].plugin}
		}
		names, err := p.clusterPlugins(ctx, bed, said, o)
		if err != nil {
			return err
		}
		if len(beds) > 1 {
			if len(names) != 1 || slices.Contains(o.asked.Plugins, names[0]) {
				return usage("several clusters need one plugin each, told apart by name; %s has %s", contexts[i].name, strings.Join(names, ","))
			}
			o.asked.Contexts = append(o.asked.Contexts, contextOf{contexts[i].name, names[0]}.String())
		}
		o.asked.Plugins = append(o.asked.Plugins, names...)
	}
	return nil
}

// clusterPlugins are the plugins of one cluster by their names in the catalogue.
func (p *program) clusterPlugins(ctx context.Context, bed *cluster.Cluster, said []string, o *runOptions) ([]string, error) {
	found, err := bed.Detect(ctx)
	if err != nil {
		return nil, err
	}
	if !o.quiet {
		fmt.Fprintf(p.stderr, "the cluster's plugin: %s\n", found.Words)
	}
	if len(said) > 0 {
		selected, err := p.catalogue.Select(said)
		if err != nil {
			return nil, usageError{err}
		}
		var names []string
		for _, plugin := range selected {
			names = append(names, plugin.Name)
		}
		if !slices.Contains(names, found.Plugin) {
			o.detect(names[0], found)
			fmt.Fprintf(p.stderr, "warning: you name %s, but %s\n", strings.Join(names, ","), found.Words)
		}
		return names, nil
	}
	name := found.Plugin
	if p.catalogue.Get(name) == nil {
		name = unknownPlugin
		o.detect(name, found)
		p.catalogue = append(slices.Clone(p.catalogue), &plugins.Plugin{Name: name, Title: "unknown (detected: " + found.Words + ")",
			Encapsulation: plugins.Encapsulation{Kind: probes.Undeclared}, Fidelity: plugins.Cluster, Deploy: notByUs})
	}
	return []string{name}, nil
}

// detect keeps for the record what a cluster says of its plugin.
func (o *runOptions) detect(plugin string, found cluster.Detected) {
	o.detected = append(o.detected, results.Event{Name: results.EventDetected, Plugin: plugin, Topology: testbed.ClusterTopology, Text: "detected: " + found.Words})
}
