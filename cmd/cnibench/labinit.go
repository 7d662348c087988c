package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/testbed/lab"
)

// labOptions are the options of a lab's init.
type labOptions struct {
	try, uml, guest, next bool
	hint                  string
	quiet, verbose        bool
	lines                 bool // print progress as lines, whatever the output is
}

// arguments returns the options as command-line arguments for init.
func (o labOptions) arguments() []string {
	args := []string{"--hint=" + o.hint}
	for name, set := range map[string]bool{"--try-features": o.try, lab.UMLFlag: o.uml, lab.GuestFlag: o.guest, "--next-kernel": o.next,
		"--quiet": o.quiet, "--verbose": o.verbose, "--lines": o.lines} {
		if set {
			args = append(args, name)
		}
	}
	return args
}

// labInitCommand runs inside a lab, as PID 1 of its namespaces.
func labInitCommand(p *program) *cobra.Command {
	var o labOptions
	cmd := &cobra.Command{
		Use:    lab.InitCommand + " [DIR]",
		Short:  "Run as the init of a lab",
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
			if o.uml {
				return inGuest(ctx, p, dir, o)
			}
			if o.try {
				return reportFeatures(p.stdout)
			}
			return inLab(ctx, p, dir, o)
		},
	}
	cmd.Flags().BoolVar(&o.try, "try-features", false, "print the missing kernel features as JSON")
	cmd.Flags().BoolVar(&o.uml, lab.UMLFlag[2:], false, "run in User-Mode Linux")
	cmd.Flags().BoolVar(&o.guest, lab.GuestFlag[2:], false, "this is User-Mode Linux")
	cmd.Flags().BoolVar(&o.next, "next-kernel", false, "another kernel measures what this one does not support")
	cmd.Flags().StringVar(&o.hint, "hint", "", "the command that installs one")
	cmd.Flags().StringVar(&p.bin, "bin", p.bin, "directory of the plugins' programs")
	cmd.Flags().BoolVar(&o.lines, "lines", false, "print a line for every phase instead of a progress bar")
	cmd.Flags().BoolVar(&o.quiet, "quiet", false, "do not show progress")
	cmd.Flags().BoolVar(&o.verbose, "verbose", false, "print a line for every sample")
	return cmd
}

// inGuest boots User-Mode Linux and does there what this init was asked to do.
func inGuest(ctx context.Context, p *program, dir string, o labOptions) error {
	inside := o
	inside.uml, inside.guest = false, true
	// Inside, init's output is a terminal, whatever it is connected to here.
	inside.lines = newProgress(p.stderr).fd < 0
	args := append(inside.arguments(), "--bin="+p.bin)
	log := ""
	if dir != "" {
		args = append(args, dir)
		log = lab.GuestLogPath(filepath.Join(dir, results.LogDir))
		lock, err := results.Lock(dir)
		if err != nil {
			return err
		}
		defer lock.Close()
	}
	status, err := lab.Boot(ctx, p.stdout, p.stderr, dir, log, args...)
	if err == nil && status != 0 {
		return exitStatus(status) // the error has already been printed
	}
	return err
}

// guestCommand is the init of User-Mode Linux.
func guestCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:    lab.GuestCommand,
		Short:  "Run as the init of User-Mode Linux",
		Hidden: true,
		Args:   cobra.ArbitraryArgs, // the kernel adds its own
		Run:    func(cmd *cobra.Command, args []string) { lab.Guest(cmd.Context()) },
	}
}

// inLab carries out, or continues, the run described by the directory's run.json.
func inLab(ctx context.Context, p *program, dir string, o labOptions) (err error) {
	recorded, journal, err := results.Continue(dir)
	if err != nil {
		return err
	}
	defer func() {
		if closed := journal.Close(); !errors.Is(err, closed) { // do not report an error of the journal twice
			err = errors.Join(err, closed)
		}
	}()
	run := recorded.Run
	cpus, err := allowedCPUs()
	if err != nil {
		return err
	}
	kernel, logs := "", filepath.Join(dir, results.LogDir)
	if o.guest { // its networks may have the same names as those in the other kernel
		kernel = lab.GuestName()
		logs = filepath.Join(logs, results.FileName(kernel))
	}
	bed, err := lab.New(lab.Config{
		Bin: p.bin, Logs: logs,
		Nodes: run.Asked.Nodes, MTU: run.Asked.MTU, Link: run.Asked.Link, Versions: run.Versions, Guest: o.guest, Hint: o.hint,
		Event: func(e results.Event) { journal.Append(results.Record{Time: time.Now(), Kernel: kernel, Event: &e}) },
	})
	if err != nil {
		return err
	}
	var progress io.Writer = p.stderr
	if o.quiet {
		progress = io.Discard
	}
	bar := newProgress(progress)
	bar.verbose = o.verbose
	if o.lines {
		bar.fd = -1
	}
	defer bar.close()
	err = scenarios.Run(ctx, scenarios.Config{
		Asked: run.Asked, Catalogue: p.catalogue, Phases: scenarios.Phases(bed, run.Asked), Journal: journal, CPUs: cpus, Progress: bar.show,
		Recorded: recorded, Took: bar.took, Kernel: kernel, NextKernel: o.next,
	})
	return errors.Join(err, bed.Close())
}

// allowedCPUs returns the CPUs that this process may run on.
func allowedCPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("determining the allowed CPUs: %w", err)
	}
	var cpus []int
	for i := range len(set) * 64 {
		if set.IsSet(i) {
			cpus = append(cpus, i)
		}
	}
	return cpus, nil
}
