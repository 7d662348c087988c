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
		Short: "Remove what an earlier run left in a cluster",
		Long: `Remove what earlier runs left in a cluster: namespaces that carry the label
app.kubernetes.io/managed-by=cnibench, with everything in them, or with
--namespace the pods that carry it in that namespace. What holds a namespace
that does not go is named. The lab leaves nothing.`,
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
