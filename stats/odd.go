package stats

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// Stream is a figure between two nodes, which are numbered from 0.
type Stream struct {
	From, To int
	Block    int     // streams of one block were measured in the same minutes
	Log      float64 // natural logarithm of the figure
}

// Line is a node as the sender or the receiver of its streams.
type Line struct {
	Node     int
	Receiver bool
}

// sweeps is how often the effects are fitted in turn. In designs of eight partners, ten
// leave less than a thousandth of the noise.
const sweeps = 10

// farResidual is the number of standard deviations beyond which a residual counts as one at
// that distance (Huber, Robust Statistics, 1981, section 7.8): a stream that something else
// disturbed should not make its nodes odd.
const farResidual = 2.5

// Effects fits log y = block + sender + receiver by least squares, once more with far
// residuals drawn in. An effect is relative to the others, and NaN for a node without
// streams in that direction.
func Effects(streams []Stream, nodes int) (senders, receivers []float64) {
	y := make([]float64, len(streams))
	for i, s := range streams {
		y[i] = s.Log
	}
	_, _, residuals := fit(streams, y, nodes)
	scale := madScale(residuals)
	for i := range y {
		y[i] += max(min(residuals[i], farResidual*scale), -farResidual*scale) - residuals[i]
	}
	senders, receivers, _ = fit(streams, y, nodes)
	return senders, receivers
}

func fit(streams []Stream, y []float64, nodes int) (senders, receivers, residuals []float64) {
	blocks := 0
	for _, s := range streams {
		blocks = max(blocks, s.Block+1)
	}
	residuals = slices.Clone(y)
	effect := func(n int, of func(Stream) int) []float64 {
		sum, count := make([]float64, n), make([]float64, n)
		for i, s := range streams {
			sum[of(s)] += residuals[i]
			count[of(s)]++
		}
		for i := range sum {
			sum[i] /= count[i] // NaN where there is none
		}
		for i, s := range streams {
			residuals[i] -= sum[of(s)]
		}
		return sum
	}
	senders, receivers = make([]float64, nodes), make([]float64, nodes)
	for range sweeps {
		effect(blocks, func(s Stream) int { return s.Block })
		for i, v := range effect(nodes, func(s Stream) int { return s.From }) {
			senders[i] += v
		}
		for i, v := range effect(nodes, func(s Stream) int { return s.To }) {
			receivers[i] += v
		}
	}
	return senders, receivers, residuals
}

// madScale estimates a standard deviation by the median absolute deviation from the median.
func madScale(values []float64) float64 {
	values = slices.DeleteFunc(slices.Clone(values), math.IsNaN)
	if len(values) == 0 {
		return 0
	}
	middle := medianOf(slices.Clone(values))
	for i, v := range values {
		values[i] = math.Abs(v - middle)
	}
	const consistent = 1.4826 // for the normal distribution
	return consistent * medianOf(values)
}

// leastScale is the spread of nodes below which a node is not odd, however alike the others
// are: half a percent.
const leastScale = 0.005

// slowness returns how many standard deviations each line lies below the median of its
// direction.
func slowness(streams []Stream, nodes int) map[Line]float64 {
	all := map[Line]float64{}
	senders, receivers := Effects(streams, nodes)
	for receiver, effects := range map[bool][]float64{false: senders, true: receivers} {
		known := slices.DeleteFunc(slices.Clone(effects), math.IsNaN)
		if len(known) == 0 {
			continue
		}
		middle, scale := medianOf(known), max(madScale(effects), leastScale)
		for i, v := range effects {
			if !math.IsNaN(v) {
				all[Line{i, receiver}] = (middle - v) / scale
			}
		}
	}
	return all
}

// SuspectLevel is the probability that a survey raises suspicion if no node is slow. What is
// measured again alone decides, so it may be large.
const SuspectLevel = 0.2

// suspectDraws is how many surveys without an odd node the threshold is taken from.
const suspectDraws = 500

// Suspects returns the lines that are slower than others in streams, the slowest first. If
// no node is odd, the probability of any suspect is level: the threshold is the quantile
// of the slowest line in simulations of the same design with normal noise, because quantiles of the
// normal distribution, corrected for the number of lines, give several times as many false alarms in
// designs of this size.
func Suspects(streams []Stream, nodes int, level float64, random *rand.Rand) []Line {
	if len(streams) == 0 {
		return nil
	}
	threshold, found := suspectAt(streams, nodes, level, random), slowness(streams, nodes)
	var all []Line
	for line, z := range found {
		if z > threshold {
			all = append(all, line)
		}
	}
	slices.SortFunc(all, func(a, b Line) int {
		return cmp.Or(cmp.Compare(found[b], found[a]), cmp.Compare(a.Node, b.Node))
	})
	return all
}

// suspectAt returns the threshold of slowness.
func suspectAt(streams []Stream, nodes int, level float64, random *rand.Rand) float64 {
	draw := slices.Clone(streams)
	slowest := make([]float64, suspectDraws)
	for i := range slowest {
		for j := range draw {
			draw[j].Log = random.NormFloat64() // far more than leastScale
		}
		slowest[i] = math.Inf(-1)
		for _, z := range slowness(draw, nodes) {
			slowest[i] = max(slowest[i], z)
		}
	}
	slices.Sort(slowest)
	return slowest[min(int((1-level)*suspectDraws), suspectDraws-1)]
}

// Findable returns by what share a node must be slower so that the streams raise suspicion
// in about 80 of 100 cases; NaN if they tell nothing.
func Findable(streams []Stream, nodes int, level float64, random *rand.Rand) float64 {
	senders, receivers := Effects(streams, nodes)
	if len(streams) == 0 {
		return math.NaN()
	}
	const power = 0.8416 // the normal distribution's quantile of 80 %
	scale := max(madScale(senders), madScale(receivers), leastScale)
	return 1 - math.Exp(-scale*(suspectAt(streams, nodes, level, random)+power))
}

// SlowLine is a suspect's figures over those of other nodes with the same partners.
type SlowLine struct {
	Comparison
	// Confirmed says that the node is slower by more than the margin.
	Confirmed bool
}

// Confirm judges the suspects of one network by what was measured again, each by the ratio
// to other nodes with the same partners. The first stage does not count, since it chose
// the suspects. Nodes are never quite alike, so one is called slow only if the whole interval
// lies below 1 by more than the margin, which Holm's correction over the suspects allows.
func Confirm(family []Ratio, margin float64) []SlowLine {
	all := make([]SlowLine, len(family))
	for i, c := range Judge(family, true, margin) {
		all[i] = SlowLine{c, c.Verdict == Slower && c.CI != nil && c.CI.High < 1-margin}
	}
	return all
}
