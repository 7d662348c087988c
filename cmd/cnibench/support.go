package main

import (
	"context"
	"fmt"
	"io"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/lab"
)

// kernelSupport holds what the kernels available to the lab lack: the cause by feature.
type kernelSupport struct {
	machine map[string]string // nil if it is not used
	guest   map[string]string // User-Mode Linux's; nil if it cannot be booted or is not used
}

// tryKernels tests the features of the machine's kernel and, if that lacks one of them, of
// User-Mode Linux.
func tryKernels(ctx context.Context) (k kernelSupport, err error) {
	if k.machine, err = tryFeatures(ctx); err == nil {
		k.guest, err = guestFeatures(ctx, k.machine)
	}
	return k, err
}

// carrier returns the kernel that has all features. If none has, it returns "", the missing
// feature and how to fix that.
func (k kernelSupport) carrier(features []string) (kernel, lacking string) {
	for _, name := range features {
		if k.machine[name] == "" {
			continue
		}
		lacking = k.describe(name)
		for _, other := range features {
			if k.guest == nil || k.guest[other] != "" {
				return "", lacking
			}
		}
		return results.KernelUML, ""
	}
	return results.KernelHost, ""
}

// describe explains why a feature cannot be used and how to fix that.
func (k kernelSupport) describe(name string) string {
	text := k.machine[name]
	if text == lab.LacksText(name).String() {
		text += " (" + lab.Remedy(name).String() + ")"
	}
	switch how := lab.GuestInstall(); {
	case k.guest == nil && how != "":
		text += "; User-Mode Linux may have it: " + how
	case k.guest != nil && k.guest[name] != "":
		text += "; User-Mode Linux lacks it too"
	case k.guest != nil:
		text += "; User-Mode Linux has it"
	}
	return text
}

// printUnsupported prints the plugins of a run that none of its kernels supports, with the
// reason, and those that run in User-Mode Linux.
func printUnsupported(ctx context.Context, w io.Writer, selected []*plugins.Plugin, asked results.Asked) {
	if asked.Kernel == results.KernelUML {
		return // the machine's kernel is not used
	}
	var needing []*plugins.Plugin
	for _, p := range selected {
		if len(lab.Needs(p, asked.Link)) > 0 {
			needing = append(needing, p)
		}
	}
	if len(needing) == 0 {
		return
	}
	k, err := tryKernels(ctx)
	if err != nil {
		fmt.Fprintf(w, "warning: cannot tell whether the kernel supports the plugins: %v\n", err)
		return
	}
	if asked.Kernel != results.KernelAuto {
		k.guest = nil
	}
	for _, p := range needing {
		switch kernel, lacking := k.carrier(lab.Needs(p, asked.Link)); kernel {
		case "":
			fmt.Fprintf(w, "unsupported: %s: %s\n", p.Name, lacking)
		case results.KernelUML:
			fmt.Fprintf(w, "in User-Mode Linux: %s\n", p.Name)
		}
	}
}
