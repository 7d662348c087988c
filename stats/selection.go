package stats

// orderStatisticOf returns the value that would be at index k if x were sorted. It uses
// quickselect (Hoare, Algorithm 65: Find, CACM 4, 1961), which takes time linear in len(x):
// rank-based intervals need only three of several thousand values. It reorders x, which must not
// contain NaN.
func orderStatisticOf(x []float64, k int) float64 {
	for low, high := 0, len(x)-1; low < high; {
		pivot := medianOfThree(x[low], x[low+(high-low)/2], x[high])
		i, j := low, high
		for i <= j {
			for x[i] < pivot {
				i++
			}
			for x[j] > pivot {
				j--
			}
			if i <= j {
				x[i], x[j] = x[j], x[i]
				i++
				j--
			}
		}
		switch { // all up to j are at most the pivot, all from i on are at least the pivot
		case k <= j:
			high = j
		case k >= i:
			low = i
		default:
			return x[k]
		}
	}
	return x[k]
}

func medianOfThree(a, b, c float64) float64 { return max(min(a, b), min(max(a, b), c)) }

// medianOf returns the median of x, which it reorders.
func medianOf(x []float64) float64 {
	n := len(x)
	upper := orderStatisticOf(x, n/2)
	if n%2 == 1 {
		return upper
	}
	return orderStatisticOf(x[:n/2], n/2-1)/2 + upper/2 // halved first, as in middle
}
