package model

import (
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/stats"
	"github.com/cnibench/cnibench/words"
)

// PairSpeeds is the goodput of a network over pairs of nodes.
type PairSpeeds struct {
	Plugin   string           `json:"plugin"`
	Topology results.Topology `json:"topology"`
	Kernel   string           `json:"kernel,omitempty"`
	Nodes    int              `json:"nodes"`
	Pairs    int              `json:"pairs"`  // ordered pairs that were measured
	Failed   int              `json:"failed"` // those of them without a figure
	// Cause is the error of most of the failed ones.
	Cause  words.Text `json:"cause,omitzero"`
	Median float64    `json:"median"` // goodput in bit/s
	// Unfinished says that the run was interrupted before all pairs were measured.
	Unfinished bool `json:"unfinished,omitempty"`
	// VsHost is the ratio to the nodes' own network over pairs that have both; nil for that network
	// itself.
	VsHost *OverPairs `json:"vs_host,omitempty"`
	// WithoutSlow is the same without the pairs of slow nodes; nil if
	// there are none.
	WithoutSlow *OverPairs `json:"without_slow,omitempty"`
	// Together is what the network carries when the pairs of a round have streams at the same time;
	// nil if that was not measured.
	Together *Together `json:"together,omitempty"`
	// Findable is the share by which a node must be slower so that it is suspected in about 80 of
	// 100 cases; 0 if nothing could be.
	Findable float64    `json:"findable,omitempty"`
	Slow     []SlowNode `json:"slow"` // that were suspected and compared again
}

// Together is the goodput of all streams of a round of pairs at the same time.
type Together struct {
	Rounds int     `json:"rounds"`
	Pairs  int     `json:"pairs"` // of a round
	Total  float64 `json:"total"` // median over rounds of the sum, in bit/s
	Least  float64 `json:"least"` // goodput of the slowest stream of all rounds, in bit/s; 0 if one failed
}

// OverPairs is a ratio over pairs of nodes, see [stats.OverPairs].
type OverPairs struct {
	N     int         `json:"n"`
	Ratio float64     `json:"ratio"` // geometric mean
	CI    *[2]float64 `json:"ci"`    // null for fewer than 6 nodes
	Next  *[2]float64 `json:"next"`  // where the ratio of one more pair lies; null for fewer than 10 pairs
	Below int         `json:"below"` // pairs with a ratio below 1
}

// SlowNode is a node that seemed slow in a direction.
type SlowNode struct {
	results.Suspect
	N         int         `json:"n"`     // comparisons with other nodes that have the same partner
	Ratio     float64     `json:"ratio"` // to other nodes; 0 if there are no comparisons
	CI        *[2]float64 `json:"ci"`
	Confirmed bool        `json:"confirmed"` // by these comparisons
	// Cause says why there are none.
	Cause words.Text `json:"cause,omitzero"`
	// Underlay says that the node is slow on the nodes' own network too.
	Underlay bool `json:"underlay,omitempty"`
}

// SlowOf returns the confirmed slow nodes of a network.
func (r *Report) SlowOf(plugin string, topology results.Topology) []SlowNode {
	var all []SlowNode
	for _, s := range r.PairSpeeds {
		if s.Plugin == plugin && s.Topology == topology {
			for _, n := range s.Slow {
				if n.Confirmed {
					all = append(all, n)
				}
			}
		}
	}
	return all
}

// OverPairsOf returns a ratio for report.json.
func OverPairsOf(o stats.OverPairs) *OverPairs {
	return &OverPairs{N: o.N, Ratio: o.Ratio, CI: o.CI, Next: o.Next, Below: o.Below}
}
