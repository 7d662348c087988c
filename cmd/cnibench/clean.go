package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster"
)

func cleanCommand(p *program) *cobra.Command {
	var c clusterFlags
	cmd := &cobra.Command{
		Use:   "clean",
		Short: "Remove what earlier runs left in a cluster",
		Long: `Remove what earlier runs left in a cluster: the namespaces with the label
app.kubernetes.io/managed-by=cnibench and everything in them, the plugins that runs
have installed (--install) with what they left on the nodes, or, with --namespace,
the pods with that label in that namespace. If a namespace is not deleted, the error
names what keeps it. The lab leaves nothing behind.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			bed, err := cluster.New(cmd.Context(), cluster.Config{Kubeconfig: c.kubeconfig, Context: c.context, Namespace: c.namespace,
				Event: func(e results.Event) { fmt.Fprintf(p.stderr, "warning: %s\n", e.Text) }})
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
