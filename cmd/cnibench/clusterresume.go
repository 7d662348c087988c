package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/testbed/cluster"
	"github.com/cnibench/cnibench/testbed/cluster/detect"
	"github.com/cnibench/cnibench/words"
)

// clusterEnvironment describes a run on clusters as it would be made now. Its machines are the
// clusters' nodes.
func clusterEnvironment(asked results.Asked, described ...cluster.Description) results.Run {
	run := results.Run{Asked: asked, Versions: map[string]string{"cnibench": version}, Metrics: catalogue.Metrics(asked.Probes),
		CongestionControl: hot.CongestionControl}
	var nodes []results.ClusterNode
	for _, d := range described {
		run.Clusters = append(run.Clusters, d.Cluster)
		nodes = append(nodes, d.Seen...)
	}
	run.Host = detect.Host(nodes)
	return run
}

// resumable returns why a run on clusters cannot be resumed, or nil if it can.
func resumable(run *results.Run) error {
	switch {
	case run.Asked.Apart():
		return errors.New("a run that measures one plugin after the other (--install, or several contexts) cannot be resumed: start a new run")
	case len(run.Clusters) != 1 || len(run.Clusters[0].Nodes) != 2:
		return errors.New("the record does not name the cluster and the two nodes that were measured, so the run cannot be resumed: start a new run")
	}
	return nil
}

// resume continues a run on the same cluster and the same two nodes. It checks for all obstacles
// before it writes anything.
func (r *clusterRun) resume(ctx context.Context, recorded *results.Recorded) (string, error) {
	o, run := r.o, &recorded.Run
	if err := resumable(run); err != nil {
		return "", usageError{err}
	}
	if err := o.cluster.over(&o.asked); err != nil {
		return "", err
	}
	was := run.Clusters[0]
	config, err := o.clusterConfig(cmp.Or(o.cluster.context, was.Context))
	if err != nil {
		return "", err
	}
	config.Event = r.event
	for _, n := range was.Nodes {
		config.Nodes = append(config.Nodes, n.Name)
	}
	bed, err := cluster.New(ctx, config)
	if err != nil {
		return "", usageError{err}
	}
	r.beds = []*cluster.Cluster{bed}
	d, err := bed.Describe(ctx)
	if err != nil && d.Cluster.UID+d.Cluster.CA == "" {
		return "", usageError{err}
	}
	if other := sameCluster(was, d.Cluster); other != nil {
		return "", usageError{other}
	}
	if err == nil {
		err = r.samePlugin(ctx, bed, recorded)
	}
	if err == nil {
		_, err = scenarios.Check(&o.asked, r.p.catalogue)
	}
	if err != nil {
		return "", usageError{fmt.Errorf("the run in %s cannot be resumed: %w", recorded.Dir, err)}
	}
	if err := goOn(r.p.stderr, recorded, clusterEnvironment(run.Asked, d)); err != nil {
		return "", err
	}
	if err := r.cleanBefore(ctx, bed); err != nil {
		return "", err
	}
	return recorded.Dir, r.measureIn(ctx, recorded.Dir, recorded)
}

// sameCluster returns an error if a cluster is not the one that was measured or cannot be
// identified.
func sameCluster(was, now results.Cluster) error {
	same, err := detect.Same(was, now)
	switch {
	case err != nil:
		return fmt.Errorf("cannot tell whether this is the cluster that was measured, so the run is not resumed: %w", err)
	case !same:
		return errors.New("this is not the cluster that was measured: select that one with --kubeconfig and --context")
	}
	return nil
}

// samePlugin checks that the cluster's pods are still connected by the plugin that the run
// measures, and adds that plugin to the catalogue if necessary.
func (r *clusterRun) samePlugin(ctx context.Context, bed *cluster.Cluster, recorded *results.Recorded) error {
	found, err := bed.Detect(ctx)
	if err != nil {
		return err
	}
	quiet := clusterRun{p: r.p, o: &runOptions{quiet: true}}
	names, err := quiet.pluginsOf(ctx, bed, nil)
	if err != nil {
		return err
	}
	then := ""
	for _, record := range recorded.Records {
		if e := record.Event; e != nil && e.Name == results.EventDetected {
			then = e.Text.String()
		}
	}
	known := found.Plugin == names[0] && slices.Contains(recorded.Run.Asked.Plugins, found.Plugin)
	if !known && then != words.Detected.With(found.Words).String() {
		return fmt.Errorf("the cluster's plugin is not the one that was measured (%s): %s", strings.Join(recorded.Run.Asked.Plugins, ","), found.Words)
	}
	return nil
}

// attempts counts how often a run was started so far.
func attempts(recorded *results.Recorded) int {
	n := 1
	for _, record := range recorded.Records {
		if e := record.Event; e != nil && e.Name == results.EventResumed {
			n++
		}
	}
	return n
}
