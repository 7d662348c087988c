package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/probes/catalogue"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/testbed/lab"
)

// workerCommand is the command that testbeds start inside pods and on nodes.
func workerCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:    lab.WorkerCommand,
		Short:  "Run probes for a run, controlled by lines of JSON on standard input and output",
		Hidden: true,
		Args:   noArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := worker.Prepare(); err != nil {
				fmt.Fprintln(p.stderr, "cnibench worker:", err)
			}
			return catalogue.Serve(cmd.Context(), p.stdin, p.stdout)
		},
	}
}
