package stats

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Between compares two ratios that share no blocks, such as those of one plugin to the host in two
// runs: it is the first divided by the second. The standard errors towards each bound add up as
// variances (Zou and Donner, Statistics in Medicine 27, 2008), with Welch's degrees of freedom
// (Biometrika 34, 1947). It assumes that the two ratios are independent.
//
// apart is the standard deviation, as a logarithm, by which the ratio of one plugin is known to
// vary from one side to the other although nothing differs; 0 if the sides already contain it.
//
// N is the smaller number of blocks.
func Between(a, b Ratio, apart float64) Ratio {
	r := Ratio{N: min(a.N, b.N), Ratio: math.NaN(), P: 1, Widened: max(a.Widened, b.Widened)}
	x, y := math.Log(a.Ratio), math.Log(b.Ratio)
	if r.N == 0 || math.Abs(x-y) > limitLog {
		r.N = 0
		return r
	}
	r.Ratio = math.Exp(x - y)
	if a.CI == nil || b.CI == nil {
		return r
	}
	apart *= math.Sqrt2 // of both sides
	r.below = math.Hypot(math.Hypot(a.below, b.above), apart)
	r.above = math.Hypot(math.Hypot(a.above, b.below), apart)
	r.sd = math.Hypot(math.Hypot(a.sd, b.sd), apart)
	r.nu = welch(a, b, apart)
	return r.bounded()
}

// welch returns the degrees of freedom of a difference. The known part of its variance has
// infinitely many.
func welch(a, b Ratio, apart float64) float64 {
	v, w := math.Pow(a.se(), 2), math.Pow(b.se(), 2)
	if v+w == 0 {
		return math.Inf(1)
	}
	return math.Pow(v+w+apart*apart, 2) / (v*v/a.nu + w*w/b.nu)
}

// Spread describes how much a ratio varies, as standard deviations of its logarithm.
type Spread struct {
	Deployments int
	// Between is the standard deviation between deployments, without what the blocks within them
	// explain.
	Between float64
	// Within is the standard deviation between the blocks of a deployment, without bursts; 0 if no
	// deployment has two blocks, and Between contains it then.
	Within float64
}

// LeastDeployments is the least number of deployments of which [OverDeployments] gives an interval.
const LeastDeployments = 3

// OverDeployments estimates the ratio of two plugins, rather than that of two networks that one
// deployment brought up: each deployment counts as one value, the estimate of its own blocks. The
// estimate is the mean of these logarithms, the interval and p-value are those of the t-test
// (Student, Biometrika 6, 1908), which assumes that deployments vary about normally; the rank
// tests of [Paired] would need ten deployments to decide among 15 pairs. Deployments without a
// ratio are left out; with fewer than three there is no interval. N is the number of blocks.
func OverDeployments(each []Ratio) Ratio {
	r := Ratio{Ratio: math.NaN(), P: 1, Widened: 1}
	var logs, distances []float64
	for _, one := range each {
		if one.N == 0 {
			continue
		}
		r.N += one.N
		centre := math.Log(one.Ratio)
		logs = append(logs, centre)
		m := float64(one.N)
		for _, l := range one.Logs {
			if one.N > 1 {
				distances = append(distances, math.Abs(l-centre)*math.Sqrt(m/(m-1)))
			}
		}
	}
	n := float64(len(logs))
	if n == 0 {
		return r
	}
	mean, variance := stat.MeanVariance(logs, nil)
	r.Ratio = math.Exp(mean)
	if len(logs) < LeastDeployments {
		return r
	}
	// The median distance, as a standard deviation of normal noise (factor 1.4826), because a burst
	// would make the blocks look as if they explained the spread of the deployments.
	within := 0.0
	if len(distances) > 0 {
		within = 1.4826 * medianOf(distances)
	}
	explained := within * within * math.Pi / 3 / (float64(r.N) / n) // of an estimate by ranks
	r.Spread = &Spread{len(logs), math.Sqrt(max(0, variance-explained)), within}
	// Deployments that agree by chance vary at least as much as their blocks make them.
	r.sd, r.nu = math.Sqrt(max(variance, explained)/n), n-1
	r.below, r.above = r.sd, r.sd
	return r.bounded()
}
