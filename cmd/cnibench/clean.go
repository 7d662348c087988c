package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/testbed/cluster"
)

func cleanCommand(p *program) *cobra.Command {
	var c clusterFlags
	cmd := &cobra.Command{
		Use:   "clean",
		Short: "Remove leftovers of earlier runs from a cluster",
		Long: `Remove what earlier runs left behind in a cluster: namespaces with the label
app.kubernetes.io/managed-by=cnibench and everything in them or, with
--namespace, the pods with that label in the given namespace. If a namespace
cannot be removed, the command prints what blocks it. The lab leaves nothing
behind.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			bed, err := cluster.New(cmd.Context(), cluster.Config{Kubeconfig: c.kubeconfig, Context: c.context, Namespace: c.namespace})
			if err != nil {
				return usageError{err}
			}
			removed, err := bed.Clean(cmd.Context())
			for _, what := range removed {
				fmt.Fprintln(p.stdout, what)
			}
			return err
		},
	}
	c.connection(cmd.Flags())
	return cmd
}
