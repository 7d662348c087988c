package accept

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/cnibench/cnibench/report/junit"
	"github.com/cnibench/cnibench/report/machine"
	"github.com/cnibench/cnibench/results"
)

// Text writes the outcome for a terminal.
func (o *Outcome) Text(out io.Writer) error {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintln(&b, results.Printable(fmt.Sprintf(format, args...))) }
	line("%s: run %s against %d thresholds", strings.ToUpper(string(o.Verdict)), o.Run, len(o.Thresholds))
	if o.Title != "" {
		line("%s", o.Title)
	}
	for _, w := range o.Warnings {
		line("WARNING: %s", w)
	}
	for _, t := range o.Thresholds {
		line("%-12s  %s", t.Verdict, t.Name)
		for _, p := range t.Of {
			line("    %s: %s: %s", p.Where, p.Verdict, p.Reason)
		}
	}
	_, err := io.WriteString(out, b.String())
	return err
}

// JSON writes the outcome for programs.
func (o *Outcome) JSON(out io.Writer) error {
	text, err := json.MarshalIndent(o, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding the outcome: %w", err)
	}
	_, err = out.Write(append(machine.EscapeControls(text), '\n'))
	return err
}

// JUnit writes a case for each threshold: a failure if it failed, and an error if it is
// inconclusive, because a pipeline that reads only this file must not take it for a
// pass.
func (o *Outcome) JUnit(out io.Writer) error {
	suite := junit.Suite{Name: "cnibench accept", Time: o.report.Run.Started}
	if o.Title != "" {
		suite.Name = o.Title
	}
	for _, t := range o.Thresholds {
		c := junit.Case{Class: "cnibench.accept", Name: t.Name, Kind: string(t.Verdict)}
		var all []string
		for _, p := range t.Of {
			all = append(all, fmt.Sprintf("%s: %s: %s", p.Where, p.Verdict, p.Reason))
		}
		c.Output = strings.Join(all, "; ")
		switch t.Verdict {
		case Fail:
			c.Failure = "fail: " + t.Reason
		case Inconclusive:
			c.Error = "inconclusive: " + t.Reason
		}
		suite.Cases = append(suite.Cases, c)
	}
	return junit.Write(out, suite)
}
