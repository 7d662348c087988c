package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster"
	"github.com/cnibench/cnibench/testbed/cluster/detect"
	"github.com/cnibench/cnibench/words"
)

// clusterPlugin is what a run measures on one cluster.
type clusterPlugin struct {
	names []string // in the run; several only if the user has named several
	of    []string // the names before distinguish changed them
	found detect.Found
	// own says that the plugin that was found is among them.
	own bool
}

// namePlugins detects each cluster's plugin unless the user has named it. A plugin
// that the catalogue does not know is measured all the same.
func (r *clusterRun) namePlugins(ctx context.Context, contexts []contextOf) error {
	var all []clusterPlugin
	for i, bed := range r.beds {
		said := r.o.asked.Plugins
		if contexts[i].plugin != "" {
			said = []string{contexts[i].plugin}
		}
		p, err := r.pluginOf(ctx, bed, said)
		if err != nil {
			return err
		}
		if len(r.beds) > 1 && len(p.names) != 1 {
			return usage("several clusters need one plugin each; context %s has %s", results.Printable(contexts[i].name), strings.Join(p.names, ","))
		}
		all = append(all, p)
	}
	distinguish(all)
	r.o.asked.Plugins, r.o.asked.Contexts = nil, nil
	for i, p := range all {
		r.take(r.beds[i], p)
		r.o.asked.Plugins = append(r.o.asked.Plugins, p.names...)
		if len(r.beds) > 1 {
			r.o.asked.Contexts = append(r.o.asked.Contexts, contextOf{contexts[i].name, p.names[0]}.String())
		}
	}
	return nil
}

// distinguish numbers the plugins that several clusters have, so that they can be
// compared: unknown-1, unknown-2.
func distinguish(all []clusterPlugin) {
	total, seen := map[string]int{}, map[string]int{}
	for _, p := range all {
		total[p.names[0]]++
	}
	for i, p := range all {
		name := p.names[0]
		if seen[name]++; total[name] > 1 {
			all[i].names = []string{fmt.Sprintf("%s-%d", name, seen[name])}
		}
	}
}

// pluginOf returns the plugins to measure on a cluster: those that the user said, or
// the one that was found.
func (r *clusterRun) pluginOf(ctx context.Context, bed *cluster.Cluster, said []string) (clusterPlugin, error) {
	found, err := bed.Detect(ctx)
	if err != nil {
		return clusterPlugin{}, err
	}
	name := found.Name()
	if !r.o.quiet {
		fmt.Fprintf(r.p.stderr, "the cluster's plugin: %s (%s)\n", name, found.Words)
		for _, f := range found.Findings {
			fmt.Fprintf(r.p.stderr, "warning: %s\n", f.Text)
		}
	}
	if len(said) == 0 || slices.Equal(said, []string{name}) {
		return clusterPlugin{[]string{name}, []string{name}, found, true}, nil
	}
	selected, err := r.p.catalogue.Select(said)
	if err != nil {
		return clusterPlugin{}, usageError{err}
	}
	var names []string
	for _, plugin := range selected {
		names = append(names, plugin.Name)
	}
	own := slices.Contains(names, found.Plugin)
	if !own {
		fmt.Fprintf(r.p.stderr, "warning: you named %s, but %s\n", strings.Join(names, ","), found.Words)
	}
	return clusterPlugin{names, names, found, own}, nil
}

// take adds what is measured on a cluster to the catalogue, if it is missing there,
// and keeps for the record what was found of a plugin that the catalogue lacks or that
// the user calls otherwise.
func (r *clusterRun) take(bed *cluster.Cluster, p clusterPlugin) {
	name := p.names[0]
	switch {
	case p.own && len(p.names) > 1:
		bed.Call(p.found.Plugin)
	case p.own:
		bed.Call(name)
	}
	if !p.own || r.p.catalogue.Get(p.of[0]) == nil {
		r.o.detect(name, p.found)
	}
	r.know(name, p.of[0], p.found)
}

// know adds a plugin to the catalogue if it is missing there: a copy of the one that
// is called of, or one that was found on a cluster, whose encapsulation only the
// cluster or the wire shows.
func (r *clusterRun) know(name, of string, found detect.Found) {
	if r.p.catalogue.Get(name) != nil {
		return
	}
	added := plugins.Plugin{Title: "detected: " + found.Words.String(),
		Encapsulation: plugins.Encapsulation{Kind: probes.Undeclared}, Fidelity: plugins.Cluster, Deploy: notByUs}
	if known := r.p.catalogue.Get(of); known != nil {
		added = *known
	}
	added.Name, added.Aliases = name, nil
	r.p.catalogue = append(slices.Clone(r.p.catalogue), &added)
}

// detect keeps what was detected of a plugin for the record.
func (o *runOptions) detect(plugin string, found detect.Found) {
	o.detected = append(o.detected, results.Event{Name: results.EventDetected, Plugin: plugin, Topology: results.On(testbed.ClusterTopology), Text: words.Detected.With(found.Words)})
}

// notByUs is the Deploy function of a plugin that cnibench did not install.
func notByUs(context.Context, plugins.Network) (*plugins.Deployment, error) {
	return nil, errors.New("the plugin was not installed by cnibench")
}
