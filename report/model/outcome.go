package model

import (
	"time"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Clock writes a time of day.
func Clock(t time.Time) string { return t.UTC().Format(time.TimeOnly + " UTC") }

// Outcome describes a cell that is not ok.
func (c *Cell) Outcome() words.Text {
	if c.Status == results.StatusBroke {
		return c.Broke()
	}
	return words.Of(StatusText(c.Status), c.Cause)
}

// Broke says when a network that worked stopped working, and why.
func (c *Cell) Broke() words.Text {
	at := Clock(c.BrokeAt)
	if c.WorkedRounds == 0 {
		return words.CameUpThenBroke.With(c.BrokeRound, at, c.Cause)
	}
	return words.Plural(c.WorkedRounds, words.WorkedRoundThenBroke, words.WorkedRoundsThenBroke).With(c.WorkedRounds, c.BrokeRound, at, c.Cause)
}

// Named returns the plugin's name, marked if its agents did not run or if it broke
// before the run ended.
func (c *Cell) Named() words.Text {
	name := words.Quote(c.Plugin)
	if c.Fidelity == "datapath" {
		name = words.DataPathPlugin.With(c.Plugin)
	}
	if c.Status == results.StatusBroke {
		name = words.Aside(name, words.UntilBroke.With(c.BrokeRound))
	}
	return name
}

var statuses = map[string]words.Text{results.StatusOK: words.OK, results.StatusFailed: words.Failed, results.StatusUnsupported: words.Unsupported}

// StatusText names a network's status.
func StatusText(status string) words.Text { return words.Named(statuses, status) }
