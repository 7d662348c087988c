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
		var p, near []float64
		var all []stats.Comparison
		for i := range w.plugins {
			for j := i + 1; j < len(w.plugins); j++ {
				c := plain(logsOf(w.plugins[i], w.plugins[j]))
				all, p, near = append(all, c), append(p, c.P), append(near, c.PMargin)
			}
		}
		return plainVerdicts(all, stats.Holm(p), stats.Holm(near))
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
			return plainApart(logExp(logsOf(a.plugins[0], a.plugins[1])), logExp(logsOf(b.plugins[0], b.plugins[1])))
		},
		fastest: mostWins,
		detectable: func(c stats.Comparison, family int) float64 {
			z := distuv.UnitNormal.Quantile
			se := math.Log(c.CI.High/c.CI.Low) / 2 / z(0.975)
			return math.Expm1((z(1-stats.Level/2/float64(family)) + z(0.8)) * se)
		},
		stops: func(w *world) bool {
			for _, c := range judge(w) {
				if c.CI.RelativeWidth(c.Ratio.Ratio) > precision {
					return false
				}
			}
			return true
		},
	}
}

// logsOf returns the logarithms of the blocks' ratios.
func logsOf(a, b map[int]float64) []float64 { return stats.Paired(a, b).Logs }

func logExp(logs []float64) []float64 {
	all := make([]float64, len(logs))
	for i, l := range logs {
		all[i] = math.Exp(l)
	}
	return all
}

// plain returns the ratio of independent blocks: the estimate of Hodges and Lehmann with the
// interval and the p-value of the signed-rank test.
func plain(logs []float64) stats.Comparison {
	n := len(logs)
	var means []float64
	for i := range logs {
		for j := i; j < n; j++ {
			means = append(means, (logs[i]+logs[j])/2)
		}
	}
	slices.Sort(means)
	cdf := signedRankCDF(n)
	k := 0
	for cdf[k] <= 0.025 {
		k++
	}
	p := func(limit float64) float64 {
		below, _ := slices.BinarySearch(means, limit) // the rank sum of the distances from the limit
		return min(1, 2*cdf[min(below, len(means)-below)])
	}
	m, margin := len(means), math.Log1p(stats.DefaultMargin)
	c := stats.Comparison{Ratio: stats.Ratio{N: n, Ratio: math.Exp((means[(m-1)/2] + means[m/2]) / 2), P: p(0), Logs: logs}, PMargin: max(p(margin), p(-margin))}
	if k > 0 {
		c.CI = &stats.Interval{Low: math.Exp(means[k-1]), High: math.Exp(means[m-k])}
	}
	return c
}

// signedRankCDF returns the distribution of the signed-rank statistic of n blocks.
func signedRankCDF(n int) []float64 {
	p := make([]float64, n*(n+1)/2+1)
	p[0] = 1
	for rank := 1; rank <= n; rank++ {
		for w := len(p) - 1; w >= 0; w-- {
			p[w] /= 2
			if w >= rank {
				p[w] += p[w-rank] / 2
			}
		}
	}
	for w := 1; w < len(p); w++ {
		p[w] += p[w-1]
	}
	return p
}

// plainVerdicts gives the verdicts from corrected p-values and plain intervals.
func plainVerdicts(all []stats.Comparison, adjusted, near []float64) []stats.Comparison {
	for i := range all {
		c := &all[i]
		c.PAdjusted, c.Verdict = adjusted[i], stats.Inconclusive
		switch {
		case c.CI == nil:
		case near[i] <= stats.Level && c.CI.Low >= 1/(1+stats.DefaultMargin) && c.CI.High <= 1+stats.DefaultMargin:
			c.Verdict = stats.Equivalent
		case c.PAdjusted > stats.Level || c.CI.Contains(1):
		case c.CI.Low > 1:
			c.Verdict = stats.Faster
		default:
			c.Verdict = stats.Slower
		}
	}
	return all
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
