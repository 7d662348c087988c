package advice

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// figures holds the metrics by which plugins are ranked. Each kind has one vote, so that many probes of
// one kind do not outvote another kind.
var figures = map[string]map[string]string{ // kind, probe, metric
	"throughput": {"tcp-stream": "goodput", "udp-pps": "rate"},
	"latency":    {"tcp-rr": "p50", "udp-rr": "p50", "tcp-crr": "rate", "load-latency": "p50"},
}

// Figure reports whether a probe's metric is used for ranking.
func Figure(probe, metric string) bool {
	for kind := range figures {
		if figures[kind][base(probe)] == metric {
			return true
		}
	}
	return false
}

func base(probe string) string {
	name, _, _ := strings.Cut(probe, ":")
	return name
}

// tally compares one plugin with another by all figures.
type tally struct {
	net     int          // kinds of figures that it wins minus those that it loses
	figures []Comparison // what was compared
	decided int          // comparisons that found one of the two plugins faster
	equal   int          // comparisons that found the two plugins equivalent
	partial bool         // some figures were compared, others were not
}

// tie returns how a plugin that wins as many kinds of figures as it loses compares with another, and
// what decides between them. Not finding a difference does not show that there is none.
func (d tally) tie(other string, settled words.Text) words.Text {
	switch {
	case d.decided > 0:
		return words.TieMixed.With(other, settled)
	case d.equal == len(d.figures) && !d.partial:
		return words.TieEqual.With(other, settled)
	}
	return words.TieUnshown.With(other, settled)
}

// evidence returns the figures.
func (d tally) evidence() words.Text {
	var all []words.Text
	for _, c := range d.figures {
		all = append(all, c.Evidence)
	}
	return words.Clauses(all...)
}

// tally compares two plugins by all their figures. Verdicts that do not hold for all figures together
// count as undecided.
func (f *Facts) tally(a, b string) tally {
	var d tally
	for _, kind := range []string{"throughput", "latency"} {
		balance := 0
		for i := range f.Comparisons {
			c := &f.Comparisons[i]
			sign := 0
			switch {
			case c.A == a && c.B == b:
				sign = 1
			case c.A == b && c.B == a:
				sign = -1
			}
			if sign == 0 || figures[kind][base(c.Probe)] != c.Metric {
				continue
			}
			d.figures = append(d.figures, *c)
			switch {
			case !c.Holds:
			case c.Verdict == stats.Equivalent:
				d.equal++
			case c.Verdict == stats.Faster:
				balance += sign
				d.decided++
			case c.Verdict == stats.Slower:
				balance -= sign
				d.decided++
			}
		}
		d.net += cmp.Compare(balance, 0)
	}
	d.partial = len(d.figures) > 0 && len(d.figures) < f.Figures
	return d
}

// timed reports whether a plugin's speed was measured, that is, compared with any other plugin or the
// baseline.
func (f *Facts) timed(plugin string) bool {
	return slices.ContainsFunc(f.Comparisons, func(c Comparison) bool { return c.A == plugin || c.B == plugin })
}

// judged reports whether a plugin was measured in enough rounds to show a difference from any other plugin
// or the baseline.
func (f *Facts) judged(plugin string) bool {
	return slices.ContainsFunc(f.Comparisons, func(c Comparison) bool {
		return (c.A == plugin || c.B == plugin) && (c.Holds || !math.IsInf(c.Detectable, 0))
	})
}

// pair is two of the plugins that fit.
type pair [2]*subject

// ranking compares the plugins that fit with each other.
type ranking struct {
	tallies map[pair]tally
	// contenders are the plugins that speed may choose among, ordered by the preferences.
	contenders []*subject
	// leaders are those contenders that nothing is shown to be faster than, in the same order.
	leaders []*subject
	// cycle reports that every contender is slower than another. The leaders are then the top cycle.
	cycle bool
	// order holds all plugins that fit: the leaders, the other contenders, the rest.
	order []*subject
}

// newRanking compares all plugins that fit. A plugin whose speed was not measured, or in too few rounds
// to show any difference, is never ranked above one whose speed was: not having been measured is no
// merit. Speeds in different kernels are never compared. Plugins measured in the machine's own kernel
// come first, because a kernel that runs in one process says least about a cluster's.
func newRanking(f *Facts, fit []*subject) *ranking {
	r := &ranking{tallies: map[pair]tally{}, order: slices.Clone(fit)}
	compared := map[*subject]bool{}
	for _, a := range fit {
		for _, b := range fit {
			d := f.tally(a.plugin.Name, b.plugin.Name)
			r.tallies[pair{a, b}] = d
			compared[a] = compared[a] || len(d.figures) > 0
		}
	}
	class := func(a, b *subject) int {
		return cmp.Or(
			cmp.Compare(answer(!f.timed(a.plugin.Name)), answer(!f.timed(b.plugin.Name))),
			cmp.Compare(a.plugin.Kernel, b.plugin.Kernel),
			cmp.Compare(answer(!compared[a]), answer(!compared[b])),
			cmp.Compare(answer(!f.judged(a.plugin.Name)), answer(!f.judged(b.plugin.Name))))
	}
	slices.SortStableFunc(r.order, func(a, b *subject) int {
		_, preferred, _ := prefer(a, b)
		return cmp.Or(class(a, b), preferred)
	})
	for _, s := range r.order {
		if class(s, r.order[0]) == 0 {
			r.contenders = append(r.contenders, s)
		}
	}
	r.lead()
	slices.SortStableFunc(r.order, func(a, b *subject) int {
		return cmp.Compare(answer(!slices.Contains(r.leaders, a)), answer(!slices.Contains(r.leaders, b)))
	})
	return r
}

// beats reports whether a wins more kinds of figures against b than it loses.
func (r *ranking) beats(a, b *subject) bool { return r.tallies[pair{a, b}].net > 0 }

// beater returns the plugin that beats s and is named as the reason: the first in the order. It is nil
// if nothing beats s.
func (r *ranking) beater(s *subject) *subject {
	for _, o := range r.order {
		if r.beats(o, s) {
			return o
		}
	}
	return nil
}

// lead finds the leaders: the contenders that none beats. Only direct wins count: that one of two equal
// plugins is shown to be faster than a third and the other is not shows no difference between the two
// (Gelman & Stern, The American Statistician 60, 2006).
//
// If every contender is beaten, the leaders are the smallest set such that nothing outside beats
// anything inside; if there are several such sets, it is their union (Schwartz, Rationality and the Myth
// of the Maximum, Noûs 6, 1972). It consists of the contenders that beat, directly or through others,
// all that beat them in that way.
func (r *ranking) lead() {
	for _, s := range r.contenders {
		if !slices.ContainsFunc(r.contenders, func(o *subject) bool { return r.beats(o, s) }) {
			r.leaders = append(r.leaders, s)
		}
	}
	if len(r.leaders) > 0 {
		return
	}
	r.cycle = true
	reaches := map[pair]bool{}
	for _, a := range r.contenders {
		for _, b := range r.contenders {
			reaches[pair{a, b}] = r.beats(a, b)
		}
	}
	for _, via := range r.contenders {
		for _, a := range r.contenders {
			for _, b := range r.contenders {
				reaches[pair{a, b}] = reaches[pair{a, b}] || reaches[pair{a, via}] && reaches[pair{via, b}]
			}
		}
	}
	for _, s := range r.contenders {
		if !slices.ContainsFunc(r.contenders, func(o *subject) bool { return reaches[pair{o, s}] && !reaches[pair{s, o}] }) {
			r.leaders = append(r.leaders, s)
		}
	}
}
