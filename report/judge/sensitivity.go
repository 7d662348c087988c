package judge

import (
	"maps"
	"slices"
	"time"

	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// Disturbances of a sample.
const (
	MarkWarning = "warned of by the probe" // steal, lost packets
	MarkExit    = "an agent restarted"
	MarkStorm   = "a storm of retransmits"
)

// exitReach is the time before and after a sample within which the exit of an agent may
// have affected it: agents are restarted within a second and need a few more seconds to
// restore their routes.
const exitReach = 5 * time.Second

// sensitivityOf repeats all comparisons without the disturbed samples.
func sensitivityOf(b *gather.Run) model.Sensitivity {
	s := model.Sensitivity{Marked: map[string]int{}, Changes: []model.Change{}}
	storms := stormsOf(b)
	undisturbed := func(sample results.Sample) bool { return len(marksOf(b, sample, storms)) == 0 }
	for _, samples := range b.Samples {
		for _, sample := range samples {
			if !sample.Error.Empty() {
				continue
			}
			s.Samples++
			for _, m := range marksOf(b, sample, storms) {
				s.Marked[m]++
			}
			if undisturbed(sample) {
				s.Left++
			}
		}
	}
	if s.Left < s.Samples {
		s.Changes = changesWithout(b, undisturbed)
	}
	s.Text = sensitivityText(&s)
	return s
}

// changesWithout lists the verdicts that differ when only some samples are kept.
func changesWithout(b *gather.Run, keep func(results.Sample) bool) []model.Change {
	changes := []model.Change{}
	i := 0
	for _, q := range questions(b) {
		for _, c := range judgePairs(b, q, keep) {
			was := b.Report.Comparisons[i].Verdict
			i++ // the same pairs in the same order
			if c.Verdict != was {
				changes = append(changes, model.Change{Pair: c.Pair, From: was, To: c.Verdict, N: c.N})
			}
		}
	}
	return changes
}

// marksOf returns the disturbances of a sample.
func marksOf(b *gather.Run, s results.Sample, storms map[stormOf]float64) []string {
	var marks []string
	if len(s.Warnings) > 0 {
		marks = append(marks, MarkWarning)
	}
	for _, exit := range b.Exits[gather.Place{Plugin: s.Plugin, Topology: s.Topology}] {
		ended := s.Start.Add(time.Duration(s.Seconds * float64(time.Second)))
		if exit.At.After(s.Start.Add(-exitReach)) && exit.At.Before(ended.Add(exitReach)) {
			marks = append(marks, MarkExit)
			break
		}
	}
	if limit, ok := storms[stormOf{s.Cell, s.Probe}]; ok && s.Values[retransmits] > limit {
		marks = append(marks, MarkStorm)
	}
	return marks
}

// retransmits is the metric that counts retransmitted segments.
const retransmits = "retransmits"

type stormOf struct {
	results.Cell
	probe string
}

// stormsOf returns the number of retransmits above which a sample of a cell is an
// outlier: three interquartile ranges above the upper quartile ("far out" in Tukey,
// Exploratory Data Analysis, 1977).
func stormsOf(b *gather.Run) map[stormOf]float64 {
	counts := map[stormOf][]float64{}
	for cell, samples := range b.Samples {
		for _, s := range samples {
			if v, ok := s.Values[retransmits]; ok && s.Error.Empty() {
				key := stormOf{cell, s.Probe}
				counts[key] = append(counts[key], v)
			}
		}
	}
	limits := map[stormOf]float64{}
	for key, x := range counts {
		if len(x) < stats.MinSamples {
			continue
		}
		slices.Sort(x)
		lower, upper := x[len(x)/4], x[len(x)-1-len(x)/4]
		limits[key] = upper + 3*(upper-lower)
	}
	return limits
}

// sensitivityText describes the sensitivity in one line.
func sensitivityText(s *model.Sensitivity) words.Text {
	if s.Left == s.Samples {
		return words.NoSampleDisturbed
	}
	var marked []words.Text
	for _, m := range slices.Sorted(maps.Keys(s.Marked)) {
		marked = append(marked, markText(m).With(s.Marked[m]))
	}
	without := func(what words.Text) words.Text {
		return words.Stop(words.WithoutDisturbed.With(s.Samples-s.Left, s.Samples, words.List(marked...), what))
	}
	if len(s.Changes) == 0 {
		return without(words.NoVerdictChanges)
	}
	var changes []words.Text
	for _, c := range s.Changes {
		changes = append(changes, words.VerdictChange.With(c.A, c.B, c.Probe, c.Metric, model.WireName(c.Wire), quantity.VerdictText(c.To), quantity.VerdictText(c.From), c.N))
	}
	return without(words.TheseVerdictsChange.With(words.Clauses(changes...)))
}

// markText returns the message for a disturbance, which takes the number of samples.
func markText(mark string) words.Message {
	return map[string]words.Message{MarkWarning: words.WarnedByProbe, MarkExit: words.AgentRestarted, MarkStorm: words.StormRetransmits}[mark]
}
