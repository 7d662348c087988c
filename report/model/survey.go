package model

import (
	"github.com/cnibench/cnibench/report/mesh"
	"github.com/cnibench/cnibench/results"
)

// Survey is what the survey of all pairs of a network's nodes found.
type Survey struct {
	Plugin   string           `json:"plugin"`
	Topology results.Topology `json:"topology"`
	Kernel   string           `json:"kernel,omitempty"`
	Nodes    int              `json:"nodes"` // that should take part
	// Pairs is how many ordered pairs were tried, and Reached between how many of them packets
	// arrived.
	Pairs   int `json:"pairs"`
	Reached int `json:"reached"`
	// RTT is the median of the pairs' round trips in seconds, 0 if no packet was answered.
	RTT float64 `json:"rtt,omitempty"`
	// Largest is the size of the largest packet that passes between most nodes in bytes, 0 if it is
	// not known.
	Largest int `json:"largest,omitempty"`
	// Sets lists the pairs with a fault, and Addresses the pods with a wrong address.
	Sets      []mesh.Set     `json:"sets"`
	Addresses []mesh.Address `json:"addresses"`
	// All is what the survey recorded.
	All results.Survey `json:"-"`
}

// Faultless reports whether the survey found nothing wrong.
func (s *Survey) Faultless() bool {
	for _, n := range s.All.Nodes {
		if !n.Problem.Empty() && !n.LeftOut {
			return false
		}
	}
	return len(s.Sets) == 0 && len(s.Addresses) == 0
}

// Faulty returns the pairs with a fault of any kind.
func (s *Survey) Faulty() map[results.Pair]bool {
	all := map[results.Pair]bool{}
	for _, set := range s.Sets {
		for _, p := range set.Pairs {
			all[p] = true
		}
	}
	return all
}

// SurveyOf returns the survey of a network, or nil if there is none.
func (r *Report) SurveyOf(plugin string, topology results.Topology) *Survey {
	for i := range r.Survey {
		if s := &r.Survey[i]; s.Plugin == plugin && s.Topology == topology {
			return s
		}
	}
	return nil
}

// Node is a node that took part in a survey, for report.json.
type Node struct {
	Plugin   string           `json:"plugin"`
	Topology results.Topology `json:"topology"`
	Kernel   string           `json:"kernel,omitempty"`
	results.SurveyNode
}

// NodePair is a pair of nodes that a survey tried, for report.json.
type NodePair struct {
	Plugin   string           `json:"plugin"`
	Topology results.Topology `json:"topology"`
	Kernel   string           `json:"kernel,omitempty"`
	results.SurveyPair
}
