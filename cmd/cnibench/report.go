package main

import (
	"bytes"
	"errors"
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
	"github.com/cnibench/cnibench/report/html"
	"github.com/cnibench/cnibench/report/machine"
	"github.com/cnibench/cnibench/report/markdown"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// formats are the renderings of a report.
var formats = []string{"text", "html", "markdown", "json", "csv", "junit", "benchfmt", "openmetrics"}

var formatHelp = "output format: " + strings.Join(formats, ", ")

var langHelp = "language of human-readable output: " + strings.Join(words.Names, ", ")

// rendering describes how to print a report.
type rendering struct{ format, lang string }

// flags adds the flags that set the format and language.
func (r *rendering) flags(f *pflag.FlagSet) {
	f.StringVar(&r.format, "format", "text", formatHelp)
	f.StringVar(&r.lang, "lang", words.Names[0], langHelp)
}

// check rejects unknown formats and languages.
func (r rendering) check() error {
	if err := oneFormat(r.format, formats); err != nil {
		return err
	}
	return checkLang(r.lang)
}

func checkLang(name string) error {
	if !slices.Contains(words.Names, name) {
		return usage("there is no language %q (of %s)", name, strings.Join(words.Names, ", "))
	}
	return nil
}

// oneFormat checks a format against those that a command supports.
func oneFormat(name string, of []string) error {
	if !slices.Contains(of, name) {
		return usage("there is no format %q; did you mean %s? (there are %s)", name, catalogue.Nearest(name, of), strings.Join(of, ", "))
	}
	return nil
}

func reportCommand(p *program) *cobra.Command {
	var how rendering
	var quiet bool
	cmd := &cobra.Command{
		Use:   "report RUN",
		Short: "Render a recorded run again",
		Long: `Render the run in directory RUN again from its journal: report.json and
report.html in that directory, and the report on standard output. This does not
need a testbed. --lang sets the language of the HTML, the text and the Markdown;
machine-readable formats are the same in all languages.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("report takes exactly one run directory")
			}
			if err := how.check(); err != nil {
				return err
			}
			return p.report(args[0], how, quiet)
		},
	}
	how.flags(cmd.Flags())
	p.completeFlags(cmd)
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "do not print the path of report.html")
	return cmd
}

// report renders a recorded run: report.json and report.html in its directory, and the requested
// format on standard output.
func (p *program) report(dir string, how rendering, quiet bool) error {
	recorded, made, err := p.load(dir)
	if err != nil {
		return err
	}
	in, err := words.New(how.lang)
	if err != nil {
		return err
	}
	// Print first, so that the result is available even if it cannot be stored.
	if err := render(p.stdout, recorded, made, how.format, in); err != nil {
		return fmt.Errorf("printing the report: %w", err)
	}
	if err := keep(dir, made, in); err != nil {
		return err
	}
	if !quiet {
		fmt.Fprintf(p.stderr, "report: %s\n", filepath.Join(dir, results.ReportHTML))
	}
	return nil
}

// keep writes report.json and report.html, each even if the other fails.
func keep(dir string, made *model.Report, in *words.Language) error {
	return errors.Join(
		write(filepath.Join(dir, results.ReportJSON), func(out io.Writer) error { return machine.JSON(out, made) }),
		write(filepath.Join(dir, results.ReportHTML), func(out io.Writer) error { return html.Write(out, made, in) }))
}

// softMemory is the memory use above which the garbage collector works harder. Otherwise, large
// records would take twice the memory that they need.
const softMemory = 384 << 20

// load reads a recorded run and evaluates it.
func (p *program) load(dir string) (*results.Recorded, *model.Report, error) {
	debug.SetMemoryLimit(softMemory)
	running := results.Running(dir) // check first, because the run may end meanwhile
	recorded, err := results.Load(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("loading the run: %w", err)
	}
	if running && !recorded.Complete() {
		recorded.Warnings = []words.Text{words.RunIsStillGoingOn} // a last line without a newline is still being written
		fmt.Fprintf(p.stderr, "the run in %s is still going on: this is its record so far\n", dir)
	}
	made, err := report.Build(recorded, p.catalogue)
	if err != nil {
		return nil, nil, fmt.Errorf("judging the run in %s: %w", dir, err)
	}
	return recorded, made, nil
}

// render writes the report, or the raw samples behind it, in one format.
func render(out io.Writer, recorded *results.Recorded, made *model.Report, format string, in *words.Language) error {
	switch format {
	case "html":
		return html.Write(out, made, in)
	case "markdown":
		return markdown.Write(out, made, in)
	case "json":
		return machine.JSON(out, made)
	case "csv":
		return machine.CSV(out, recorded)
	case "junit":
		return machine.JUnit(out, made)
	case "benchfmt":
		return machine.Benchfmt(out, recorded)
	case "openmetrics":
		return machine.OpenMetrics(out, made)
	}
	return text.Write(out, made, in)
}

// write replaces a file with a rendering.
func write(path string, render func(io.Writer) error) error {
	var b bytes.Buffer
	if err := render(&b); err != nil {
		return err
	}
	if err := results.Replace(path, b.Bytes()); err != nil {
		return fmt.Errorf("the report cannot be stored: %w", err)
	}
	return nil
}
