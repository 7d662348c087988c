package main

import (
	"cmp"
	"strings"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster/detect"
)

// contextOf is a context of the kubeconfig file and the plugin that the user says
// its cluster runs, or "" for the detected one.
type contextOf struct{ name, plugin string }

// parseContexts reads NAME, or several as NAME=PLUGIN,... A name that contains a
// comma is put in double quotes.
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

// contextsOf reads a list of NAME or NAME=PLUGIN.
func contextsOf(known catalogue.Catalogue, parts []string) ([]contextOf, error) {
	var all []contextOf
	for _, part := range parts {
		c, ok := parseContext(known, part)
		if !ok && len(parts) > 1 || !ok && part != "" {
			return nil, usage("--context takes a name, or several as NAME=PLUGIN,NAME=PLUGIN, a name that contains a comma in double quotes, not %q", results.Printable(part))
		}
		all = append(all, c)
	}
	return all, nil
}

// parseContext reads NAME or NAME=PLUGIN. Without quotes, the last = separates the
// two, and only if a plugin follows: names of contexts may contain = too.
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

// isPlugin reports whether name can be the plugin of a cluster: one of the
// catalogue, or detect.Unknown.
func isPlugin(known catalogue.Catalogue, name string) bool {
	selected, err := known.Select([]string{name})
	return name == detect.Unknown || err == nil && len(selected) > 0
}

// String returns c in the form that parseContext reads.
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

// clusterAsked completes what a run on clusters asks for and returns their contexts.
func (p *program) clusterAsked(o *runOptions) ([]contextOf, error) {
	a := &o.asked
	asked := cmp.Or(o.cluster.context, strings.Join(a.Contexts, ","))
	contexts, err := contextsOf(p.catalogue, a.Contexts)
	if o.cluster.context != "" || len(a.Contexts) == 0 {
		contexts, err = parseContexts(p.catalogue, o.cluster.context)
	}
	if err != nil {
		return nil, err
	}
	switch named := len(contexts) > 1 || contexts[0].plugin != ""; {
	case named && len(a.Plugins) > 0:
		return nil, usage("--context %s names the plugins; leave out --plugins", results.Printable(asked))
	case named && len(a.Install) > 0:
		return nil, usage("--install works on one cluster only: name it with --context NAME")
	case len(a.Install) > 0 && o.cluster.namespace != "":
		return nil, usage("--install needs a namespace of its own: leave out --namespace")
	case len(a.Install) > 0:
		return contexts, p.toInstall(o)
	}
	return contexts, nil
}
