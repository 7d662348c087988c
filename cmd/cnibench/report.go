package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/plugins/catalogue"
)

// formats are the renderings of a report.
var formats = []string{"text", "json", "html"}

var formatHelp = "how to print the report: " + strings.Join(formats, ", ")

func checkFormat(name string) error {
	if !slices.Contains(formats, name) {
		return usage("there is no format %q; the nearest is %s (of %s)", name, catalogue.Nearest(name, formats), strings.Join(formats, ", "))
	}
	return nil
}

func (p *program) reportCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "Render a recorded run again",
		Long: `Render the run in directory RUN again from its journal: report.json and
report.html there, and the report on standard output. Needs no testbed.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("report takes one run directory")
			}
			if err := checkFormat(format); err != nil {
				return err
			}
			return p.report(args[0], format)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", formatHelp)
	return cmd
}
