package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/results"
)

// warnKernels says which networks ran on another kernel than the machine's
// own, and what their figures may be compared with.
func warnKernels(b *gather.Run) {
	machine := b.Report.Host.Kernel
	var kernels, own []string
	in := map[string][]string{}
	for _, p := range b.Order {
		_, kernel := results.SplitGround(p.Topology)
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
		text := fmt.Sprintf("%s ran in %s, a kernel in one process with one CPU: their figures compare with each other and with the host measured in that kernel, not with those of Linux %s",
			strings.Join(in[kernel], ", "), kernel, machine)
		if len(own) > 0 {
			text += "; --kernel uml measures all plugins in one kernel"
		}
		b.Report.Warnings = append(b.Report.Warnings, text)
	}
}
