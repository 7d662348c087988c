package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cnibench/cnibench/report"
	"github.com/cnibench/cnibench/report/accept"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
)

var acceptFormats = []string{"text", "json", "junit"}

// acceptOptions are what the command line says of an acceptance test.
type acceptOptions struct {
	spec, against, format, out string
	explain, quiet             bool

	cluster clusterFlags
	flags   *pflag.FlagSet
}

func (p *program) acceptCommand() *cobra.Command {
	var o acceptOptions
	cmd := &cobra.Command{
		Use:   "accept -f SPEC [RUN]",
		Short: "Check a run (or make one) against thresholds",
		Long: `Hold the run in directory RUN against the thresholds of a spec file; without
RUN, make one as the spec's run section says, in the lab, or on a cluster if it
says "testbed: cluster" or a flag names one. Thresholds are decided on the
bounds of intervals. Exit code 0: all pass; 3: one fails; 4: none fails, but one
is inconclusive.`,
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
			return p.accept(cmd.Context(), o, args)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.spec, "file", "f", "", "spec file (YAML); --explain prints what may stand in it")
	f.StringVar(&o.against, "against", "", "directory of an earlier run, for thresholds of it")
	f.StringVar(&o.format, "format", "text", "how to print the outcome: "+strings.Join(acceptFormats, ", "))
	f.StringVar(&o.out, "out", "", "directory of the run that is made (default results/runs/<time>-<id>)")
	f.BoolVar(&o.explain, "explain", false, "print what a spec may hold")
	f.BoolVarP(&o.quiet, "quiet", "q", false, "no progress")
	o.cluster.flags(f)
	return cmd
}

// accept judges a run; the exit code is the verdict.
func (p *program) accept(ctx context.Context, o acceptOptions, args []string) error {
	if err := oneFormat(o.format, acceptFormats); err != nil {
		return err
	}
	if o.spec == "" {
		return usage("accept needs a spec: -f SPEC (--explain prints what may stand in it)")
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
	earlier, err := p.earlier(o, spec)
	if err != nil {
		return err
	}
	dir, err := p.acceptedRun(ctx, o, spec, *alone.Run, args)
	if err != nil {
		return err
	}
	_, made, err := p.load(dir)
	if err != nil {
		return err
	}
	outcome := accept.Judge(spec, made, earlier, p.catalogue)
	render := map[string]func(io.Writer) error{"text": outcome.Text, "json": outcome.JSON, "junit": outcome.JUnit}[o.format]
	if err := render(p.stdout); err != nil {
		return fmt.Errorf("printing the outcome: %w", err)
	}
	switch outcome.Verdict {
	case accept.Pass:
		return nil
	case accept.Fail:
		return exitStatus(exitFailed)
	}
	return exitStatus(exitUnknown)
}

// earlier loads the run that thresholds of an earlier one refer to, if any.
func (p *program) earlier(o acceptOptions, spec *accept.Spec) (*report.Report, error) {
	dir := spec.Against
	if o.against != "" {
		dir = o.against
	}
	if dir == "" || !spec.NeedsEarlier() {
		return nil, nil
	}
	_, made, err := p.load(dir)
	if err != nil {
		return nil, fmt.Errorf("the earlier run: %w", err)
	}
	return made, nil
}

// acceptedRun is the directory of the run to judge, which may be made first. alone
// is what the spec's run section says, without defaults.
func (p *program) acceptedRun(ctx context.Context, o acceptOptions, spec *accept.Spec, alone results.Asked, args []string) (string, error) {
	if len(args) == 1 {
		return args[0], nil
	}
	c := o.cluster
	if !spec.MeasuresItself() && c.context+c.kubeconfig+c.namespace == "" {
		return "", usage("name a run directory: the spec %s has no run section with plugins", o.spec)
	}
	ran := runOptions{asked: *spec.Run, out: o.out, quiet: o.quiet, cluster: c}
	if err := p.fitTestbed(&ran, saidBy(o.flags, o.spec, alone)); err != nil {
		return "", err
	}
	if err := p.checkDecidable(o, spec, ran.asked); err != nil {
		return "", err
	}
	dir, err := p.measure(ctx, &ran)
	if err != nil {
		return "", err
	}
	return dir, p.keepReport(dir)
}
