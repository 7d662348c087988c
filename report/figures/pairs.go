package figures

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// PairSpeeds summarizes the goodput over pairs of nodes of each network, and judges the
// nodes that seemed slow.
func PairSpeeds(b *gather.Run) {
	for _, p := range b.Order {
		if all := b.PairSpeeds[p]; len(all) > 0 {
			b.Report.PairSpeeds = append(b.Report.PairSpeeds, pairSpeeds(b, p, all))
		}
	}
	for i := range b.Report.PairSpeeds {
		s := &b.Report.PairSpeeds[i]
		for j := range s.Slow {
			s.Slow[j].Underlay = s.Plugin != results.HostPlugin && slices.ContainsFunc(b.Report.SlowOf(results.HostPlugin, s.Topology), func(o model.SlowNode) bool { return o.Suspect == s.Slow[j].Suspect })
		}
	}
}

func pairSpeeds(b *gather.Run, p gather.Place, all []results.PairSpeed) model.PairSpeeds {
	s := model.PairSpeeds{Plugin: p.Plugin, Topology: p.Topology, Kernel: p.Topology.Kernel, Slow: []model.SlowNode{}}
	first := firstStage(all)
	index := map[string]int{}
	var streams []stats.Stream
	var goodput []float64
	for _, one := range first {
		for _, name := range []string{one.From, one.To} {
			if _, known := index[name]; !known {
				index[name] = len(index)
			}
		}
		if s.Pairs++; one.Goodput <= 0 {
			s.Failed++
			continue
		}
		goodput = append(goodput, one.Goodput)
		streams = append(streams, stats.Stream{From: index[one.From], To: index[one.To], Block: one.Round, Log: math.Log(one.Goodput)})
	}
	s.Cause = mostFrequent(first)
	s.Unfinished = !b.Report.Run.Complete && len(b.Samples) == 0
	if s.Nodes = len(index); len(goodput) > 0 {
		s.Median = stats.Summarize(goodput).Median
	}
	if len(goodput) > 0 && !s.Unfinished {
		random := rand.New(rand.NewPCG(b.Report.Run.Seed, 1))
		if findable := stats.Findable(streams, s.Nodes, stats.SuspectLevel, random); !math.IsNaN(findable) {
			s.Findable = findable
		}
	}
	s.Together = together(all)
	s.Slow = append(s.Slow, slowNodes(all, b.Report.Run.Asked.Margin)...)
	if host := b.PairSpeeds[gather.Place{Plugin: results.HostPlugin, Topology: p.Topology}]; p.Plugin != results.HostPlugin && len(host) > 0 {
		s.VsHost = overHost(first, firstStage(host), index)
		if slow := confirmed(s.Slow); len(slow) > 0 {
			s.WithoutSlow = overHost(slices.DeleteFunc(first, func(p results.PairSpeed) bool { return slow[p.From] || slow[p.To] }), firstStage(host), index)
		}
	}
	return s
}

// confirmed returns the nodes that are slow.
func confirmed(all []model.SlowNode) map[string]bool {
	slow := map[string]bool{}
	for _, n := range all {
		if n.Confirmed {
			slow[n.Node] = true
		}
	}
	return slow
}

// mostFrequent returns the error that most of the streams have; it is empty if none failed.
func mostFrequent(all []results.PairSpeed) words.Text {
	counts := map[string]int{}
	var most words.Text
	for _, p := range all {
		if text := p.Error.String(); text != "" {
			if counts[text]++; most.Empty() || counts[text] > counts[most.String()] {
				most = p.Error
			}
		}
	}
	return most
}

// firstStage returns the streams of the tournament.
func firstStage(all []results.PairSpeed) []results.PairSpeed {
	return slices.DeleteFunc(slices.Clone(all), func(p results.PairSpeed) bool { return p.Again != nil || p.Together })
}

// together summarizes the rounds whose streams ran at the same time.
func together(all []results.PairSpeed) *model.Together {
	sums, t := map[int]float64{}, &model.Together{Least: math.Inf(1)}
	streams := 0
	for _, p := range all {
		if p.Together {
			sums[p.Round] += p.Goodput
			t.Least = min(t.Least, p.Goodput)
			streams++
		}
	}
	if len(sums) == 0 {
		return nil
	}
	t.Rounds, t.Pairs = len(sums), streams/len(sums)
	t.Total = stats.Summarize(slices.Collect(maps.Values(sums))).Median
	return t
}

// overHost returns the ratio to the nodes' own network over the pairs that have both.
func overHost(own, host []results.PairSpeed, index map[string]int) *model.OverPairs {
	of := map[results.Pair]float64{}
	for _, h := range host {
		of[h.Pair] = h.Goodput
	}
	var ratios []stats.PairRatio
	for _, p := range own {
		if h := of[p.Pair]; h > 0 && p.Goodput > 0 {
			ratios = append(ratios, stats.PairRatio{From: index[p.From], To: index[p.To], Log: math.Log(p.Goodput) - math.Log(h)})
		}
	}
	if len(ratios) == 0 {
		return nil
	}
	return model.OverPairsOf(stats.MeanOverPairs(ratios))
}

// slowNodes judges the suspects of a network by the second stage.
func slowNodes(all []results.PairSpeed, margin float64) []model.SlowNode {
	type sides struct{ own, other map[int]float64 }
	var order []results.Suspect
	of := map[results.Suspect]sides{}
	for _, p := range all {
		if p.Again == nil {
			continue
		}
		if _, known := of[*p.Again]; !known {
			order = append(order, *p.Again)
			of[*p.Again] = sides{map[int]float64{}, map[int]float64{}}
		}
		if side := of[*p.Again]; p.Again.Of(p.Pair) {
			side.own[p.Round] = p.Goodput
		} else {
			side.other[p.Round] = p.Goodput
		}
	}
	var family []stats.Ratio
	for _, s := range order {
		family = append(family, stats.Paired(of[s].own, of[s].other))
	}
	var slow []model.SlowNode
	for i, line := range stats.Confirm(family, margin) {
		n := model.SlowNode{Suspect: order[i], N: line.N, Confirmed: line.Confirmed}
		if line.N > 0 {
			n.Ratio = line.Ratio.Ratio
		} else {
			n.Cause = mostFrequent(slices.DeleteFunc(slices.Clone(all), func(p results.PairSpeed) bool { return p.Again == nil || *p.Again != order[i] }))
		}
		if line.CI != nil {
			n.CI = &[2]float64{line.CI.Low, line.CI.High}
		}
		slow = append(slow, n)
	}
	return slow
}
