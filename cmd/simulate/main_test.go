package main

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// small is a simulation that is small enough for a test. `make simulate` makes more draws.
var small = simulation{draws: 250, seed: 7}

// error3 returns three standard errors of a share observed in the given number of draws.
func error3(share float64, draws int) float64 {
	return 3 * math.Sqrt(share*(1-share)/float64(draws))
}

func traces(t *testing.T) []trace {
	t.Helper()
	all, err := load("../../stats/testdata")
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// In 95 % of whole runs, plugins that do not differ must not be found different.
func TestIdenticalPlugins(t *testing.T) {
	for _, trace := range traces(t) {
		t.Run(trace.name, func(t *testing.T) {
			r := small.identicalRow(trace)
			for name, wrong := range map[string]float64{"10 rounds": r.wrong10, "30 rounds": r.wrong30, "adaptive": r.wrongStop} {
				if wrong > 0.05+error3(0.05, small.draws) {
					t.Errorf("%s: any pair faster or slower in %.1f %% of the runs", name, 100*wrong)
				}
			}
			if r.equivalent+r.inconclusive < 0.95 {
				t.Errorf("equivalent %.3f, inconclusive %.3f", r.equivalent, r.inconclusive)
			}
		})
	}
}

// Intervals must contain the truth about as often as they claim, even if their width stopped the
// run.
func TestCoverage(t *testing.T) {
	for _, trace := range traces(t) {
		t.Run(trace.name, func(t *testing.T) {
			r := small.coverageRow(trace)
			for rounds, covers := range r.fixed {
				if covers < 0.93-error3(0.93, small.draws) || covers > 0.975+error3(0.975, small.draws) {
					t.Errorf("%d rounds: %.1f %%", rounds, 100*covers)
				}
			}
			if r.adaptive < 0.92-error3(0.92, small.draws) {
				t.Errorf("adaptive: %.1f %%", 100*r.adaptive)
			}
		})
	}
}

// A difference of 5 % must be found within the default maximum of 30 rounds. If the noise is too
// large for any procedure (single samples from 0.15 to 1.5 of the median), the run must say that
// it could not have found the difference, and must not call the plugins equivalent.
func TestDifferentPlugin(t *testing.T) {
	const difference, tooNoisy = 0.05, "goodput-loaded"
	few := simulation{draws: 150, seed: 7}
	for _, trace := range traces(t) {
		t.Run(trace.name, func(t *testing.T) {
			r := few.differentRow(trace, 30)
			if trace.name == tooNoisy {
				if r.couldFind < difference {
					t.Errorf("%.1f %% are claimed to be found, but %.1f %% of the runs find them", 100*r.couldFind, 100*r.by30)
				}
			} else if r.by30 < 0.9-error3(0.9, few.draws) {
				t.Errorf("found in %.1f %% of the runs", 100*r.by30)
			}
			if r.equivalent > 0.05+error3(0.05, few.draws) {
				t.Errorf("called equivalent in %.1f %% of the runs", 100*r.equivalent)
			}
		})
	}
}

// Every draw has its own random source: the same seed prints the same tables.
func TestTablesAreReproducible(t *testing.T) {
	s := simulation{draws: 4, seed: 3}
	var first, again bytes.Buffer
	for _, out := range []*bytes.Buffer{&first, &again} {
		if err := s.run(out, "../../stats/testdata"); err != nil {
			t.Fatal(err)
		}
	}
	if first.String() != again.String() || strings.Contains(first.String(), "NaN") {
		t.Errorf("got\n%s\nand\n%s", &first, &again)
	}
}

func TestNoTraces(t *testing.T) {
	if _, err := load(t.TempDir()); err == nil || !strings.Contains(err.Error(), "-traces") {
		t.Errorf("error %v", err)
	}
}
