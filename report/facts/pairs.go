package facts

import (
	"fmt"
	"slices"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/words"
)

// PairsText summarizes the goodput of a network over pairs of nodes.
func PairsText(s *model.PairSpeeds) words.Text {
	all := []words.Text{words.PairsCount.With(count(s.Pairs), count(s.Nodes), quantity.Format(s.Median, "bit/s"))}
	if s.Failed > 0 {
		all = append(all, words.Aside(words.PairsFailed.With(count(s.Failed)), s.Cause))
	}
	if v := s.VsHost; v != nil {
		all = append(all, words.PairsVsHost.With(quantity.Ratio(v.Ratio, v.CI)))
		if v.Next != nil {
			all = append(all, words.PairsNext.With(fmt.Sprintf("%.2f", v.Next[0]), fmt.Sprintf("%.2f", v.Next[1])))
		}
		all = append(all, words.PairsBelow.With(count(v.Below), count(v.N)))
	}
	if v := s.WithoutSlow; v != nil {
		all = append(all, words.PairsWithout.With(quantity.Ratio(v.Ratio, v.CI)))
	}
	if t := s.Together; t != nil {
		all = append(all, words.PairsTogether.With(count(t.Pairs), quantity.Format(t.Total, "bit/s"), quantity.Format(t.Least, "bit/s")))
	}
	for _, n := range s.Slow {
		if n.N == 0 {
			all = append(all, words.Aside(words.SlowNotCompared.With(n.Node), n.Cause))
		}
	}
	switch {
	case s.Unfinished:
		all = append(all, words.PairsUnfinished)
	case len(s.Slow) == 0 || !slices.ContainsFunc(s.Slow, func(n model.SlowNode) bool { return n.Confirmed || n.N == 0 }):
		all = append(all, words.PairsNoSlow)
	}
	if s.Findable > 0 {
		all = append(all, words.PairsFindable.With(quantity.Percent(s.Findable)))
	}
	return words.Clauses(all...)
}

// SlowTexts names the nodes that are confirmed to be slow, and in which direction.
func SlowTexts(slow []model.SlowNode) []words.Text {
	var all []words.Text
	for _, n := range slow {
		if !n.Confirmed {
			continue
		}
		message := words.SlowSender
		if n.Receiver {
			message = words.SlowReceiver
		}
		text := message.With(n.Node, quantity.Ratio(n.Ratio, n.CI), count(n.N))
		if n.Underlay {
			text = words.Clauses(text, words.SlowAlso)
		}
		all = append(all, text)
	}
	return all
}
