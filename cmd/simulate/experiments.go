package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/cnibench/cnibench/stats"
)

// experiments lists everything that is simulated. docs/statistics.md discusses the outcomes.
var experiments = []experiment{
	{"identical", "no plugin differs, any pair is called faster or slower", free, 0.05, append(roundsOf(told(identical), 12, 30, 60),
		column{name: "3, adaptive", draw: func(p procedure, t trace, rng *rand.Rand) float64 {
			return yes(anyCalled(p.judge(newWorld(t, rng, identical(3)).untilPrecise(p))))
		}})},
	{"wandering-0.3", "the same, and each plugin's own level wanders with a correlation of 0.3 from round to round", free, 0.05,
		roundsOf(told(wandering(0.3)), 12, 30, 60)},
	{"wandering-0.6", "the same with a correlation of 0.6", free, 0.05, roundsOf(told(wandering(0.6)), 12, 30, 60)},
	{"carry-over", "no plugin differs, but each sample after one of the first plugin is slower by 0.3 %", free, 0.05,
		roundsOf(told(func(n int) truth { is := identical(n); is.carry = 0.003; return is }), 30)},
	{"deployments", "no plugin differs, but deployments do by 3 %; a verdict on the plugins", free, 0.05, []column{
		{name: "2, 6 of 5", draw: told(deployed(6))(2, 30)}, {name: "6, 6 of 5", draw: told(deployed(6))(6, 30)}, {name: "6, 10 of 6", draw: told(deployed(10))(6, 60)}}},
	{"one-deployment", "the same with one deployment, which a verdict must name", free, free, []column{
		{name: "2, 1 of 30", draw: told(deployed(1))(2, 30)}, {name: "6, 1 of 30", draw: told(deployed(1))(6, 30)}}},
	{"phases", "two plugins that do not differ, measured one after the other, each with the host, are called different", free, 0.05, []column{
		{name: "12", draw: through(12)}, {name: "30", draw: through(30)}, {name: "60", draw: through(60)}}},
	{"covers", "the interval of a ratio of 0.95 contains it", 0.93, free, []column{
		{name: "2, 12", draw: covers(2, 12)}, {name: "2, 30", draw: covers(2, 30)}, {name: "2, 60", draw: covers(2, 60)}, {name: "6, 30", draw: covers(6, 30)},
		{name: "3, adaptive", draw: func(p procedure, t trace, rng *rand.Rand) float64 {
			return yes(p.judge(newWorld(t, rng, identical(3).but(0.95)).untilPrecise(p))[0].CI.Contains(0.95))
		}}}},
	{"level", "the interval of a cell's level contains the level of the whole trace", 0.93, free, levels(func(i stats.Interval, level float64) bool { return i.Contains(level) })},
	{"accept", "a threshold equal to the level of the whole trace is passed", free, 0.025, levels(func(i stats.Interval, level float64) bool { return i.Low > level })},
	{"compare", "one plugin in two runs is called different; deployments differ by 3 %", free, 0.05, []column{
		{name: "1 of 12", draw: twice(1, 1, 12)}, {name: "1 of 30", draw: twice(1, 1, 30)}, {name: "6 of 5", draw: twice(1, 6, 30)}, {name: "6 of 10", draw: twice(1, 6, 60)}}},
	{"fastest", "one of several equal plugins of five is called the fastest, by two figures", free, 0.05, []column{
		{name: "5 equal, 12", draw: fastest(1, 12)}, {name: "5 equal, 30", draw: fastest(1, 30)}, {name: "4 equal, 12", draw: fastest(0.97, 12)}, {name: "4 equal, 30", draw: fastest(0.97, 30)}, {name: "4 equal, 60", draw: fastest(0.97, 60)}}},
	{"margin", "a plugin that differs from all others by exactly the margin is called equivalent to any of them", free, 0.05, []column{
		{name: "6, 30", draw: equivalent(6, 30)}, {name: "6, 60", draw: equivalent(6, 60)},
		{name: "10 cells, 2 runs", draw: func(p procedure, t trace, rng *rand.Rand) float64 {
			var was, now []*world
			for range 10 {
				was = append(was, newWorld(t, rng, identical(2)).run(30))
				now = append(now, newWorld(t, rng, identical(2).but(1+stats.DefaultMargin)).run(30))
			}
			for _, v := range p.changed(was, now) {
				if v == stats.Equivalent {
					return 1
				}
			}
			return 0
		}}}},
	{"detectable", "a plugin that differs by what a run in the same minutes says it could find is found", 0.75, 0.85, []column{
		detects(2, 12), detects(2, 30), detects(2, 60), detects(6, 12), detects(6, 30), detects(6, 60)}},
	{"slow-node", "a node that receives 20 % less than others is found by eight partners each; not held to traces with more than 20 % of noise", 0.90, free, []column{
		{name: "10 nodes", draw: finds(10, 40, 0.8)}, {name: "16 nodes", draw: finds(16, 64, 0.8)}, {name: "40 nodes", draw: finds(40, 160, 0.8)}}},
	{"slow-node-10", "a node that receives 10 % less is found", free, free, []column{
		{name: "16 nodes", draw: finds(16, 64, 0.9)}, {name: "40 nodes", draw: finds(40, 160, 0.9)}}},
	{"no-slow-node", "any node is called slow that is not", free, 0.05, []column{
		{name: "10 nodes", draw: invents(10, 40, 1)}, {name: "16 nodes", draw: invents(16, 64, 1)}, {name: "16, one slow", draw: invents(16, 64, 0.8)}, {name: "40 nodes", draw: invents(40, 160, 1)}}},
	{"power", "one plugin of six, or of two, is 5 % slower and called so", free, free, roundsOf(func(n, rounds int) draw {
		return func(p procedure, t trace, rng *rand.Rand) float64 {
			return yes(p.judge(newWorld(t, rng, identical(n).but(0.95)).run(rounds))[0].Verdict == stats.Slower)
		}
	}, 12, 30, 60)},
	{"run-wide", "no plugin of six differs, any pair is called different by any of several figures, 12 rounds", free, free, []column{
		{name: "1 figure", draw: runWide(1)}, {name: "4 figures", draw: runWide(4)}, {name: "12 figures", draw: runWide(12)}}},
	{"peers", "no plugin of six differs, the means of three samples in a row differ by more than a tolerance, as in other tools", free, free, []column{
		{name: "5 %", draw: peers(0.05)}, {name: "10 %", draw: peers(0.10)}}},
}

func yes(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// roundsOf returns columns of two and of six plugins for each number of rounds.
func roundsOf(of func(n, rounds int) draw, rounds ...int) []column {
	var all []column
	for _, n := range []int{2, 6} {
		for _, r := range rounds {
			all = append(all, column{name: name(n, r), draw: of(n, r)})
		}
	}
	return all
}

// told returns draws in which any pair of a run is called different.
func told(is func(n int) truth) func(n, rounds int) draw {
	return func(n, rounds int) draw {
		return func(p procedure, t trace, rng *rand.Rand) float64 {
			return yes(anyCalled(p.judge(newWorld(t, rng, is(n)).run(rounds))))
		}
	}
}

func wandering(correlation float64) func(n int) truth {
	return func(n int) truth {
		is := identical(n)
		is.wander = correlation
		return is
	}
}

// deployed returns the truth of identical plugins whose deployments differ.
func deployed(deployments int) func(n int) truth {
	return func(n int) truth {
		is := identical(n)
		is.deployments, is.apart = deployments, 0.03
		return is
	}
}

func through(rounds int) draw {
	return func(p procedure, t trace, rng *rand.Rand) float64 {
		return yes(called(p.through(newWorld(t, rng, identical(2)).run(rounds), newWorld(t, rng, identical(2)).run(rounds))))
	}
}

func covers(n, rounds int) draw {
	return func(p procedure, t trace, rng *rand.Rand) float64 {
		return yes(p.judge(newWorld(t, rng, identical(n).but(0.95)).run(rounds))[0].CI.Contains(0.95))
	}
}

// levels returns columns in which the interval of a cell's level is held against the trace.
func levels(holds func(i stats.Interval, level float64) bool) []column {
	of := func(n, deployments, rounds int) draw {
		return func(p procedure, t trace, rng *rand.Rand) float64 {
			is := identical(n)
			is.deployments = deployments
			i := p.level(newWorld(t, rng, is).run(rounds), 0)
			return yes(holds(*i, t.level))
		}
	}
	return []column{{name: "2, 12", draw: of(2, 1, 12)}, {name: "2, 30", draw: of(2, 1, 30)}, {name: "2, 60", draw: of(2, 1, 60)}, {name: "6, 12", draw: of(6, 1, 12)}, {name: "6, 30", draw: of(6, 1, 30)}, {name: "6, 6 of 5", draw: of(6, 6, 30)}}
}

// twice measures the cells of a run twice, each time with its own deployments.
func twice(cells, deployments, rounds int) draw {
	return func(p procedure, t trace, rng *rand.Rand) float64 {
		var was, now []*world
		for range cells {
			was = append(was, newWorld(t, rng, deployed(deployments)(2)).run(rounds))
			now = append(now, newWorld(t, rng, deployed(deployments)(2)).run(rounds))
		}
		for _, v := range p.changed(was, now) {
			if called(v) {
				return 1
			}
		}
		return 0
	}
}

// fastest measures five plugins by two figures, of which the first plugin has this factor.
func fastest(factor float64, rounds int) draw {
	return func(p procedure, t trace, rng *rand.Rand) float64 {
		is := identical(len(contenders)).but(factor)
		best := p.fastest([][]stats.Comparison{p.judge(newWorld(t, rng, is).run(rounds)), p.judge(newWorld(t, rng, is).run(rounds))})
		return yes(best >= 0)
	}
}

func equivalent(n, rounds int) draw {
	return func(p procedure, t trace, rng *rand.Rand) float64 {
		for _, c := range p.judge(newWorld(t, rng, identical(n).but(1+stats.DefaultMargin)).run(rounds))[:n-1] {
			if c.Verdict == stats.Equivalent {
				return 1
			}
		}
		return 0
	}
}

// detects measures a run without a difference, and then, in the same minutes of the trace, one in
// which the first plugin differs by what the former said it could find.
func detects(n, rounds int) column {
	return column{name(n, rounds), func(p procedure, t trace, rng *rand.Rand) float64 {
		w := newWorld(t, rng, identical(n))
		minutes := w.at
		family := p.judge(w.run(rounds))
		again := newWorld(t, rng, identical(n).but(1+p.detectable(family[0], len(family))))
		again.at = minutes
		// Small differences may be found and yet be equivalent.
		c := p.judge(again.run(rounds))[0]
		return yes(c.PAdjusted <= stats.Level && c.CI.Low > 1)
	}}
}

func runWide(figures int) draw {
	return func(p procedure, t trace, rng *rand.Rand) float64 {
		for range figures {
			if anyCalled(p.judge(newWorld(t, rng, identical(6)).run(12))) {
				return 1
			}
		}
		return 0
	}
}

// peers does what other tools do: it takes three samples of one plugin, then three of the next, and
// compares their means.
func peers(tolerance float64) draw {
	const samples = 3
	return func(_ procedure, t trace, rng *rand.Rand) float64 {
		w := newWalk(t, rng)
		least, most := 0.0, 0.0
		for range 6 {
			mean := 0.0
			for range samples {
				mean += w.next() / samples
			}
			if least == 0 || mean < least {
				least = mean
			}
			most = max(most, mean)
		}
		return yes(most > least*(1+tolerance))
	}
}

func name(n, rounds int) string { return fmt.Sprintf("%d, %d", n, rounds) }
