package main

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster/install"
)

// contextOf is a context of the kubeconfig file, with the plugin that the user names for its
// cluster; "" to detect the plugin.
type contextOf struct{ name, plugin string }

// parseContexts parses NAME, or several contexts as NAME=PLUGIN,... A name that contains a comma
// is in double quotes.
func parseContexts(known catalogue.Catalogue, text string) ([]contextOf, error) {
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
	return contextsOf(known, append(parts, text[from:]))
}

// contextsOf parses a list of NAME or NAME=PLUGIN.
func contextsOf(known catalogue.Catalogue, parts []string) ([]contextOf, error) {
	var all []contextOf
	for _, part := range parts {
		c, ok := parseContext(known, part)
		if !ok && len(parts) > 1 || !ok && part != "" {
			return nil, usage("--context takes a name, or several as NAME=PLUGIN,NAME=PLUGIN, each name in double quotes if it holds a comma, not %q", results.Printable(part))
		}
		all = append(all, c)
	}
	return all, nil
}

// parseContext parses NAME or NAME=PLUGIN. Without quotes, the last = separates the two, and only
// if a plugin follows, because context names may contain = too.
func parseContext(known catalogue.Catalogue, text string) (c contextOf, ok bool) {
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
	if i := strings.LastIndexByte(text, '='); i >= 0 && (i == 0 || isPlugin(known, text[i+1:])) {
		return contextOf{text[:i], text[i+1:]}, i > 0
	}
	return contextOf{text, ""}, text != ""
}

// isPlugin reports whether a record or a user may use this name for a cluster's plugin.
func isPlugin(known catalogue.Catalogue, name string) bool {
	selected, err := known.Select([]string{name})
	return name == unknownPlugin || err == nil && len(selected) > 0
}

// String returns the context in the form that parseContext reads.
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

// unknownPlugin is the name of a cluster's plugin that is not in the catalogue.
const unknownPlugin = "unknown"

// clusterAsked completes what was requested for clusters and returns their contexts.
func clusterAsked(known catalogue.Catalogue, o *runOptions) ([]contextOf, error) {
	a := &o.asked
	asked := cmp.Or(o.cluster.context, strings.Join(a.Contexts, ","))
	contexts, err := contextsOf(known, a.Contexts)
	if o.cluster.context != "" || len(a.Contexts) == 0 {
		contexts, err = parseContexts(known, o.cluster.context)
	}
	if err != nil {
		return nil, err
	}
	switch named := len(contexts) > 1 || contexts[0].plugin != ""; {
	case named && len(a.Plugins) > 0:
		return nil, usage("--context %s already names the plugins: leave out --plugins", results.Printable(asked))
	case named && len(a.Install) > 0:
		return nil, usage("--install is for one cluster, with only its name in --context")
	case len(a.Install) > 0 && o.cluster.namespace != "":
		return nil, usage("--install creates its own namespace: leave out --namespace")
	case len(a.Install) > 0:
		return contexts, toInstall(known, o)
	}
	return contexts, nil
}

// toInstall resolves the plugins to install in the catalogue: each is installed alone, and they
// are what the run measures.
func toInstall(known catalogue.Catalogue, o *runOptions) error {
	a := &o.asked
	if len(a.Plugins) > 0 {
		return usage("--install already names the plugins: leave out --plugins")
	}
	if o.cluster.unprivileged {
		return usage("--install changes the nodes' network, which --unprivileged forbids: leave out one of them")
	}
	selected, err := known.Select(a.Install)
	if err != nil {
		return usageError{err}
	}
	a.Install = nil
	for _, plugin := range selected {
		if err := install.Installable(plugin.Name); err != nil {
			return usageError{err}
		}
		a.Install = append(a.Install, plugin.Name)
	}
	a.Plugins = slices.Clone(a.Install)
	return nil
}
