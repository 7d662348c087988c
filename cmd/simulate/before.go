package main

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/cnibench/cnibench/stats"
)

// before is the procedure of commit 5240fcb, for comparison: rounds count as independent, whatever
// they have in common and whichever deployment they belong to; two runs of one machine are compared
// by their absolute figures, and the advice calls a plugin beaten that wins against fewer others.
func before() procedure {
	judge := func(w *world) []stats.Comparison {
		var family []stats.Ratio
		for i := range w.plugins {
			for j := i + 1; j < len(w.plugins); j++ {
				family = append(family, stats.Paired(w.plugins[i], w.plugins[j]).Unwidened())
			}
		}
		return stats.Judge(family, true, stats.DefaultMargin)
	}
	return procedure{name: "5240fcb", judge: judge,
		level: func(w *world, plugin int) *stats.Interval {
			return stats.Summarize(slices.Concat(w.rounds(plugin)...)).CI
		},
		changed: func(was, now []*world) []stats.Verdict {
			var verdicts []stats.Verdict
			for i := range was {
				verdicts = append(verdicts, plainApart(slices.Concat(now[i].rounds(0)...), slices.Concat(was[i].rounds(0)...)))
			}
			return verdicts
		},
		through: func(a, b *world) stats.Verdict {
			return plainApart(stats.Paired(a.plugins[0], a.plugins[1]).Ratios(), stats.Paired(b.plugins[0], b.plugins[1]).Ratios())
		},
		fastest: mostWins,
		detectable: func(c stats.Comparison, family int) float64 {
			z := distuv.UnitNormal.Quantile
			se := math.Log(c.CI.High/c.CI.Low) / 2 / z(0.975)
			return math.Expm1((z(1-stats.Level/2/float64(family)) + z(0.8)) * se)
		},
		stops: func(w *world) bool {
			for _, c := range judge(w) {
				if c.CI.RelativeWidth(c.Ratio.Ratio) > settings.Precision {
					return false
				}
			}
			return true
		},
	}
}

// plainApart compares two sets of samples as independent ones by the Mann–Whitney test, with the
// normal approximation.
func plainApart(x, y []float64) stats.Verdict {
	var differences []float64
	for _, v := range x {
		for _, w := range y {
			differences = append(differences, math.Log(v)-math.Log(w))
		}
	}
	slices.Sort(differences)
	m, n := float64(len(x)), float64(len(y))
	k := int(m*n/2 - 1.96*math.Sqrt(m*n*(m+n+1)/12))
	low, high := differences[k-1], differences[len(differences)-k]
	margin := math.Log1p(stats.DefaultMargin)
	switch {
	case low >= -margin && high <= margin:
		return stats.Equivalent
	case low > 0:
		return stats.Faster
	case high < 0:
		return stats.Slower
	}
	return stats.Inconclusive
}

// mostWins returns the plugin that 5240fcb called the fastest: the one with most wins minus losses,
// if all others are slower or have fewer wins.
func mostWins(families [][]stats.Comparison) int {
	n := len(contenders)
	net := make([][]int, n)
	for i := range net {
		net[i] = make([]int, n)
	}
	for _, family := range families {
		at := 0
		for i := range n {
			for j := i + 1; j < n; j++ {
				switch family[at].Verdict {
				case stats.Faster:
					net[i][j]++
					net[j][i]--
				case stats.Slower:
					net[i][j]--
					net[j][i]++
				}
				at++
			}
		}
	}
	score := make([]int, n)
	for i := range n {
		for j := range n {
			score[i] += sign(net[i][j])
		}
	}
	best := slices.Index(score, slices.Max(score))
	for j := range n {
		if j != best && net[best][j] <= 0 && score[j] == score[best] {
			return -1
		}
	}
	return best
}

func sign(n int) int { return max(-1, min(1, n)) }
