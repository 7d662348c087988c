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

// namePlugins detects what connects each cluster's pods, unless the user has named it. A plugin
// that is not in the catalogue is measured all the same.
func (r *clusterRun) namePlugins(ctx context.Context, contexts []contextOf) error {
	said := r.o.asked.Plugins
	r.o.asked.Plugins, r.o.asked.Contexts = nil, nil
	for i, bed := range r.beds {
		if contexts[i].plugin != "" {
			said = []string{contexts[i].plugin}
		}
		names, err := r.pluginsOf(ctx, bed, said)
		if err != nil {
			return err
		}
		if len(r.beds) > 1 {
			if len(names) != 1 || slices.Contains(r.o.asked.Plugins, names[0]) {
				return usage("with several clusters, each must have one plugin with a name of its own; %s has %s", contexts[i].name, strings.Join(names, ","))
			}
			r.o.asked.Contexts = append(r.o.asked.Contexts, contextOf{contexts[i].name, names[0]}.String())
		}
		r.o.asked.Plugins = append(r.o.asked.Plugins, names...)
	}
	return nil
}

// pluginsOf returns the plugins of one cluster by their names in the catalogue.
func (r *clusterRun) pluginsOf(ctx context.Context, bed *cluster.Cluster, said []string) ([]string, error) {
	found, err := bed.Detect(ctx)
	if err != nil {
		return nil, err
	}
	if !r.o.quiet {
		fmt.Fprintf(r.p.stderr, "the cluster's plugin: %s\n", found.Words)
	}
	if len(said) > 0 {
		selected, err := r.p.catalogue.Select(said)
		if err != nil {
			return nil, usageError{err}
		}
		var names []string
		for _, plugin := range selected {
			names = append(names, plugin.Name)
		}
		if !slices.Contains(names, found.Plugin) {
			r.o.detect(names[0], found)
			fmt.Fprintf(r.p.stderr, "warning: you named %s, but %s\n", strings.Join(names, ","), found.Words)
		}
		return names, nil
	}
	name := found.Plugin
	if r.p.catalogue.Get(name) == nil {
		name = unknownPlugin
		r.o.detect(name, found)
		r.p.catalogue = append(slices.Clone(r.p.catalogue), &plugins.Plugin{Name: name, Title: "unknown (detected: " + found.Words.String() + ")",
			Encapsulation: plugins.Encapsulation{Kind: probes.Undeclared}, Fidelity: plugins.Cluster, Deploy: notByUs})
	}
	return []string{name}, nil
}

// detect keeps what a cluster reports about its plugin for the record.
func (o *runOptions) detect(plugin string, found detect.Found) {
	o.detected = append(o.detected, results.Event{Name: results.EventDetected, Plugin: plugin, Topology: testbed.ClusterTopology, Text: words.Detected.With(found.Words)})
}

// notByUs is the Deploy function of a plugin that was detected on a cluster.
func notByUs(context.Context, plugins.Network) (*plugins.Deployment, error) {
	return nil, errors.New("the plugin was not installed by this run")
}
