package report

import (
	"slices"

	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// warnKernels says which networks ran in a different kernel from the machine's, and
// which figures theirs may be compared with.
func warnKernels(b *gather.Run) {
	machine := b.Report.Host.Kernel
	var kernels, own []string
	in := map[string][]string{}
	for _, p := range b.Order {
		kernel := p.Topology.Kernel
		if p.Plugin == results.HostPlugin || b.Networks[p].Status == results.StatusUnsupported {
			continue
		}
		if kernel == "" {
			own = append(own, p.Plugin)
			continue
		}
		if !slices.Contains(kernels, kernel) {
			kernels = append(kernels, kernel)
		}
		if !slices.Contains(in[kernel], p.Plugin) {
			in[kernel] = append(in[kernel], p.Plugin)
		}
	}
	for _, kernel := range kernels {
		text := words.RanInOtherKernel.With(words.ListNames(in[kernel]), kernel, machine)
		if len(own) > 0 {
			text = words.Clauses(text, words.KernelUMLHint)
		}
		b.Report.Warnings = append(b.Report.Warnings, text)
	}
}
