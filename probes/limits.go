package probes

import "time"

// Takes is the longest that Measure takes at the site when every part of it
// uses up its own time limit. What the testbed does for a probe, such as making
// a Service, has limits of its own and is not part of it, nor are calls that
// are answered at once.
func (p *Probe) Takes(s *Site) time.Duration {
	if p.Longest == nil {
		return s.DriveLimit()
	}
	return p.Longest(s)
}

// DriveRoundTrips is how many round trips a sample takes beside its duration at
// most: to find the neighbour, to connect, the last connection of the warm-up
// and of the counted part (to open it, to ask, to close), and the end.
const DriveRoundTrips = 9

// ChainRoundTrips is how many round trips pass before the first packet of a pod
// arrives at most: the node finds the other node or the router, and that finds
// the other node. One more is for its answer.
const ChainRoundTrips = 3

// PodsWithin bounds the life of the pods that a sample of cni-time adds.
const PodsWithin = 20 * time.Second

// Ways that reach looks at, at most, and the streams that it compares the two
// directions by.
const ()

// FactLimit bounds the whole look at the wire.
const FactLimit = 5 * time.Second
