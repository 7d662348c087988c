package main

import (
	"context"
	"fmt"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/testbed/lab"
)

// labRun is a run in the lab.
type labRun struct {
	p *program
	o *runOptions
}

// measure makes a run, or continues a recorded one.
func (r *labRun) measure(ctx context.Context, recorded *results.Recorded) (string, error) {
	dir, err := r.ready(ctx, recorded)
	if err != nil || dir == "" {
		return "", err
	}
	if short := scenarios.PlanOf(r.o.asked).Short(); short != "" {
		fmt.Fprintln(r.p.stderr, "warning:", short)
	}
	ran := inKernels(ctx, r.p, dir, labOptions{quiet: r.o.quiet, verbose: r.o.verbose})
	switch {
	case ctx.Err() != nil:
		if !r.o.quiet {
			fmt.Fprintf(r.p.stderr, "to continue: cnibench run --resume %s\n", dir)
		}
		return dir, ctx.Err()
	case ran != nil:
		return dir, fmt.Errorf("the run failed (its record so far is in %s): %w", dir, ran)
	}
	return dir, nil
}

// ready creates a run directory, or prepares that of a recorded run for continuation. It returns
// "" after printing a plan.
func (r *labRun) ready(ctx context.Context, recorded *results.Recorded) (string, error) {
	if recorded != nil {
		return r.resume(ctx, recorded)
	}
	selected, err := scenarios.Check(&r.o.asked, r.p.catalogue)
	if err != nil {
		return "", usageError{err}
	}
	if r.o.dryRun {
		printPlan(r.p.stdout, r.o.asked)
		printUnsupported(ctx, r.p.stdout, selected, r.o.asked)
		return "", nil
	}
	if err := checkPrograms(r.p.bin, selected); err != nil {
		return "", err
	}
	if err := checkKernel(r.o.asked); err != nil {
		return "", err
	}
	if !r.o.quiet {
		printUnsupported(ctx, r.p.stderr, selected, r.o.asked)
	}
	return prepare(r.o.out, r.environment(ctx, r.o.asked))
}

// checkPrograms checks for the programs of all plugins before anything starts.
func checkPrograms(bin string, selected []*plugins.Plugin) error {
	for _, plugin := range selected {
		if errs := missingPrograms(bin, plugin); len(errs) > 0 {
			return usage("%s cannot run: %v", plugin.Name, errs[0])
		}
	}
	return nil
}

// checkKernel rejects a run that requests a kernel that is not available.
func checkKernel(a results.Asked) error {
	if a.Kernel != results.KernelUML {
		return nil
	}
	if err := lab.GuestMissing(); err != nil {
		return usage("--kernel uml: %v", err)
	}
	return nil
}

// inKernels carries out or continues the run of a directory: on the machine's own kernel, and
// then in another kernel for what that one does not support.
func inKernels(ctx context.Context, p *program, dir string, o labOptions) error {
	recorded, err := results.Load(dir)
	if err != nil {
		return err
	}
	asked := recorded.Run.Asked.Kernel
	if asked != results.KernelUML && !recorded.NextKernel() {
		host := o
		if asked == results.KernelAuto {
			host.hint = lab.GuestInstall()
			host.next = host.hint == ""
		}
		if err := spawn(ctx, p, dir, host); err != nil {
			return err
		}
		if recorded, err = results.Load(dir); err != nil || !recorded.NextKernel() {
			return err
		}
	}
	o.uml = true
	return spawn(ctx, p, dir, o)
}

// spawn runs one part of a run in a lab.
func spawn(ctx context.Context, p *program, dir string, o labOptions) error {
	return lab.Spawn(ctx, p.stdout, p.stderr, append(o.arguments(), "--bin="+p.bin, dir)...)
}
