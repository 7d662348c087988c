package model

import (
	"time"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Clock writes a time of day.
func Clock(t time.Time) string { return t.UTC().Format(time.TimeOnly + " UTC") }

// Outcome says in words what became of a cell that is not ok.
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

// Named gives a plugin's name, marked where no real agent stands behind it, and
// where its figures end before the run does.
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

// StatusText names a network's status.
func StatusText(status string) words.Text {
	switch status {
	case results.StatusOK:
		return words.OK
	case results.StatusFailed:
		return words.Failed
	case results.StatusUnsupported:
		return words.Unsupported
	}
	return words.Quote(status)
}
