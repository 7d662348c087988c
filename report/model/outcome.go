package model

import (
	"fmt"
	"time"

	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
)

// Clock writes a time of day.
func Clock(t time.Time) string { return t.UTC().Format(time.TimeOnly + " UTC") }

// Outcome says in words what became of a cell that is not ok.
func (c *Cell) Outcome() string {
	if c.Status == results.StatusBroke {
		return c.Broke()
	}
	return c.Status + ": " + c.Cause
}

// Broke says when a network that worked stopped working, and why.
func (c *Cell) Broke() string {
	at := Clock(c.BrokeAt)
	if c.WorkedRounds == 0 {
		return fmt.Sprintf("came up, then broke in round %d at %s: %s", c.BrokeRound, at, c.Cause)
	}
	return fmt.Sprintf(quantity.Plural(c.WorkedRounds, "worked for %d round, then broke in round %d at %s: %s", "worked for %d rounds, then broke in round %d at %s: %s"),
		c.WorkedRounds, c.BrokeRound, at, c.Cause)
}

// Named gives a plugin's name, marked where no real agent stands behind it, and
// where its figures end before the run does.
func (c *Cell) Named() string {
	name := c.Plugin
	if c.Fidelity == "datapath" {
		name += " (data path)"
	}
	if c.Status == results.StatusBroke {
		name += fmt.Sprintf(" (until it broke in round %d)", c.BrokeRound)
	}
	return name
}
