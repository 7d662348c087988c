package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/cnibench/cnibench/plugins/catalogue"
	"github.com/cnibench/cnibench/report"
	"github.com/cnibench/cnibench/report/lang"
	"github.com/cnibench/cnibench/results"
)

// formats are the renderings of a report.
var formats = []string{"text", "html", "markdown", "json", "csv", "junit", "benchfmt", "openmetrics"}

var formatHelp = "how to print the report: " + strings.Join(formats, ", ")

var langHelp = "language of what is for people: " + strings.Join(lang.Names, ", ")

// rendering is how a report is printed.
type rendering struct{ format, lang string }

// flags adds those that say how.
func (r *rendering) flags(f *pflag.FlagSet) {
	f.StringVar(&r.format, "format", "text", formatHelp)
	f.StringVar(&r.lang, "lang", lang.Names[0], langHelp)
}

// check says whether there is such a rendering.
func (r rendering) check() error {
	if err := oneFormat(r.format, formats); err != nil {
		return err
	}
	return checkLang(r.lang)
}

func checkLang(name string) error {
	if !slices.Contains(lang.Names, name) {
		return usage("there is no language %q (of %s)", name, strings.Join(lang.Names, ", "))
	}
	return nil
}

// oneFormat checks a format against those that a command has.
func oneFormat(name string, of []string) error {
	if !slices.Contains(of, name) {
		return usage("there is no format %q; the nearest is %s (of %s)", name, catalogue.Nearest(name, of), strings.Join(of, ", "))
	}
	return nil
}

func (p *program) reportCommand() *cobra.Command {
	var how rendering
	var quiet bool
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "Render a recorded run again",
		Long: `Render the run in directory RUN again from its journal: report.json and
report.html there, and the report on standard output. Needs no testbed. With
--lang, the page, the text and the Markdown are in that language; formats for
programs are the same in all.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("report takes one run directory")
			}
			if err := how.check(); err != nil {
				return err
			}
			return p.report(args[0], how, quiet)
		},
	}
	how.flags(cmd.Flags())
	p.completeFlags(cmd)
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "do not say where the page lies")
	return cmd
}

// report renders a recorded run: report.json and report.html in its
// directory, and the format asked for on standard output.
func (p *program) report(dir string, how rendering, quiet bool) error {
	recorded, made, err := p.load(dir)
	if err != nil {
		return err
	}
	in, err := lang.New(how.lang)
	if err != nil {
		return err
	}
	made = made.In(in)
	if err := keep(dir, made); err != nil {
		return err
	}
	if err := render(recorded, made, how.format)(p.stdout); err != nil {
		return err
	}
	if !quiet {
		fmt.Fprintf(p.stderr, "report: %s\n", filepath.Join(dir, results.ReportHTML))
	}
	return nil
}

// keepReport makes a run's report and keeps it in its directory.
func (p *program) keepReport(dir string) error {
	_, made, err := p.load(dir)
	if err != nil {
		return err
	}
	return keep(dir, made)
}

// keep writes report.json and report.html.
func keep(dir string, made *report.Report) error {
	if err := write(filepath.Join(dir, results.ReportJSON), made.JSON); err != nil {
		return err
	}
	return write(filepath.Join(dir, results.ReportHTML), made.HTML)
}

// softMemory is where the collector begins to work harder: large records would
// otherwise take twice the memory that they need.
const softMemory = 384 << 20

// load reads a recorded run and says what it means.
func (p *program) load(dir string) (*results.Recorded, *report.Report, error) {
	debug.SetMemoryLimit(softMemory)
	recorded, err := results.Load(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("loading the run: %w", err)
	}
	made, err := report.Build(recorded, p.catalogue)
	if err != nil {
		return nil, nil, fmt.Errorf("judging the run in %s: %w", dir, err)
	}
	return recorded, made, nil
}

// render picks a format: of the report, or of the raw samples behind it.
func render(recorded *results.Recorded, made *report.Report, format string) func(io.Writer) error {
	return map[string]func(io.Writer) error{
		"text": made.Text, "html": made.HTML, "markdown": made.Markdown, "json": made.JSON, "junit": made.JUnit,
		"openmetrics": made.OpenMetrics, "csv": recorded.CSV, "benchfmt": recorded.GoBenchmark,
	}[format]
}

// write replaces a file by a rendering.
func write(path string, render func(io.Writer) error) error {
	var b bytes.Buffer
	if err := render(&b); err != nil {
		return err
	}
	if err := results.Replace(path, b.Bytes()); err != nil {
		return fmt.Errorf("keeping the report: %w", err)
	}
	return nil
}
