package main

import (
	"context"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/lab"
)

// checkKernel refuses a run that asks for a kernel which is not there.
func checkKernel(a results.Asked) error {
	if a.Kernel != results.KernelUML {
		return nil
	}
	if err := lab.GuestMissing(); err != nil {
		return usage("--kernel uml: %v", err)
	}
	return nil
}

// inKernels carries out the run of a directory, or goes on with it: on the
// machine's own kernel, and what that lacks something for in another one.
func (p *program) inKernels(ctx context.Context, dir string, o labOptions) error {
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
		if err := p.spawn(ctx, dir, host); err != nil {
			return err
		}
		if recorded, err = results.Load(dir); err != nil || !recorded.NextKernel() {
			return err
		}
	}
	o.uml = true
	return p.spawn(ctx, dir, o)
}

// spawn runs a part of a run in a lab.
func (p *program) spawn(ctx context.Context, dir string, o labOptions) error {
	return lab.Spawn(ctx, p.stdout, p.stderr, append(o.arguments(), "--bin="+p.bin, dir)...)
}
