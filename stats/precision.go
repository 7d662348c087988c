package stats

import "math"

// TargetWidth returns how narrow an interval must be, as a share of its ratio, for measuring to
// stop: the requested precision or, for two that differ much, half of the logarithm of their
// ratio. Whether one is 8.0 or 8.2 times slower decides nothing, and to know it to 3 % takes
// hundreds of rounds.
func TargetWidth(precision, ratio float64) float64 {
	return max(precision, math.Abs(math.Log(ratio))/2)
}
