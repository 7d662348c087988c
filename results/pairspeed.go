package results

import (
	"time"

	"github.com/cnibench/cnibench/words"
)

// PairSpeed is the goodput of one TCP stream between two nodes.
type PairSpeed struct {
	Plugin   string   `json:"plugin"`
	Topology Topology `json:"topology"`
	Pair
	// Round is the round of the tournament in which every node met one other, from 0; streams of one
	// round were measured in the same minutes. In the second stage it is the number of the comparison.
	Round int `json:"round"`
	// Again names, in the second stage, the node that was suspected of being slow, and in which
	// direction. Each comparison is of two streams with the same partner: one with the suspect and
	// one with another node.
	Again *Suspect `json:"again,omitempty"`
	// Together says that the streams of the round ran at the same time.
	Together bool      `json:"together,omitempty"`
	Start    time.Time `json:"start"`
	// Goodput is in bit/s, 0 if the stream failed.
	Goodput float64    `json:"goodput"`
	Error   words.Text `json:"error,omitzero"`
}

// Suspect is a node that may be slow in a direction.
type Suspect struct {
	Node     string `json:"node"`
	Receiver bool   `json:"receiver"` // as the receiver of streams, otherwise as the sender
}

// Of reports whether a stream of a comparison is with the suspect.
func (s *Suspect) Of(p Pair) bool {
	if s.Receiver {
		return p.To == s.Node
	}
	return p.From == s.Node
}
