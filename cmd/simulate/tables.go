package main

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
)

// simulation draws runs and counts their outcomes.
type simulation struct {
	procedure
	draws int
	seed  uint64
}

// draw simulates one run, or whatever else a column needs, and returns 1 if the outcome that is
// counted came up, otherwise 0.
type draw func(p procedure, t trace, rng *rand.Rand) float64

// column is one number of rounds, plugins or deployments of an experiment.
type column struct {
	name string
	draw draw
}

// experiment counts how often an outcome comes up where the truth is known.
type experiment struct {
	name, title string
	// least and most are the goal: the bounds of the share in every column, as far as they are not
	// NaN.
	least, most float64
	columns     []column
}

// free is a bound that is not there.
var free = math.NaN()

// share returns the share of a column's draws from a trace in which the outcome came up.
func (s simulation) share(t trace, c column) float64 {
	var wg sync.WaitGroup
	workers := runtime.NumCPU()
	sums := make([]float64, workers)
	for worker := range workers {
		wg.Go(func() {
			for i := worker; i < s.draws; i += workers {
				// Every draw has its own source, so their order does not matter.
				sums[worker] += c.draw(s.procedure, t, rand.New(rand.NewPCG(s.seed, uint64(i))))
			}
		})
	}
	wg.Wait()
	sum := 0.0
	for _, v := range sums {
		sum += v
	}
	return sum / float64(s.draws)
}

// misses reports whether a share misses the goal by more than three standard errors of the draws.
func (s simulation) misses(e experiment, share float64) bool {
	error3 := func(bound float64) float64 { return 3 * math.Sqrt(bound*(1-bound)/float64(s.draws)) }
	return share > e.most+error3(e.most) || share < e.least-error3(e.least) // false for NaN
}

// table prints an experiment and returns the cells that miss its goal.
func (s simulation) table(out io.Writer, e experiment, traces []trace) (missed []string) {
	fmt.Fprintf(out, "\n%s: %s%s\n%-18s", e.name, e.title, e.goal(), "")
	for _, c := range e.columns {
		fmt.Fprintf(out, " %14s", c.name)
	}
	fmt.Fprintln(out)
	for _, t := range traces {
		fmt.Fprintf(out, "%-18s", t.name)
		for _, c := range e.columns {
			share, mark := s.share(t, c), " "
			if s.misses(e, share) && !(slices.Contains(calmOnly, e.name) && t.noise() > mostNoise) {
				mark = "!"
				missed = append(missed, fmt.Sprintf("%s, %s, %s: %.1f %%", e.name, t.name, c.name, 100*share))
			}
			fmt.Fprintf(out, " %10.1f %% %s", 100*share, mark)
		}
		fmt.Fprintln(out)
	}
	return missed
}

func (e experiment) goal() string {
	switch {
	case !math.IsNaN(e.least) && !math.IsNaN(e.most):
		return fmt.Sprintf(" (goal: %g to %g %%)", 100*e.least, 100*e.most)
	case !math.IsNaN(e.least):
		return fmt.Sprintf(" (goal: at least %g %%)", 100*e.least)
	case !math.IsNaN(e.most):
		return fmt.Sprintf(" (goal: at most %g %%)", 100*e.most)
	}
	return ""
}

// run prints the tables of the experiments with these names, or of all of them, and returns the
// cells that miss their goals.
func (s simulation) run(out io.Writer, traces []trace, names []string) ([]string, error) {
	fmt.Fprintf(out, "procedure: %s; %d draws in each cell, seed %d; ! misses the goal by more than three standard errors\n", s.name, s.draws, s.seed)
	var missed []string
	found := 0
	for _, e := range experiments {
		if len(names) == 0 || slices.Contains(names, e.name) {
			missed, found = append(missed, s.table(out, e, traces)...), found+1
		}
	}
	if found < len(names) {
		return nil, fmt.Errorf("not all of %q are experiments", names)
	}
	return missed, nil
}

// mostNoise is the standard deviation of a trace's logarithms above which it is not calm:
// a node that is a fifth slower is then within the noise of each stream.
const mostNoise = 0.2

// calmOnly names the experiments that hold only calm traces to their goal.
var calmOnly = []string{"slow-node"}
