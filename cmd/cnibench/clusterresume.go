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

// clusterEnvironment describes a run on clusters as it would be made now. Its
// machines are the clusters' nodes.
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
		return errors.New("a run that measures one plugin after the other (--install, or several contexts) cannot be resumed: start it again")
	case len(run.Clusters) != 1 || len(run.Clusters[0].Nodes) != 2:
		return errors.New("the record does not name the cluster and the two nodes that were measured, so the run cannot be resumed: start it again")
	}
	return nil
}

// resume resumes a run on the same cluster and the same two nodes. It returns every
// reason against that before anything is written.
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
	bed.Survey(run.Asked.Nodes, run.Asked.Seed)
	d, err := bed.Describe(ctx)
	if err != nil && d.Cluster.UID+d.Cluster.CA == "" {
		return "", usageError{err}
	}
	if other := sameCluster(was, d.Cluster); other != nil {
		return "", usageError{other}
	}
	if err == nil {
		err = r.checkPlugin(ctx, bed, recorded)
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

// sameCluster returns an error if the cluster is not the one that was measured, or
// if that cannot be determined.
func sameCluster(was, now results.Cluster) error {
	same, err := detect.Same(was, now)
	switch {
	case err != nil:
		return fmt.Errorf("cannot tell whether this is the cluster that was measured, so the run is not resumed: %w", err)
	case !same:
		return errors.New("this is not the cluster that was measured: name its credentials with --kubeconfig and --context")
	}
	return nil
}

// checkPlugin checks that the cluster still runs the plugin that the run measures,
// and adds the plugin to the catalogue if it is missing there.
func (r *clusterRun) checkPlugin(ctx context.Context, bed *cluster.Cluster, recorded *results.Recorded) error {
	found, err := bed.Detect(ctx)
	if err != nil {
		return err
	}
	measured := recorded.Run.Asked.Plugins
	if !samePlugin(recorded, found) {
		return fmt.Errorf("the cluster's plugin is not the one that was measured (%s): %s", strings.Join(measured, ","), found.Words)
	}
	for _, name := range measured {
		if name == found.Name() {
			bed.Call(name)
		}
		if name != results.HostPlugin {
			r.know(name, name, found)
		}
	}
	return nil
}

// samePlugin reports whether a cluster still runs the plugin that was recorded. One
// without a name is the same if the cluster says the same of it. Old records hold
// what was said only if the plugin was not in the catalogue, or the user named another.
func samePlugin(recorded *results.Recorded, found detect.Found) bool {
	if was := recorded.Run.Clusters[0].Plugin; was != nil {
		return was.Name == found.Name() && (found.Plugin != "" || was.Text.String() == found.Words.String())
	}
	then := ""
	for _, record := range recorded.Records {
		if e := record.Event; e != nil && e.Name == results.EventDetected {
			then = e.Text.String()
		}
	}
	return slices.Contains(recorded.Run.Asked.Plugins, found.Plugin) || then == words.Detected.With(found.Words).String()
}

// attempts returns how many times a run was started so far.
func attempts(recorded *results.Recorded) int {
	n := 1
	for _, record := range recorded.Records {
		if e := record.Event; e != nil && e.Name == results.EventResumed {
			n++
		}
	}
	return n
}
