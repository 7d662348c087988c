package view

import (
	"fmt"
	"slices"

	"github.com/cnibench/cnibench/report/advice"
	"github.com/cnibench/cnibench/report/lang"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
)

// Link says what the underlay did to packets beside limiting their rate, ""
// if nothing or if no sample succeeded over it.
func Link(r *model.Report) string {
	if !slices.ContainsFunc(r.Cells, func(c model.Cell) bool { return c.Topology != results.SameNode && c.Rounds > 0 }) {
		return "" // nothing passed over it
	}
	l := r.Run.Asked.Link
	delay := fmt.Sprintf("every packet between two machines took %s longer each way, a round trip %s", l.Delay, 2*l.Delay)
	loss := fmt.Sprintf("%g %% of the packets between two machines were lost each way", l.LossPercent)
	switch {
	case l == (results.Link{}):
		return ""
	case l.LossPercent == 0:
		return delay
	case l.Delay == 0:
		return loss
	}
	return delay + "; " + loss
}

// LimitText says a limit in a language.
func LimitText(l advice.Limit, in *lang.Language) string {
	s := in.Say(l.What)
	if l.Limit > 0 {
		s += fmt.Sprintf(": %d", l.Limit)
	}
	if l.At > 0 {
		s += " (" + in.Sayf("wanted: %d", l.At) + ")"
	}
	return s + ": " + in.Say(l.Text)
}
