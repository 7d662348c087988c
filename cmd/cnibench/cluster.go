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

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/testbed/cluster"
	"github.com/cnibench/cnibench/words"
)

// clusterRun is a run on clusters, one after the other.
type clusterRun struct {
	p       *program
	o       *runOptions
	beds    []*cluster.Cluster
	journal *results.Journal // nil until it is open
}

// event records an event of a cluster, and says what a plugin has left. If the
// journal cannot be written, the next sample fails to be recorded and reports it.
func (r *clusterRun) event(e results.Event) {
	if e.Name == results.EventLeftovers {
		fmt.Fprintf(r.p.stderr, "\nwarning: %s\n", e.Text)
	}
	if r.journal != nil {
		r.journal.Append(results.Record{Time: time.Now(), Event: &e})
	}
}

// measure checks what was asked for, connects, and measures the clusters one
// after the other.
func (r *clusterRun) measure(ctx context.Context) (dir string, err error) {
	o := r.o
	contexts, err := r.p.clusterAsked(o)
	if err != nil {
		return "", err
	}
	r.p.catalogue = slices.Concat(r.p.catalogue, o.cluster.install.plugins)
	for _, c := range contexts {
		config, err := o.clusterConfig(c.name)
		if err != nil {
			return "", err
		}
		config.Event = r.event
		bed, err := cluster.New(ctx, config)
		if err != nil {
			return "", usageError{err}
		}
		r.beds = append(r.beds, bed)
	}
	if o.standard {
		if err := r.leaveOut(ctx); err != nil {
			return "", usageError{err}
		}
	}
	if len(o.asked.Install) == 0 {
		if err := r.namePlugins(ctx, contexts); err != nil {
			return "", err
		}
	}
	if _, err := scenarios.Check(&o.asked, r.p.catalogue); err != nil {
		return "", usageError{err}
	}
	described, err := r.describe(ctx)
	if err != nil {
		return "", usageError{err}
	}
	if o.dryRun {
		printPlan(r.p.stdout, o.asked)
		return "", nil
	}
	if err := r.ready(ctx); err != nil {
		return "", err
	}
	if dir, err = prepare(o.out, clusterEnvironment(o.asked, described...)); err != nil {
		return "", err
	}
	return dir, r.measureIn(ctx, dir, nil)
}

// describe chooses the nodes of each cluster. From then on, what was asked for has the
// number of nodes that a survey covers; of two, there is none in the standard suite.
func (r *clusterRun) describe(ctx context.Context) ([]cluster.Description, error) {
	a := &r.o.asked
	var all []cluster.Description
	most := 2
	for _, bed := range r.beds {
		bed.Survey(a.Nodes, a.Seed)
		d, err := bed.Describe(ctx)
		if err != nil {
			return nil, err
		}
		all, most = append(all, d), max(most, d.Surveyed)
		if d.Beyond > 0 {
			r.o.detected = append(r.o.detected, results.Event{Name: results.EventLeftOut, Text: words.SurveyBeyond.With(d.Beyond)})
		}
	}
	if a.Pairs > 0 && most < 3 {
		return nil, errors.New("--pairs needs at least three nodes that take pods, and the cluster has two")
	}
	if a.Nodes = most; most == 2 && r.o.standard {
		a.Probes = slices.DeleteFunc(a.Probes, func(name string) bool { return name == "survey" })
	}
	return all, nil
}

// measureIn carries out the run in dir on the connected clusters, or resumes it if
// recorded is not nil.
func (r *clusterRun) measureIn(ctx context.Context, dir string, recorded *results.Recorded) (err error) {
	run, journal, err := results.Open(dir)
	if err != nil {
		return err
	}
	r.journal = journal
	defer func() { err = errors.Join(err, journal.Close()) }()
	for _, e := range r.o.detected {
		if err := journal.Append(results.Record{Time: time.Now(), Event: &e}); err != nil {
			return fmt.Errorf("writing the journal: %w", err)
		}
	}
	progress := r.p.stderr
	if r.o.quiet {
		progress = io.Discard
	}
	bar := newProgress(progress)
	bar.verbose = r.o.verbose
	defer bar.close()
	err = scenarios.Run(ctx, scenarios.Config{Asked: run.Asked, Catalogue: r.p.catalogue, Phases: clusterPhases(r.beds, run, recorded, dir), Journal: journal,
		CPUs: []int{-1}, Progress: bar.show, Took: bar.took, Recorded: recorded})
	for _, bed := range r.beds {
		closed := bed.Close()
		if closed != nil && ctx.Err() != nil { // an interrupted run prints no error otherwise
			fmt.Fprintf(r.p.stderr, "cnibench: %v\n", closed)
		}
		err = errors.Join(err, closed)
	}
	if ctx.Err() != nil && !r.o.quiet && resumable(run) == nil {
		hint := "cnibench run --resume " + dir
		if r.o.cluster.outside != "" {
			hint += ", with --outside as before"
		}
		fmt.Fprintln(r.p.stderr, "to resume:", hint)
	}
	return err
}

// clusterPhases divides the run into phases: one for each cluster if there are
// several. Two contexts may lead to the same cluster, so each gets a name of its
// own there.
//
// A resumed run gets a new name too: what it left may still be there.
func clusterPhases(beds []*cluster.Cluster, run *results.Run, recorded *results.Recorded, dir string) []scenarios.Phase {
	phases := scenarios.Phases(beds[0], run.Asked)
	logs := filepath.Join(dir, results.LogDir)
	if len(beds) == 1 {
		name := run.ID
		if recorded != nil {
			name += fmt.Sprintf("-%d", attempts(recorded)+1)
		}
		beds[0].Record(name, logs)
		return phases
	}
	for i, bed := range beds {
		phases[i].Testbed = bed
		bed.Record(fmt.Sprintf("%s-%d", run.ID, i+1), filepath.Join(logs, fmt.Sprintf("context-%d", i+1)))
	}
	return phases
}

// ready removes what earlier runs left, and checks that plugins may be installed.
func (r *clusterRun) ready(ctx context.Context) error {
	for _, bed := range r.beds {
		if err := r.cleanBefore(ctx, bed); err != nil {
			return err
		}
		if len(r.o.asked.Install) > 0 {
			if err := bed.CheckDisposable(ctx); err != nil {
				return usageError{err}
			}
			fmt.Fprintf(r.p.stderr, "installing %s, one after the other, changes the network of all nodes by pods with NET_ADMIN; what flannel and Calico leave is removed, and what else is left is listed\n",
				strings.Join(r.o.asked.Install, ", "))
		}
	}
	return nil
}

// cleanBefore removes what earlier runs left. If that fails, it prints a warning
// and the run continues.
func (r *clusterRun) cleanBefore(ctx context.Context, bed *cluster.Cluster) error {
	left, err := bed.Clean(ctx)
	if len(left) > 0 {
		fmt.Fprintf(r.p.stderr, "removed what an earlier run left: %s\n", strings.Join(left, ", "))
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintf(r.p.stderr, "warning: cannot remove what an earlier run left; this run continues beside it: %v\n", err)
	}
	return ctx.Err()
}

// lifeOf returns a generous bound on how long a run takes; its pods end after
// that time.
func lifeOf(a results.Asked) time.Duration {
	rounds := max(a.Rounds, a.MaxRounds)
	samples := rounds * len(a.Probes) * len(a.Topology) * max(len(a.Install), len(a.Contexts), 1)
	return 15*time.Minute + 4*time.Duration(samples)*(a.Duration.Duration()+time.Second)
}
