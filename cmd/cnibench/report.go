package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report"
	"github.com/cnibench/cnibench/results"
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

// report renders a recorded run: report.json and report.html in its
// directory, and the format asked for on standard output.
func (p *program) report(dir, format string) error {
	recorded, err := results.Load(dir)
	if err != nil {
		return fmt.Errorf("loading the run: %w", err)
	}
	made, err := report.Build(recorded, p.catalogue)
	if err != nil {
		return fmt.Errorf("judging the run in %s: %w", dir, err)
	}
	page := filepath.Join(dir, results.ReportHTML)
	if err := write(filepath.Join(dir, results.ReportJSON), made.JSON); err != nil {
		return err
	}
	if err := write(page, made.HTML); err != nil {
		return err
	}
	render := map[string]func(io.Writer) error{"text": made.Text, "json": made.JSON, "html": made.HTML}[format]
	if err := render(p.stdout); err != nil {
		return err
	}
	fmt.Fprintf(p.stderr, "report: %s\n", page)
	return nil
}

// write replaces a file by a rendering.
func write(path string, render func(io.Writer) error) error {
	var b bytes.Buffer
	if err := render(&b); err != nil {
		return err
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("keeping the report: %w", err)
	}
	return nil
}
