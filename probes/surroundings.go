package probes

import (
	"context"
	"fmt"
	"net/netip"
	"time"
)

// Surroundings are the places of a network besides the two pods that are
// measured.
type Surroundings struct {
	// Nodes are the network's nodes, at most the first few; Worker is in the
	// node's own network namespace and Addr is the node's.
	Nodes []End
	// Outside is a host on the underlay that is no node of the cluster.
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

// around are the places besides the two pods. A testbed that shows none is a
// [NotHereError].
func (s *Site) around(ctx context.Context) (*Surroundings, error) {
	if s.Around == nil {
		return nil, &NotHereError{"this testbed shows nothing but the two pods"}
	}
	return s.Around(ctx)
}

// Drop is what one place of the underlay has dropped for one reason.
type Drop struct {
	Where   string // for people: the VPC, the router
	Why     string
	Packets uint64
}

func (d Drop) String() string {
	return fmt.Sprintf("%s (%s, %d packets)", d.Why, d.Where, d.Packets)
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

// foreign is an address that nobody has: TEST-NET-2 (RFC 5737).
var foreign = netip.MustParseAddr("198.51.100.1")
