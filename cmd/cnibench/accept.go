package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cnibench/cnibench/report/accept"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
)

var acceptFormats = []string{"text", "json", "junit"}

// acceptOptions are the command-line options of an acceptance test.
type acceptOptions struct {
	spec, against, format, out string
	explain, quiet             bool

	cluster clusterFlags
	flags   *pflag.FlagSet
}

func acceptCommand(p *program) *cobra.Command {
	var o acceptOptions
	cmd := &cobra.Command{
		Use:   "accept -f SPEC [RUN]",
		Short: "Check a recorded or new run against thresholds",
		Long: `Check the run in directory RUN against the thresholds of a spec file. Without
RUN, first make the run that the spec's run section describes, in the lab, or on
a cluster if the spec says "testbed: cluster" or a flag selects one. Thresholds
are decided on the bounds of intervals. Exit code 0: all pass; 3: at least one
fails; 4: none fails, but at least one is inconclusive.`,
		Example: `  cnibench accept -f acceptance.yaml results/runs/20260102T030405Z-abcdef
  cnibench accept -f acceptance.yaml --format junit > junit.xml
  cnibench accept --explain`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.explain {
				_, err := io.WriteString(p.stdout, accept.Explain())
				return err
			}
			if len(args) > 1 {
				return usage("accept takes at most one run directory")
			}
			o.flags = cmd.Flags()
			return (&acceptance{p, o}).judge(cmd.Context(), args)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.spec, "file", "f", "", "spec file (YAML); --explain describes its format")
	f.StringVar(&o.against, "against", "", "directory of an earlier run, for thresholds that refer to one")
	f.StringVar(&o.format, "format", "text", "output format: "+strings.Join(acceptFormats, ", "))
	f.StringVar(&o.out, "out", "", "directory of the new run (default results/runs/<time>-<id>)")
	f.BoolVar(&o.explain, "explain", false, "describe the format of a spec")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "do not show progress")
	o.cluster.flags(f)
	return cmd
}

// acceptance is one acceptance test.
type acceptance struct {
	p *program
	o acceptOptions
}

// judge decides all thresholds and exits with the verdict.
func (a *acceptance) judge(ctx context.Context, args []string) error {
	o := a.o
	if err := oneFormat(o.format, acceptFormats); err != nil {
		return err
	}
	if o.spec == "" {
		return usage("accept needs a spec: -f SPEC (--explain describes its format)")
	}
	text, err := os.ReadFile(o.spec)
	if err != nil {
		return usage("reading the spec: %v", err)
	}
	spec, err := accept.Parse(text, scenarios.Defaults())
	if err != nil {
		return usage("%s: %s", o.spec, oneLine(err))
	}
	alone, err := accept.Parse(text, results.Asked{})
	if err != nil {
		return usage("%s: %s", o.spec, oneLine(err))
	}
	if err := a.checkFlags(spec, args); err != nil {
		return err
	}
	earlier, err := a.earlier(spec)
	if err != nil {
		return err
	}
	dir, err := a.run(ctx, spec, *alone.Run, args)
	if err != nil {
		return err
	}
	return a.decide(spec, dir, len(args) == 0, earlier)
}

// decide prints the outcome of the spec for the run in dir. If the run was made for the spec,
// decide also stores its report.
func (a *acceptance) decide(spec *accept.Spec, dir string, made bool, earlier *model.Report) error {
	p := a.p
	_, loaded, err := p.load(dir)
	if err != nil {
		return err
	}
	outcome := accept.Judge(spec, loaded, earlier, p.catalogue)
	render := map[string]func(io.Writer) error{"text": outcome.Text, "json": outcome.JSON, "junit": outcome.JUnit}[a.o.format]
	if err := render(p.stdout); err != nil {
		return fmt.Errorf("printing the outcome: %w", err)
	}
	if made {
		// The exit code is the verdict, whether or not the report can be stored.
		if err := keep(dir, loaded, nil); err != nil {
			fmt.Fprintf(p.stderr, "warning: %s\n", oneLine(err))
		}
	}
	switch outcome.Verdict {
	case accept.Pass:
		return nil
	case accept.Fail:
		return exitStatus(exitFailed)
	}
	return exitStatus(exitUnknown)
}

// checkFlags rejects flags that would have no effect.
func (a *acceptance) checkFlags(spec *accept.Spec, args []string) error {
	if a.o.against != "" && !spec.NeedsEarlier() {
		return usage("--against is set, but no threshold of %s refers to an earlier run", a.o.spec)
	}
	if len(args) == 0 {
		return nil
	}
	var err error
	a.o.flags.Visit(func(f *pflag.Flag) {
		if !slices.Contains([]string{"file", "against", "format", "quiet"}, f.Name) {
			err = usage("--%s only applies to a new run, but %s is already recorded: leave one of them out", f.Name, args[0])
		}
	})
	return err
}

// earlier loads the earlier run that thresholds refer to, if any.
func (a *acceptance) earlier(spec *accept.Spec) (*model.Report, error) {
	dir := cmp.Or(a.o.against, spec.Against)
	if dir == "" || !spec.NeedsEarlier() {
		return nil, nil
	}
	_, made, err := a.p.load(dir)
	if err != nil {
		return nil, fmt.Errorf("loading the earlier run: %w", err)
	}
	return made, nil
}

// run returns the directory of the run to judge, after making the run if necessary. alone is the
// spec's run section without defaults.
func (a *acceptance) run(ctx context.Context, spec *accept.Spec, alone results.Asked, args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	o, c := a.o, a.o.cluster
	if !spec.MeasuresItself() && c.context+c.kubeconfig+c.namespace == "" {
		return "", usage("name a run directory: the spec %s has no run section with plugins", o.spec)
	}
	ran := runOptions{asked: *spec.Run, out: o.out, quiet: o.quiet, cluster: c}
	if err := a.p.fitTestbed(&ran, saidBy(o.flags, o.spec, alone)); err != nil {
		return "", err
	}
	if err := a.checkDecidable(spec, ran.asked); err != nil {
		return "", err
	}
	dir, err := a.p.measure(ctx, &ran)
	if err != nil {
		return "", err
	}
	return dir, nil
}
