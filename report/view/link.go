package view

import (
	"slices"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Link describes the delay and loss of the underlay's links. It is empty if there are
// none, or if no sample succeeded between nodes.
func Link(r *model.Report) words.Text {
	if !slices.ContainsFunc(r.Cells, func(c model.Cell) bool { return c.Topology.Name != results.SameNode && c.Rounds > 0 }) {
		return words.Text{} // nothing passed over the links
	}
	l := r.Run.Asked.Link
	delay := words.LinkDelay.With(l.Delay, 2*l.Delay)
	loss := words.LinkLoss.With(l.LossPercent)
	switch {
	case l == (results.Link{}):
		return words.Text{}
	case l.LossPercent == 0:
		return delay
	case l.Delay == 0:
		return loss
	}
	return words.Clauses(delay, loss)
}

// LimitText describes a limit.
func LimitText(l advice.Limit) words.Text {
	what := l.What
	if l.Limit > 0 {
		what = words.Of(what, words.Quotef("%d", l.Limit))
	}
	if l.At > 0 {
		what = words.Aside(what, words.Wanted.With(l.At))
	}
	return words.Of(what, l.Text)
}
