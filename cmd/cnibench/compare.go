package main

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/report/change"
	"github.com/cnibench/cnibench/stats"
)

var compareFormats = []string{"text", "markdown", "json"}

func compareCommand(p *program) *cobra.Command {
	var format string
	margin := stats.DefaultMargin
	cmd := &cobra.Command{
		Use:   "compare OLD NEW",
		Short: "Compare two recorded runs, cell by cell",
		Long: `Compare the run in directory NEW with the earlier one in OLD: first the differences
in the environment, then every cell by the headline figures of its probes. Plugins
are compared by their ratios to host in each run, because the machine may be faster
or slower at another time; host's own figures are compared if both runs come from
one machine, and there is no verdict where host itself moved. With fewer than six
deployments in either run (run --redeploy), the intervals allow for how much
deployments of one version are known to differ.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usage("compare takes two run directories: the earlier one and the later one")
			}
			if err := oneFormat(format, compareFormats); err != nil {
				return err
			}
			if !(margin > 0 && margin < 1) {
				return usage("--margin %v is not between 0 and 1", margin)
			}
			oldRecord, oldReport, err := p.load(args[0])
			if err != nil {
				return err
			}
			newRecord, newReport, err := p.load(args[1])
			if err != nil {
				return err
			}
			c := change.Between(change.Side{Run: oldRecord.Run, Report: oldReport}, change.Side{Run: newRecord.Run, Report: newReport}, margin)
			return map[string]func(io.Writer) error{"text": c.Text, "markdown": c.Markdown, "json": c.JSON}[format](p.stdout)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "output format: "+strings.Join(compareFormats, ", "))
	cmd.Flags().Float64Var(&margin, "margin", margin, "relative difference below which runs are equivalent")
	return cmd
}
