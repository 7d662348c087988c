package results

import (
	"cmp"

	"github.com/cnibench/cnibench/words"
)

// PolicyDirection says at which of the two pods a rule denies the traffic from one to the other.
type PolicyDirection string

// Directions of a [Policy]: an ingress rule denies what arrives at the receiver, an egress rule what
// leaves the sender (networking.k8s.io/v1, PolicyType).
const (
	PolicyIngress PolicyDirection = "ingress"
	PolicyEgress  PolicyDirection = "egress"
)

// Policy records whether a rule that denies traffic from one pod to another takes effect.
type Policy struct {
	Plugin    string          `json:"plugin"`
	Topology  Topology        `json:"topology"`
	Kernel    string          `json:"kernel,omitempty"`    // in reports; in a journal it is beside the record
	Direction PolicyDirection `json:"direction,omitempty"` // "" in old records, which are of ingress
	From      string          `json:"from,omitempty"`      // node of the sender, "" in old records
	To        string          `json:"to,omitempty"`        // node of the receiver
	Enforced  bool            `json:"enforced"`
	Seconds   float64         `json:"seconds,omitempty"` // from applying the rule to the last packet that passed
	// LiftedSeconds is the time from removing the rule to the first packet that passed again; nil
	// if the rule was not enforced, and in old records.
	LiftedSeconds *float64   `json:"lifted_seconds,omitempty"`
	Cause         words.Text `json:"cause,omitzero"` // why it does not
}

// At returns the direction of the rule, which old records do not state.
func (p Policy) At() PolicyDirection { return cmp.Or(p.Direction, PolicyIngress) }
