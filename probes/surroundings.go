package probes

import (
	"context"
	"net/netip"
	"time"

	"github.com/cnibench/cnibench/words"
)

// Surroundings are the places of a network besides the two pods that are
// measured.
type Surroundings struct {
	// Nodes are the network's nodes, at most the first few; Worker is in the
	// node's own network namespace and Addr is the node's.
	Nodes []End
	// Outside is a host on the underlay that is not a node of the cluster.
	Outside End
	// Beside is a pod on the client's node; its Worker is nil if there is none.
	Beside End
	// Delay is what the underlay is known to add to the way of every packet.
	Delay time.Duration
	// Drops counts what the underlay has dropped so far, and why; nil where
	// that cannot be seen.
	Drops func() ([]Drop, error)
	// Masquerade has the client's node translate the source address of what
	// its pods send out of the cluster, and returns how to end that. Nil where
	// the testbed cannot, or pods have no addresses of their own there.
	Masquerade func(ctx context.Context) (Lift, error)
	// Deny gives the plugin a rule that denies what goes from one pod to
	// another, and returns how to take it back; the error is ErrNoPolicy if no
	// part of the plugin takes rules, and a NotHereError if that part does not
	// run. Nil where the testbed cannot.
	Deny func(ctx context.Context, from, to End) (Lift, error)
}

// Drop is what one place of the underlay has dropped for one reason.
type Drop struct {
	Where   words.Text // for people: the VPC, the router
	Why     words.Text
	Packets uint64
}

// Text says what was dropped, where and why.
func (d Drop) Text() words.Text {
	return words.Aside(d.Why, words.List(d.Where, words.Packets.With(d.Packets)))
}

// NewDrops is what was dropped between two looks. A counter that has fallen
// began anew meanwhile, and counts from 0.
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

// PodTimes is how long the life of one pod took.
type PodTimes struct {
	Add   time.Duration // CNI ADD
	Ready time.Duration // from the start of ADD to the first packet from another node
	Del   time.Duration // CNI DEL
}

// AnswerPatience is how long the client waits for an answer before it
// counts it as lost, beside what the underlay is known to delay it. Before the first answer it sends again after it:
// neighbours may have to be found first.
const AnswerPatience = 200 * time.Millisecond

// ErrNoPolicy says that no part of a plugin takes rules about traffic.
var ErrNoPolicy = words.Error(words.NoAgentPluginTakes)

// NotHereError says that what a probe looks for is not part of what runs: no
// failure, and no finding about the plugin either.
type NotHereError struct{ Why words.Text }

func (e *NotHereError) Error() string { return e.Why.String() }

// Words is the sentence.
func (e *NotHereError) Words() words.Text { return e.Why }

// Lift takes a rule back.
type Lift func(ctx context.Context) error

func (a *Surroundings) Dropped() ([]Drop, error) {
	if a.Drops == nil {
		return nil, nil
	}
	return a.Drops()
}

// Service is a ClusterIP with the server's pod behind it.
type Service struct {
	Addr netip.AddrPort // of the Service
	Port uint16         // that the pod listens on
	// Works is set once a connection has passed.
	Works bool
}
