package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/report/change"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/testbed/lab"
)

// besideResume lists the flags that may be given with --resume. They do not change
// what is measured, which the record says; those of a cluster say how to reach it.
const besideResume = " resume quiet verbose format lang help kubeconfig context outside pull-secret "

// checkResume rejects flags that would change a resumed run.
func checkResume(cmd *cobra.Command) error {
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if !strings.Contains(besideResume, " "+f.Name+" ") {
			err = usage("--resume keeps the options of the recorded run; leave out --%s", f.Name)
		}
	})
	return err
}

// recorded loads the run to resume, and restores its options.
func (o *runOptions) recorded() (*results.Recorded, error) {
	dir, err := filepath.Abs(o.resume)
	if err != nil {
		return nil, usage("finding the run directory: %v", err)
	}
	recorded, err := results.Load(dir)
	if err != nil {
		return nil, usageError{fmt.Errorf("loading the run to resume: %w", err)}
	}
	if recorded.Complete() {
		return nil, usage("the run in %s is complete: there is nothing to resume", dir)
	}
	o.asked = recorded.Run.Asked
	if o.asked.Margin == 0 { // recorded before there was a margin
		o.asked.Margin = stats.DefaultMargin
	}
	o.asked.Redeploy = o.asked.Deployments() // 0 if recorded before networks could be deployed again
	if c := o.cluster; o.asked.Testbed != "cluster" && c.kubeconfig+c.context+c.outside+c.pullSecret != "" {
		return nil, usage("the run in %s was not measured on a cluster: leave out --kubeconfig, --context, --outside and --pull-secret", dir)
	}
	return recorded, nil
}

// resume prepares to resume a run in the lab and returns its directory. It reports
// what has changed since then before anything is measured.
func (r *labRun) resume(ctx context.Context, recorded *results.Recorded) (string, error) {
	asked := r.o.asked
	selected, err := scenarios.Check(&asked, r.p.catalogue)
	if err != nil {
		return "", usageError{fmt.Errorf("the run in %s cannot be resumed by this version: %w", recorded.Dir, err)}
	}
	if err := checkPrograms(r.p.bin, selected); err != nil {
		return "", err
	}
	if err := checkKernel(asked); err != nil {
		return "", err
	}
	if recorded.NextKernel() && lab.GuestMissing() != nil {
		return "", usage("the rest of the run needs a kernel of the lab's own: %v", lab.GuestMissing())
	}
	return recorded.Dir, goOn(r.p.stderr, recorded, r.environment(ctx, recorded.Run.Asked))
}

// goOn records that the run is resumed, and reports what has changed since it began.
func goOn(w io.Writer, recorded *results.Recorded, now results.Run) error {
	differs := change.Environment(recorded.Run, now)
	if _, err := results.Resume(recorded.Dir, strings.Join(differs, "; ")); err != nil {
		return usageError{err}
	}
	for _, d := range differs {
		fmt.Fprintln(w, "warning: since the run began, this has changed:", d)
	}
	return nil
}

// environment describes a run in the lab as it would be made here and now.
func (r *labRun) environment(ctx context.Context, asked results.Asked) results.Run {
	run := results.Run{Asked: asked, Host: lab.Machine(), Versions: lab.Versions(ctx, r.p.bin),
		Metrics: catalogue.Metrics(asked.Probes), CongestionControl: hot.CongestionControl}
	run.Versions["cnibench"] = version
	run.Host.Privilege = "user namespace"
	if lab.Privileged() {
		run.Host.Privilege = "root"
	}
	return run
}
