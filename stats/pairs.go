package stats

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// PairRatio is the ratio of two figures between the same two nodes.
type PairRatio struct {
	From, To int
	Log      float64 // natural logarithm of the ratio
}

// OverPairs is the ratio of two networks over the pairs of a cluster's nodes.
type OverPairs struct {
	N     int // pairs
	Nodes int
	Ratio float64 // geometric mean
	// CI covers the mean over all pairs of such nodes with 95 %. It is nil for fewer than
	// leastNodes nodes.
	CI *[2]float64
	// Next covers the ratio of one more pair with 95 %. It is nil for fewer than leastPairs pairs.
	Next  *[2]float64
	Below int // pairs with a ratio below 1
}

// With fewer nodes or pairs, an interval says nothing.
const (
	leastNodes = 6
	leastPairs = 10
)

// MeanOverPairs estimates a ratio over pairs of nodes. Pairs that share a node are not
// independent, so the variance of the mean adds up the products of residuals of all pairs that share
// a node (dyadic-robust: Aronow, Samii and Assenova, Political Analysis 23, 2015), and the interval
// has the degrees of freedom of the nodes, not of the pairs.
func MeanOverPairs(pairs []PairRatio) OverPairs {
	o := OverPairs{N: len(pairs), Ratio: math.NaN()}
	if o.N == 0 {
		return o
	}
	mean, nodes := 0.0, map[int]bool{}
	for _, p := range pairs {
		mean += p.Log / float64(o.N)
		nodes[p.From], nodes[p.To] = true, true
		if p.Log < 0 {
			o.Below++
		}
	}
	o.Nodes, o.Ratio = len(nodes), math.Exp(mean)
	squares, shared := productsOf(pairs, mean)
	n := float64(o.N)
	variance := squares / max(n-1, 1)
	if o.Nodes >= leastNodes {
		free := float64(o.Nodes - 2)
		error := math.Sqrt(max(shared*float64(o.Nodes)/free, squares) / (n * n))
		o.CI = around(mean, error, free)
	}
	if o.N >= leastPairs {
		o.Next = around(mean, math.Sqrt(variance*(1+1/n)), n-1)
	}
	return o
}

// productsOf adds up the squares of the residuals, and the products of the residuals of all
// pairs that share a node: the squares of each node's sum, which have the products within two
// nodes twice.
func productsOf(pairs []PairRatio, mean float64) (squares, shared float64) {
	ofNode, ofTwo := map[int]float64{}, map[[2]int]float64{}
	for _, p := range pairs {
		residual := p.Log - mean
		squares += residual * residual
		ofNode[p.From] += residual
		ofNode[p.To] += residual
		ofTwo[[2]int{min(p.From, p.To), max(p.From, p.To)}] += residual
	}
	for _, sum := range ofNode {
		shared += sum * sum
	}
	for _, sum := range ofTwo {
		shared -= sum * sum
	}
	return squares, shared
}

// around returns the 95 % interval of a t distribution, as ratios.
func around(mean, scale, free float64) *[2]float64 {
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: free}.Quantile(1 - Level/2)
	return &[2]float64{math.Exp(mean - t*scale), math.Exp(mean + t*scale)}
}
