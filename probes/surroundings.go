package probes

import (
	"context"
	"time"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Surroundings are the places of a network besides the two measured pods.
type Surroundings struct {
	// Nodes are the network's nodes, or the first few of them. Worker is in the
	// node's own network namespace and Addr is the node's address.
	Nodes []End
	// Outside is a host on the underlay that is not a node of the cluster.
	Outside End
	// Beside is a pod on the client's node. Its Worker is nil if there is none.
	Beside End
	// Delay is the known one-way delay that the underlay adds to every packet.
	Delay time.Duration
	// Drops returns what the underlay has dropped so far, and why. It is nil if
	// the testbed cannot see drops.
	Drops func() ([]Drop, error)
	// Masquerade makes the client's node apply source NAT to traffic that its pods
	// send out of the cluster, and returns a function that undoes it. It is nil if
	// the testbed cannot, or if pods have no addresses of their own.
	Masquerade func(ctx context.Context) (Lift, error)
	// Deny gives the plugin a rule that denies traffic from one pod to another, at the
	// receiver or at the sender, and returns a function that removes it. The error is
	// ErrNoPolicy if no part of the plugin enforces rules, and a NotHereError if that
	// part is not running or the user may not create rules. Deny is nil if the
	// testbed cannot.
	Deny func(ctx context.Context, at results.PolicyDirection, from, to End) (Lift, error)
}

// Drop counts the packets that one place of the underlay has dropped for one reason.
type Drop struct {
	Where   words.Text // for people: the VPC, the router
	Why     words.Text
	Packets uint64
}

// Text returns a sentence that says what was dropped, where and why.
func (d Drop) Text() words.Text {
	return words.Aside(d.Why, words.List(d.Where, words.Packets.With(d.Packets)))
}

// NewDrops returns what was dropped between two readings. A counter that has
// decreased was reset in between and counts from 0.
func NewDrops(before, after []Drop) []Drop {
	was := map[Drop]uint64{}
	for _, d := range before {
		was[Drop{Where: d.Where, Why: d.Why}] = d.Packets
	}
	var drops []Drop
	for _, d := range after {
		if before := was[Drop{Where: d.Where, Why: d.Why}]; d.Packets >= before {
			d.Packets -= before
		}
		if d.Packets > 0 {
			drops = append(drops, d)
		}
	}
	return drops
}

// PodTimes is how long the steps in the life of one pod took.
type PodTimes struct {
	Add   time.Duration // CNI ADD
	Ready time.Duration // from the start of ADD to the first packet from another node
	Del   time.Duration // CNI DEL
}

// AnswerPatience is how long the client waits for an answer before it counts it as
// lost, on top of the known delay of the underlay. Until the first answer arrives
// the client resends after that time, because neighbours may have to be resolved
// first.
const AnswerPatience = 200 * time.Millisecond

// ErrNoPolicy reports that no part of a plugin enforces rules about traffic.
var ErrNoPolicy = words.Error(words.NoPolicyAgent)

// NotHereError reports that what a probe looks for does not exist in this setup,
// which is neither a failure nor a finding about the plugin.
type NotHereError struct{ Why words.Text }

func (e *NotHereError) Error() string { return e.Why.String() }

// Words returns the sentence that the error consists of.
func (e *NotHereError) Words() words.Text { return e.Why }

// Lift removes a rule.
type Lift func(ctx context.Context) error

// Dropped returns what Drops returns, or nothing if Drops is nil.
func (a *Surroundings) Dropped() ([]Drop, error) {
	if a.Drops == nil {
		return nil, nil
	}
	return a.Drops()
}
