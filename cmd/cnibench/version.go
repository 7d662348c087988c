package main

import (
	"fmt"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/testbed/lab"
)

func versionCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of cnibench and of the programs that it runs",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintf(w, "cnibench\t%s\n", version)
			versions := lab.Versions(cmd.Context(), p.bin)
			for _, name := range slices.Sorted(maps.Keys(versions)) {
				fmt.Fprintf(w, "%s\t%s\n", name, versions[name])
			}
			for _, program := range lab.Programs {
				if _, ok := versions[program.Name]; !ok {
					fmt.Fprintf(w, "%s\tmissing\n", program.Name)
				}
			}
			return w.Flush()
		},
	}
}
