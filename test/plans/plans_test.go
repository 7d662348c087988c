// Package plans compares plans of sampling: how wide the intervals are that each gives in the
// time that it takes. plans.sh makes the runs.
package plans

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/stats"
)

// figures are what is compared of one question: a probe at a rate limit.
type figures struct {
	widths   []float64 // of each pair's ratio, by logarithm
	outside  int       // ratios of a second run outside the interval of the first
	compared int
	cpu      []float64 // host's, in the probe's unit
	tails    map[string][]float64
	expected []float64 // goodput over what arithmetic allows
}

// TestPlans prints the figures of the runs long-1, short-1, long-2 and so on in the directory that
// PLANS names.
func TestPlans(t *testing.T) {
	dir := os.Getenv("PLANS")
	if dir == "" {
		t.Skip("PLANS does not name a directory of runs; plans.sh makes one")
	}
	plans := map[string]map[string]*figures{}
	for _, plan := range []string{"long", "short"} {
		reports := load(t, dir, plan)
		plans[plan] = gather(reports)
		for _, r := range reports {
			t.Logf("%s: %d rounds in %.0f s", plan, r.Run.Rounds, r.Run.Took)
		}
	}
	for _, question := range sorted(plans["long"]) {
		long, short := plans["long"][question], plans["short"][question]
		if short == nil {
			continue
		}
		t.Logf("%s", question)
		t.Logf("  width of intervals: long %.2f %%, short %.2f %% (medians), short/long %.2f (geometric mean of %d pairs)",
			100*median(long.widths), 100*median(short.widths), geometricMean(short.widths)/geometricMean(long.widths), len(long.widths))
		t.Logf("  ratios of the second run outside the first one's interval: long %d of %d, short %d of %d", long.outside, long.compared, short.outside, short.compared)
		t.Logf("  host's cpu: long %.4g, short %.4g; goodput over expected: long %.4f, short %.4f", long.cpu, short.cpu, long.expected, short.expected)
		for _, name := range sorted(long.tails) {
			t.Logf("  %s of all round trips: long %.4g, short %.4g", name, long.tails[name], short.tails[name])
		}
	}
}

func load(t *testing.T, dir, plan string) []*model.Report {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, plan+"-*", "report.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no run of the plan %s in %s: %v", plan, dir, err)
	}
	var all []*model.Report
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var r model.Report
		if err := json.Unmarshal(text, &r); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		all = append(all, &r)
	}
	return all
}

// gather collects the figures of a plan's runs.
func gather(reports []*model.Report) map[string]*figures {
	all := map[string]*figures{}
	of := func(probe, wire string) *figures {
		name := fmt.Sprintf("%s over %s", probe, wire)
		if all[name] == nil {
			all[name] = &figures{tails: map[string][]float64{}}
		}
		return all[name]
	}
	first := map[string][2]float64{}
	for i, r := range reports {
		for _, c := range r.Comparisons {
			if c.CI == nil {
				continue
			}
			f, name := of(c.Probe, c.Wire), fmt.Sprint(c.A, c.B, c.Probe, c.Wire)
			f.widths = append(f.widths, math.Log(c.CI[1]/c.CI[0]))
			if i == 0 {
				first[name] = *c.CI
			} else if ci, is := first[name]; is {
				f.compared++
				if *c.Ratio < ci[0] || *c.Ratio > ci[1] {
					f.outside++
				}
			}
		}
		for _, c := range r.Cells {
			for _, m := range c.Metrics {
				f := of(m.Probe, c.Wire)
				switch {
				case m.Name == "cpu" && c.Plugin == "host":
					f.cpu = append(f.cpu, m.Median)
				case m.Merged != nil:
					f.tails[c.Plugin+" "+m.Name] = append(f.tails[c.Plugin+" "+m.Name], *m.Merged)
				case m.Expected != nil:
					f.expected = append(f.expected, m.Median / *m.Expected)
				}
			}
		}
	}
	return all
}

func sorted[T any](m map[string]T) []string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func median(x []float64) float64 { return stats.Summarize(x).Median }

func geometricMean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += math.Log(v)
	}
	return math.Exp(sum / float64(len(x)))
}
