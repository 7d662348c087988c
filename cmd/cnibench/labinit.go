package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/testbed/lab"
)

// labInitCommand is the inside of a lab: PID 1 of its namespaces.
func (p *program) labInitCommand() *cobra.Command {
	var try, quiet, verbose bool
	cmd := &cobra.Command{
		Use:    lab.InitCommand + " [DIR]",
		Short:  "Be the init of a lab",
		Hidden: true,
		Args:   cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := ""
			if len(args) == 1 {
				dir = args[0]
			}
			ctx, err := lab.Enter(cmd.Context(), dir)
			if err != nil {
				return err
			}
			if try {
				return p.reportFeatures()
			}
			progress := p.stderr
			if quiet {
				progress = io.Discard
			}
			return p.inLab(ctx, dir, progress, verbose)
		},
	}
	cmd.Flags().BoolVar(&try, "try-features", false, "print what the kernel lacks, as JSON")
	cmd.Flags().StringVar(&p.bin, "bin", p.bin, "folder of the plugins' programs")
	cmd.Flags().BoolVar(&quiet, "quiet", false, "no progress")
	cmd.Flags().BoolVar(&verbose, "verbose", false, "a line for every sample")
	return cmd
}

// inLab carries out the run that the directory's run.json asks for, or goes on
// with it.
func (p *program) inLab(ctx context.Context, dir string, progress io.Writer, verbose bool) (err error) {
	recorded, err := results.Load(dir)
	if err != nil {
		return err
	}
	run, journal, err := results.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	cpus, err := allowedCPUs()
	if err != nil {
		return err
	}
	bed, err := lab.New(lab.Config{
		Bin: p.bin, Logs: filepath.Join(dir, results.LogDir),
		Nodes: run.Asked.Nodes, MTU: run.Asked.MTU, Versions: run.Versions,
		Event: func(e results.Event) { journal.Append(results.Record{Event: &e}) },
	})
	if err != nil {
		return err
	}
	bar := newProgress(progress)
	bar.verbose = verbose
	defer bar.close()
	err = scenarios.Run(ctx, scenarios.Config{
		Asked: run.Asked, Catalogue: p.catalogue, Phases: scenarios.Phases(bed, run.Asked), Journal: journal, CPUs: cpus, Progress: bar.show,
		Recorded: recorded, Took: bar.took,
	})
	return errors.Join(err, bed.Close())
}

// allowedCPUs are the CPUs that this process may run on.
func allowedCPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("asking which CPUs may be used: %w", err)
	}
	var cpus []int
	for i := range len(set) * 64 {
		if set.IsSet(i) {
			cpus = append(cpus, i)
		}
	}
	return cpus, nil
}
