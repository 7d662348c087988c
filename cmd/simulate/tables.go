package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/cnibench/cnibench/stats"
)

// plugins is the number of plugins in a simulated comparison.
const plugins = 6

// simulation draws runs and counts outcomes.
type simulation struct {
	draws int
	seed  uint64
}

// shares draws runs from a trace and returns the average, per draw, of each quantity that a draw
// counts.
func (s *simulation) shares(t trace, kinds int, draw func(rng *rand.Rand, count []float64)) []float64 {
	var wg sync.WaitGroup
	var lock sync.Mutex
	sums := make([]float64, kinds)
	workers := runtime.NumCPU()
	for worker := range workers {
		wg.Go(func() {
			count := make([]float64, kinds)
			for i := worker; i < s.draws; i += workers {
				// Every draw has its own random source, so their order does not matter.
				draw(rand.New(rand.NewPCG(s.seed, uint64(i))), count)
			}
			lock.Lock()
			defer lock.Unlock()
			for k := range sums {
				sums[k] += count[k]
			}
		})
	}
	wg.Wait()
	for k := range sums {
		sums[k] /= float64(s.draws)
	}
	return sums
}

func same(n int) []float64 {
	factors := make([]float64, n)
	for i := range factors {
		factors[i] = 1
	}
	return factors
}

// identicalRow holds the results for plugins that do not differ.
type identicalRow struct {
	wrong10, wrong30, wrongStop     float64 // any pair faster or slower
	equivalent, inconclusive        float64 // share of the pairs when the run stops
	peersAny5, peersAny10           float64 // any pair
	peersPair5, peersPair10, rounds float64
}

func (s *simulation) identicalRow(t trace) identicalRow {
	v := s.shares(t, 10, func(rng *rand.Rand, count []float64) {
		w := newWorld(t, rng, same(plugins)...)
		for i, blocks := range []int{10, 20} {
			w.measure(blocks)
			if wrong(w.judge()) {
				count[i]++
			}
		}
		w = newWorld(t, rng, same(plugins)...)
		w.untilPrecise(cap30)
		family := w.judge()
		if wrong(family) {
			count[2]++
		}
		for _, c := range family {
			switch c.Verdict {
			case stats.Equivalent:
				count[3] += 1 / float64(len(family))
			case stats.Inconclusive:
				count[4] += 1 / float64(len(family))
			}
		}
		means := peers(newWalk(t, rng), same(plugins)...)
		for i, yes := range []bool{apart(means, 0.05), apart(means, 0.10), apart(means[:2], 0.05), apart(means[:2], 0.10)} {
			if yes {
				count[5+i]++
			}
		}
		count[9] += float64(w.blocks)
	})
	return identicalRow{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8], v[9]}
}

// wrong reports whether plugins that do not differ are found different.
func wrong(family []stats.Comparison) bool {
	for _, c := range family {
		if c.Verdict == stats.Faster || c.Verdict == stats.Slower {
			return true
		}
	}
	return false
}

func (s *simulation) identical(out io.Writer, traces []trace) {
	fmt.Fprintf(out, "\n%d identical plugins: runs in which any pair is called faster or slower (goal: at most 5 %%), and the pairs' verdicts when the run stops\n", plugins)
	fmt.Fprintf(out, "%-20s %9s %9s %9s %7s %11s %13s | %s\n", "", "10 rounds", "30 rounds", "adaptive", "rounds", "equivalent", "inconclusive",
		"peers, 3+3 means: any pair > 5 %, > 10 %; one pair > 5 %, > 10 %")
	for _, t := range traces {
		r := s.identicalRow(t)
		fmt.Fprintf(out, "%-20s %s %s %s %7.1f %s   %s   | %s %s %s %s\n", t.name, cell(r.wrong10), cell(r.wrong30), cell(r.wrongStop), r.rounds,
			cell(r.equivalent), cell(r.inconclusive), cell(r.peersAny5), cell(r.peersAny10), cell(r.peersPair5), cell(r.peersPair10))
	}
}

// coverageRow holds how often intervals contain the truth, and how wide they are.
type coverageRow struct {
	fixed    map[int]float64 // by rounds, Hodges–Lehmann
	adaptive float64
	covers   []float64 // of each estimator after ten rounds
	width    []float64 // mean full width after ten rounds
}

// coverageRounds are the numbers of rounds after which intervals are evaluated.
var coverageRounds = []int{6, 10, 30}

func (s *simulation) coverageRow(t trace) coverageRow {
	const ratio = 0.95
	k := len(coverageRounds)
	v := s.shares(t, k+1+2*len(estimators), func(rng *rand.Rand, count []float64) {
		w := newWorld(t, rng, append([]float64{ratio}, same(plugins-1)...)...)
		for i, rounds := range coverageRounds {
			w.measure(rounds - w.blocks)
			r := stats.Paired(w.plugins[0], w.plugins[1])
			if r.CI.Contains(ratio) {
				count[i]++
			}
			if rounds != 10 {
				continue
			}
			for j, e := range estimators {
				low, high := e.interval(r.Logs, w)
				if low <= math.Log(ratio) && math.Log(ratio) <= high {
					count[k+1+j]++
				}
				count[k+1+len(estimators)+j] += high - low
			}
		}
		w = newWorld(t, rng, append([]float64{ratio}, same(plugins-1)...)...)
		w.untilPrecise(cap30)
		if stats.Paired(w.plugins[0], w.plugins[1]).CI.Contains(ratio) {
			count[k]++
		}
	})
	row := coverageRow{fixed: map[int]float64{}, adaptive: v[k], covers: v[k+1 : k+1+len(estimators)], width: v[k+1+len(estimators):]}
	for i, rounds := range coverageRounds {
		row.fixed[rounds] = v[i]
	}
	return row
}

func (s *simulation) coverage(out io.Writer, traces []trace) {
	fmt.Fprintf(out, "\ncoverage of the 95 %% interval of one ratio (goal: 93 to 97.5 %%; adaptive at least 92 %%), and that of other intervals after 10 rounds\n")
	fmt.Fprintf(out, "%-20s %9s %9s %9s %9s |", "", "6 rounds", "10", "30", "adaptive")
	for _, e := range estimators {
		fmt.Fprintf(out, " %22s", e.name+", width")
	}
	fmt.Fprintln(out)
	for _, t := range traces {
		r := s.coverageRow(t)
		fmt.Fprintf(out, "%-20s %s %s %s %s |", t.name, cell(r.fixed[6]), cell(r.fixed[10]), cell(r.fixed[30]), cell(r.adaptive))
		for i := range estimators {
			fmt.Fprintf(out, " %s, %6.1f %%  ", cell(r.covers[i]), 100*r.width[i])
		}
		fmt.Fprintln(out)
	}
}

// differentRow holds how often a plugin that is 5 % slower than five equal ones is called slower
// than another one.
type differentRow struct {
	by10, by30, by100, adaptive float64
	peers5, peers10             float64
	equivalent                  float64 // any pair with it called equivalent after 30 rounds, which is wrong
	couldFind                   float64 // average of the smallest difference that a run claims it could find after 30 rounds
}

func (s *simulation) differentRow(t trace, most int) differentRow {
	const ratio = 0.95
	factors := append([]float64{ratio}, same(plugins-1)...)
	v := s.shares(t, 8, func(rng *rand.Rand, count []float64) {
		w := newWorld(t, rng, factors...)
		for i, rounds := range []int{10, 30, 100} {
			if rounds > most {
				break
			}
			w.measure(rounds - w.blocks)
			family := w.judge()
			if family[0].Verdict == stats.Slower {
				count[i]++
			}
			if rounds == 30 {
				count[6] += anyEquivalent(family[:plugins-1])
				count[7] += family[0].Detectable(len(family))
			}
		}
		w = newWorld(t, rng, factors...)
		w.untilPrecise(cap30)
		if w.judge()[0].Verdict == stats.Slower {
			count[3]++
		}
		means := peers(newWalk(t, rng), factors...)
		for i, tolerance := range []float64{0.05, 0.10} {
			if means[0] < means[1]*(1-tolerance) {
				count[4+i]++
			}
		}
	})
	return differentRow{v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]}
}

// anyEquivalent returns 1 if any pair is called equivalent, otherwise 0.
func anyEquivalent(pairs []stats.Comparison) float64 {
	for _, c := range pairs {
		if c.Verdict == stats.Equivalent {
			return 1
		}
	}
	return 0
}

func (s *simulation) different(out io.Writer, traces []trace) {
	fmt.Fprintf(out, "\none of %d plugins is 5 %% slower: runs in which it is called slower than another one (goal: at least 90 %% by the cap of %d)\n", plugins, cap30)
	fmt.Fprintf(out, "%-20s %9s %9s %9s %9s | %s\n", "", "10 rounds", "30", "100", "adaptive",
		"called equivalent, the run says it could find | peers, 3+3 means: > 5 %, > 10 %")
	for _, t := range traces {
		r := s.differentRow(t, 100)
		fmt.Fprintf(out, "%-20s %s %s %s %s | %s %s                       | %s %s\n", t.name, cell(r.by10), cell(r.by30), cell(r.by100), cell(r.adaptive),
			cell(r.equivalent), cell(r.couldFind), cell(r.peers5), cell(r.peers10))
	}
}

func cell(share float64) string { return fmt.Sprintf("%7.1f %%", 100*share) }
