package change

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/cnibench/cnibench/report/machine"
	"github.com/cnibench/cnibench/report/markdown"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// head returns the lines before the table.
func (c *Comparison) head() []string {
	lines := []string{fmt.Sprintf("run %s compared with the earlier run %s", c.New, c.Old)}
	for _, d := range c.Environment {
		lines = append(lines, "DIFFERS: "+d)
	}
	if len(c.Environment) == 0 {
		lines = append(lines, "the environment is the same")
	}
	if !c.SameMachine {
		lines = append(lines, "The runs are not known to come from one machine: only ratios to host are compared, not absolute figures.")
	}
	if c.Deployments > 0 && c.Deployments < stats.MinDeployments {
		line := fmt.Sprintf("The runs do not have %d deployments each, which would show how much deployments differ: the intervals assume that those of one version vary by %g %% (latency: %g %%).",
			stats.MinDeployments, 100*apartGoodput, 100*apartLatency)
		if !c.later.OnCluster() {
			line += fmt.Sprintf(" Run both with --redeploy %d to measure it.", stats.MinDeployments)
		}
		lines = append(lines, line)
	}
	return lines
}

var columns = []string{"PLUGIN", "topology", "wire", "figure", "earlier", "later", "later/earlier", "verdict"}

func (c *Cell) line() []string {
	figure := func(v *float64) string {
		switch {
		case v == nil:
			return ""
		case c.Unit == "ratio":
			return quantity.Ratio(*v, nil)
		}
		return quantity.Format(*v, c.Unit)
	}
	ratio, verdict := "", string(c.Verdict)
	if c.Ratio != nil {
		ratio = quantity.Ratio(*c.Ratio, c.CI)
	}
	if c.Cause != "" {
		verdict += ": " + c.Cause
	}
	return []string{c.Plugin, c.Topology.String(), c.Wire, c.Probe + " " + c.Metric, figure(c.Old), figure(c.New), ratio, verdict}
}

func (c *Comparison) foot() string {
	return fmt.Sprintf("Plugins are compared by their ratios to host in each run, with 95 %% intervals; equivalent: within %g %%; corrected over the cells of a figure (Holm).", 100*c.Margin)
}

// Text writes the comparison for a terminal.
func (c *Comparison) Text(out io.Writer) error {
	var b strings.Builder
	for _, l := range c.head() {
		fmt.Fprintln(&b, results.Printable(l))
	}
	fmt.Fprintln(&b)
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, strings.Join(columns, "\t"))
	for i := range c.Cells {
		line := c.Cells[i].line()
		for j := range line {
			line[j] = results.Printable(line[j])
		}
		fmt.Fprintln(w, strings.Join(line, "\t"))
	}
	w.Flush()
	fmt.Fprintf(&b, "\n%s\n", c.foot())
	_, err := io.WriteString(out, b.String())
	return err
}

// Markdown writes the comparison for a pull request's comment.
func (c *Comparison) Markdown(out io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### cnibench: two runs compared\n\n")
	for _, l := range c.head() {
		fmt.Fprintf(&b, "- %s\n", markdown.Inert(l))
	}
	fmt.Fprintf(&b, "\n| %s |\n|%s\n", strings.Join(columns, " | "), strings.Repeat(" --- |", len(columns)))
	for i := range c.Cells {
		line := c.Cells[i].line()
		for j := range line {
			if j < 4 || j == len(line)-1 {
				line[j] = markdown.Inert(line[j])
			}
		}
		fmt.Fprintf(&b, "| %s |\n", strings.Join(line, " | "))
	}
	fmt.Fprintf(&b, "\n<sub>%s</sub>\n", c.foot())
	_, err := io.WriteString(out, b.String())
	return err
}

// JSON writes the comparison for programs.
func (c *Comparison) JSON(out io.Writer) error {
	text, err := json.MarshalIndent(c, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the comparison: %w", err)
	}
	_, err = out.Write(append(machine.EscapeControls(text), '\n'))
	return err
}
