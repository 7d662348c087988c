package main

import (
	"slices"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/scenarios"
	"github.com/cnibench/cnibench/testbed"
	"github.com/cnibench/cnibench/words"
)

// completeFlags registers the values of a command's flags for shell completion.
func (p *program) completeFlags(cmd *cobra.Command) {
	var names []string
	probeNames := slices.Clone(scenarios.Groups)
	for _, plugin := range p.catalogue {
		names = append(append(names, plugin.Name), plugin.Aliases...)
	}
	for _, probe := range catalogue.All() {
		probeNames = append(probeNames, probe.Name)
	}
	for flag, values := range map[string][]string{"plugins": names, "control": names, "probes": probeNames, "topology": {testbed.L2, testbed.Routed, testbed.VPC},
		"testbed": scenarios.Testbeds, "kernel": results.Kernels, "placement": {probes.Same, probes.Split}, "format": formats, "lang": words.Names} {
		if cmd.Flags().Lookup(flag) != nil {
			// It fails only for a flag that does not exist.
			_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
		}
	}
}
