package probes

import "time"

// Takes is the longest that Measure takes at the site when every part of it
// uses up its own time limit. What the testbed does for a probe, such as making
// a Service, has limits of its own and is not part of it, nor are calls that
// are answered at once.
func (p *Probe) Takes(s *Site) time.Duration {
	if p.takes == nil {
		return s.driveLimit()
	}
	return p.takes(s)
}

// roundTrip is what the underlay is known to add to every round trip.
func (s *Site) roundTrip() time.Duration { return 2 * s.Delay }

// patience is how long an answer may take here that takes d at most on a
// machine of its own without a delay.
func (s *Site) patience(d time.Duration) time.Duration { return s.limit(d) + s.roundTrip() }

// driveRoundTrips is how many round trips a sample takes beside its duration at
// most: to find the neighbour, to connect, the last connection of the warm-up
// and of the counted part (to open it, to ask, to close), and the end.
const driveRoundTrips = 9

// driveLimit bounds one sample with a server and a client.
func (s *Site) driveLimit() time.Duration {
	return s.Duration + s.limit(sampleGrace) + driveRoundTrips*s.roundTrip()
}

// chainRoundTrips is how many round trips pass before the first packet of a pod
// arrives at most: the node finds the other node or the router, and that finds
// the other node. One more is for its answer.
const chainRoundTrips = 3

// oneTrickle bounds a trickle of datagrams that ends when one has arrived.
func oneTrickle(delay time.Duration) time.Duration { return reachPatience + chainRoundTrips*2*delay }

// encapTakes bounds the look at the wire.
func encapTakes(s *Site) time.Duration {
	return s.limit(encapLimit) + (chainRoundTrips+1)*s.patience(answerPatience)
}

// mtuWays are at most looked at: both directions between the pods, and between
// the nodes.
const mtuWays = 4

// mtuSite is the site with the duration of one direction. Packets that do not
// pass take their time.
func mtuSite(s *Site) Site {
	limited := *s
	limited.Duration = max(s.Duration, encapLimit) + mtuSizes*mtuTries*s.roundTrip()
	return limited
}

func mtuTakes(s *Site) time.Duration {
	limited := mtuSite(s)
	return mtuWays * limited.driveLimit()
}

// ppsTakes is the search, its last trial, and those that step down from it.
func ppsTakes(s *Site) time.Duration {
	stepping := maxTrials * (2*trialLength + settle + 2*s.roundTrip())
	return s.Duration + time.Duration(confirmShare*float64(s.Duration)) + stepping + s.limit(sampleGrace) + driveRoundTrips*s.roundTrip()
}

// PodsWithin bounds the life of the pods that a sample of cni-time adds.
const PodsWithin = 20 * time.Second

func cniTakes(*Site) time.Duration { return PodsWithin }

// mostNodes is how many nodes are looked at, each with each.
const mostNodes = 4

func adjacencyTakes(s *Site) time.Duration {
	asked := arpTries * s.patience(arpPatience)
	return mostNodes * (mostNodes - 1) * (asked + foreignFrames*packetGap + s.patience(adjacencyLinger))
}

// Ways that reach looks at, at most, and the streams that it compares the two
// directions by.
const (
	reachDirections = 8
	reachStreams    = 4
)

func reachTakes(s *Site) time.Duration {
	short := *s
	short.Duration = max(s.limit(lopsidedDuration), 4*s.Delay)
	return reachDirections*oneTrickle(s.Delay) + policyLift + reachStreams*short.driveLimit()
}

// policyTakes is that datagrams pass, that they do not, that the rule is taken
// back, and that they pass again.
func policyTakes(s *Site) time.Duration {
	passing := s.limit(policyLimit)/2 + oneTrickle(s.Delay)
	return 2*passing + s.limit(policyLimit) + s.limit(policyLift)
}

func pathTakes(s *Site) time.Duration { return pathWithin(s) + pathRest(s) }

// pathWithin bounds the trickle of path, and pathRest how long its last packets
// may be on their way.
func pathWithin(s *Site) time.Duration { return s.limit(pathLimit) + chainRoundTrips*s.roundTrip() }
func pathRest(s *Site) time.Duration   { return s.limit(pathQuiet) + chainRoundTrips*s.roundTrip() }

// servicePart is the site with the duration of one part of the sample.
func servicePart(s *Site) Site {
	part := *s
	part.Duration = max(s.Duration/serviceParts, MinDuration)
	return part
}

// serviceTakes is the wait for the first connection, the last attempt at one,
// and the parts.
func serviceTakes(s *Site) time.Duration {
	short, part := *s, servicePart(s)
	short.Duration = MinDuration
	return serviceWithin + short.driveLimit() + serviceParts*part.driveLimit()
}
