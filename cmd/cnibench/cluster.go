package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/testbed/cluster"
)

// clusterFlags say which cluster is meant, as kubectl's do.
type clusterFlags struct {
	kubeconfig, context, image, pullSecret string
	unprivileged                           bool
}

func (c *clusterFlags) connection(f *pflag.FlagSet) {
	f.StringVar(&c.kubeconfig, "kubeconfig", "", "file with the cluster's credentials (default KUBECONFIG, then ~/.kube/config)")
	f.StringVar(&c.context, "context", "", "context of that file")
}

func (c *clusterFlags) flags(f *pflag.FlagSet) {
	c.connection(f)
	f.StringVar(&c.image, "image", defaultImage(), "cluster: image that holds this program (cnibench image makes one)")
	f.StringVar(&c.pullSecret, "pull-secret", "", "cluster: name of the secret to pull the image with")
	f.BoolVar(&c.unprivileged, "unprivileged", false, "cluster: no pods in the nodes' network; without them there is no baseline and nobody looks at the wire")
}

// forCluster fits what was asked to a cluster: its links and nodes are as they
// are.
func forCluster(f *pflag.FlagSet, a *results.Asked) error {
	for _, name := range []string{"topology", "wire", "mtu", "nodes", "placement", "control", "kernel"} {
		if f.Changed(name) {
			return usage("--%s is for the lab: a cluster's network is as it is", name)
		}
	}
	a.Testbed, a.Topology, a.Wire = "cluster", []string{testbed.ClusterTopology}, []string{results.WireNone}
	if !f.Changed("probes") {
		a.Probes = scenarios.ClusterSuite()
	}
	return nil
}

// measureCluster checks what was asked, connects, and measures the cluster.
func (p *program) measureCluster(ctx context.Context, o *runOptions) (dir string, err error) {
	config := cluster.Config{Kubeconfig: o.cluster.kubeconfig, Context: o.cluster.context, Image: o.cluster.image,
		PullSecret: o.cluster.pullSecret, Unprivileged: o.cluster.unprivileged, Life: lifeOf(o.asked)}
	var journal *results.Journal
	config.Event = func(e results.Event) { journal.Append(results.Record{Event: &e}) }
	bed, err := cluster.New(ctx, config)
	if err != nil {
		return "", usageError{err}
	}
	if err := p.nameClusterPlugin(ctx, bed, o); err != nil {
		return "", err
	}
	if _, err := scenarios.Check(&o.asked, p.catalogue); err != nil {
		return "", usageError{err}
	}
	if o.dryRun {
		p.printPlan(*o)
		return "", nil
	}
	if left, err := bed.Clean(ctx); err != nil || len(left) > 0 {
		fmt.Fprintf(p.stderr, "removed what an earlier run left: %s\n", strings.Join(left, ", "))
		if err != nil {
			return "", err
		}
	}
	if dir, err = p.prepare(ctx, o); err != nil {
		return "", err
	}
	run, opened, err := results.Open(dir)
	if err != nil {
		return "", err
	}
	journal = opened
	defer func() { err = errors.Join(err, journal.Close()) }()
	bed.Record(run.ID, filepath.Join(dir, results.LogDir))
	progress := p.stderr
	if o.quiet {
		progress = io.Discard
	}
	bar := newProgress(progress)
	bar.verbose = o.verbose
	defer bar.close()
	ran := scenarios.Run(ctx, scenarios.Config{Asked: run.Asked, Catalogue: p.catalogue, Testbed: bed, Journal: journal,
		CPUs: []int{-1}, Progress: bar.show, Took: bar.took})
	return dir, errors.Join(ran, bed.Close())
}

// lifeOf is a generous bound of how long a run takes: its pods end then.
func lifeOf(a results.Asked) time.Duration {
	rounds := max(a.Rounds, a.MaxRounds)
	return 15*time.Minute + 4*time.Duration(rounds*len(a.Probes))*(a.Duration.Duration()+time.Second)
}

// nameClusterPlugin finds out what connects the cluster's pods unless the
// person has said it. What the catalogue does not know is measured all the
// same.
func (p *program) nameClusterPlugin(ctx context.Context, bed *cluster.Cluster, o *runOptions) error {
	found, err := bed.Detect(ctx)
	if err != nil {
		return err
	}
	if len(o.asked.Plugins) > 0 {
		if !slices.Contains(o.asked.Plugins, found.Plugin) {
			fmt.Fprintf(p.stderr, "warning: you name %s, but %s\n", strings.Join(o.asked.Plugins, ","), found.Words)
		}
		return nil
	}
	name := found.Plugin
	if p.catalogue.Get(name) == nil {
		name = "unknown"
		p.catalogue = append(slices.Clone(p.catalogue), &plugins.Plugin{Name: name, Title: "unknown (detected: " + found.Words + ")",
			Encapsulation: plugins.None, Fidelity: plugins.Cluster, Deploy: notByUs})
	}
	o.asked.Plugins = []string{name}
	return nil
}

// notByUs stands for how a plugin came to be there.
func notByUs(context.Context, plugins.Network) (*plugins.Deployment, error) {
	return nil, errors.New("the plugin was installed by somebody else")
}
