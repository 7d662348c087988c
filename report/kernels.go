package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/results"
)

// warnKernels says which networks ran on another kernel than the machine's
// own, and what their figures may be compared with.
func (b *builder) warnKernels() {
	machine := b.report.Host.Kernel
	var kernels, own []string
	in := map[string][]string{}
	for _, p := range b.order {
		_, kernel := results.SplitGround(p.topology)
		if p.plugin == results.HostPlugin || b.networks[p].Status == results.StatusUnsupported {
			continue
		}
		if kernel == "" {
			own = append(own, p.plugin)
			continue
		}
		if !slices.Contains(kernels, kernel) {
			kernels = append(kernels, kernel)
		}
		if !slices.Contains(in[kernel], p.plugin) {
			in[kernel] = append(in[kernel], p.plugin)
		}
	}
	for _, kernel := range kernels {
		text := fmt.Sprintf("%s ran in %s, a kernel in one process with one CPU: their figures compare with each other and with the host measured in that kernel, not with those of Linux %s",
			strings.Join(in[kernel], ", "), kernel, machine)
		if len(own) > 0 {
			text += "; --kernel uml measures all plugins in one kernel"
		}
		b.report.Warnings = append(b.report.Warnings, text)
	}
}

// bare is the report as report.json has it: topologies by their own names, and
// beside each the kernel, if it is not the machine's own.
func (r *Report) bare() *Report {
	b := *r
	b.Cells = split(r.Cells, func(c *Cell) (*string, *string) { return &c.Topology, nil })
	b.Comparisons = split(r.Comparisons, func(c *Comparison) (*string, *string) { return &c.Topology, &c.Kernel })
	b.Implausible = split(r.Implausible, func(i *Implausible) (*string, *string) { return &i.Topology, &i.Kernel })
	b.Encapsulation = split(r.Encapsulation, func(e *results.Encapsulation) (*string, *string) { return &e.Topology, &e.Kernel })
	b.Adjacency = split(r.Adjacency, func(a *results.Adjacency) (*string, *string) { return &a.Topology, &a.Kernel })
	b.Reachability = split(r.Reachability, func(o *results.Reachability) (*string, *string) { return &o.Topology, &o.Kernel })
	b.Policy = split(r.Policy, func(p *results.Policy) (*string, *string) { return &p.Topology, &p.Kernel })
	b.Hops = split(r.Hops, func(h *results.Hops) (*string, *string) { return &h.Topology, &h.Kernel })
	b.Findings = split(r.Findings, func(f *results.Finding) (*string, *string) { return &f.Topology, &f.Kernel })
	b.Setup = split(r.Setup, func(s *Setup) (*string, *string) { return &s.Topology, &s.Kernel })
	b.Sensitivity.Changes = split(r.Sensitivity.Changes, func(c *Change) (*string, *string) { return &c.Topology, &c.Kernel })
	return &b
}

// split copies a list and takes the grounds in it apart; kernel may be nil
// where the item has it anyway.
func split[S ~[]T, T any](all S, of func(*T) (topology, kernel *string)) S {
	apart := slices.Clone(all)
	for i := range apart {
		topology, kernel := of(&apart[i])
		name, in := results.SplitGround(*topology)
		*topology = name
		if kernel != nil {
			*kernel = in
		}
	}
	return apart
}
