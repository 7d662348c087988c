package probes

import "time"

// Takes returns the longest that Measure can take at the site, which is when every
// part of it uses up its own time limit. It includes neither what the testbed does
// for a probe, such as creating a Service, which has limits of its own, nor calls
// that are answered at once.
func (p *Probe) Takes(s *Site) time.Duration {
	if p.Longest == nil {
		return s.DriveLimit()
	}
	return p.Longest(s)
}

// DriveRoundTrips is the maximum number of round trips that a sample takes on top
// of its duration: to resolve the neighbour, to connect, for the last connection of
// the warm-up and of the counted part (to open it, to ask, to close), and to end.
const DriveRoundTrips = 9

// ChainRoundTrips is the maximum number of round trips until the first packet of a
// pod is answered: the node resolves the other node or the router, the router
// resolves the other node, and one more is for the answer.
const ChainRoundTrips = 3

// PodsWithin bounds the lifetime of the pods that a sample of cni-time adds.
const PodsWithin = 20 * time.Second

// FactLimit bounds the whole inspection of the traffic on the underlay.
const FactLimit = 5 * time.Second
