package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
)

// Sensitivity says whether verdicts hang on samples that something disturbed.
type Sensitivity struct {
	Samples int `json:"samples"` // all that succeeded
	// Marked counts the disturbed ones by what disturbed them; a sample may
	// count more than once.
	Marked map[string]int `json:"marked"`
	Left   int            `json:"left"` // samples that nothing disturbed
	// Changes are the verdicts that would be others without them.
	Changes []Change `json:"changes"`
	Text    string   `json:"text"`
}

// Change is a verdict that another choice of samples would change.
type Change struct {
	A        string        `json:"a"`
	B        string        `json:"b"`
	Topology string        `json:"topology"`
	Kernel   string        `json:"kernel,omitempty"` // "" for the machine's own
	Wire     string        `json:"wire"`
	Probe    string        `json:"probe"`
	Metric   string        `json:"metric"`
	From     stats.Verdict `json:"from"`
	To       stats.Verdict `json:"to"`
	N        int           `json:"n"` // blocks that are left
}

// What may disturb a sample.
const (
	markWarning = "warned of by the probe" // steal, lost packets
	markExit    = "an agent restarted"
	markStorm   = "a storm of retransmits"
)

// agentExit is when an agent ended and what it left behind.
type agentExit struct {
	at   time.Time
	text string
}

// exitReach is how long before and after a sample an agent's end may still
// have to do with it: agents are started again within a second and need a few
// more to look after their routes.
const exitReach = 5 * time.Second

// sensitivity judges everything again without the disturbed samples.
func (b *builder) sensitivity() Sensitivity {
	s := Sensitivity{Marked: map[string]int{}, Changes: []Change{}}
	storms := b.storms()
	undisturbed := func(sample results.Sample) bool { return len(b.marks(sample, storms)) == 0 }
	for _, samples := range b.samples {
		for _, sample := range samples {
			if sample.Error != "" {
				continue
			}
			s.Samples++
			for _, m := range b.marks(sample, storms) {
				s.Marked[m]++
			}
			if undisturbed(sample) {
				s.Left++
			}
		}
	}
	if s.Left < s.Samples {
		s.Changes = b.changes(undisturbed)
	}
	s.Text = s.text()
	return s
}

// changes lists the verdicts that differ when only some samples are kept.
func (b *builder) changes(keep func(results.Sample) bool) []Change {
	changes := []Change{}
	i := 0
	for _, q := range b.questions() {
		for _, c := range b.judge(q, keep) {
			was := b.report.Comparisons[i].Verdict
			i++ // the same pairs in the same order
			if c.Verdict != was {
				changes = append(changes, Change{A: c.A, B: c.B, Topology: c.Topology, Wire: c.Wire, Probe: c.Probe, Metric: c.Metric, From: was, To: c.Verdict, N: c.N})
			}
		}
	}
	return changes
}

// marks are the disturbances of a sample.
func (b *builder) marks(s results.Sample, storms map[stormOf]float64) []string {
	var marks []string
	if len(s.Warnings) > 0 {
		marks = append(marks, markWarning)
	}
	for _, exit := range b.exits[place{s.Plugin, s.Topology}] {
		ended := s.Start.Add(time.Duration(s.Seconds * float64(time.Second)))
		if exit.at.After(s.Start.Add(-exitReach)) && exit.at.Before(ended.Add(exitReach)) {
			marks = append(marks, markExit)
			break
		}
	}
	if limit, ok := storms[stormOf{s.Cell, s.Probe}]; ok && s.Values[retransmits] > limit {
		marks = append(marks, markStorm)
	}
	return marks
}

// retransmits is the metric of segments that were sent again.
const retransmits = "retransmits"

type stormOf struct {
	results.Cell
	probe string
}

// storms gives the number of retransmits above which a sample of a cell stands
// apart: three interquartile ranges above the upper quartile (Tukey,
// Exploratory Data Analysis, 1977: far out).
func (b *builder) storms() map[stormOf]float64 {
	counts := map[stormOf][]float64{}
	for cell, samples := range b.samples {
		for _, s := range samples {
			if v, ok := s.Values[retransmits]; ok && s.Error == "" {
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

// text says it in a line.
func (s *Sensitivity) text() string {
	if s.Left == s.Samples {
		return "No sample was disturbed: none carries a warning, no agent restarted, no storm of retransmits."
	}
	var marked []string
	for _, m := range slices.Sorted(maps.Keys(s.Marked)) {
		marked = append(marked, fmt.Sprintf("%s %d", m, s.Marked[m]))
	}
	text := fmt.Sprintf("Without the %d of %d samples that something disturbed (%s) ", s.Samples-s.Left, s.Samples, strings.Join(marked, ", "))
	if len(s.Changes) == 0 {
		return text + "no verdict changes."
	}
	var changes []string
	for _, c := range s.Changes {
		changes = append(changes, fmt.Sprintf("%s against %s by %s %s over %s is %s and not %s (%d rounds left)",
			c.A, c.B, c.Probe, c.Metric, wireName(c.Wire), c.To, c.From, c.N))
	}
	return text + "these verdicts change: " + strings.Join(changes, "; ") + "."
}
