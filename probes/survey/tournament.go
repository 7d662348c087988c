package survey

// allPairsUpTo is the number of nodes up to which every two meet. In a larger network, each
// meets partners others: it has a fault with all of them or, of a fifth of lost packets, in
// 93 % of pairs, and is named if at least half of them show it, which 8 do in more than
// 99.9 % of cases.
const (
	allPairsUpTo = 200
	partners     = 8
)

// schedule returns the rounds of a survey. Of a large network it takes few rounds of the
// tournament: the first two, which together connect all nodes, and others that are spread
// evenly over the rest.
func schedule(n int) [][][2]int {
	all := Rounds(n)
	if n <= allPairsUpTo {
		return all
	}
	some := all[:2:2]
	for i := range partners - 2 {
		some = append(some, all[2+i*(len(all)-2)/(partners-2)])
	}
	return some
}

// Rounds returns a round-robin tournament of n nodes: in each round every node meets at
// most one other, and after all rounds each has met every other once. It is the circle
// method: one node stays in place while the others move around it. An odd number of
// nodes leaves one out in each round.
func Rounds(n int) [][][2]int {
	even := n + n%2
	var all [][][2]int
	for r := range max(even-1, 0) {
		var round [][2]int
		for i := range even / 2 {
			a, b := even-1, r
			if i > 0 {
				a, b = (r+i)%(even-1), (r-i+even-1)%(even-1)
			}
			if a < n && b < n {
				round = append(round, [2]int{min(a, b), max(a, b)})
			}
		}
		all = append(all, round)
	}
	return all
}
