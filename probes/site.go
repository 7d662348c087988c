package probes

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/words"
)

// Drive takes a sample that has a server and a client role: it starts the
// server, starts the client towards the port that the server has bound, and
// reads both results. When one role fails the other is ended.
func (s *Site) Drive(ctx context.Context, probe string, serverArgs any, clientArgs func(peer netip.AddrPort) any, serverResult, clientResult any) error {
	if s.Client.Worker == nil || s.Server.Worker == nil {
		return fmt.Errorf("taking a sample of %s: an end has no worker", probe)
	}
	if s.Duration < MinDuration {
		return fmt.Errorf("taking a sample of %s: its duration is %s, less than %s", probe, s.Duration, MinDuration)
	}
	limit := s.DriveLimit()
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("time limit of %s passed", limit))
	defer cancel()
	server, err := s.Server.Worker.Start(ctx, probe+"/server", serverArgs)
	if err != nil {
		return err
	}
	var bound Listening
	if err := server.Ready(ctx, &bound); err != nil {
		return err
	}
	client, err := s.Client.Worker.Start(ctx, probe+"/client", clientArgs(netip.AddrPortFrom(s.Server.Addr, bound.Port)))
	if err != nil {
		server.Cancel()
		return err
	}
	return waitBoth(ctx, server, client, serverResult, clientResult)
}

// End is one of the two pods that are measured, and the node that it runs on.
type End struct {
	Worker *worker.Worker // in the pod's network namespace
	Addr   netip.Addr     // the pod's
	CPU    int            // that the end is pinned to, -1 for none
	// Node is a worker in the node's root network namespace; nil if there is
	// none. Only probes that look at the wire need it.
	Node     *worker.Worker
	NodeAddr netip.Addr
	Subnet   netip.Prefix // of NodeAddr
	NIC      string       // the node's underlay interface
	NodeName string
}

// Undeclared is the kind of [Encapsulation] where nobody knows what to expect:
// the wire alone says what is there.
const Undeclared = "unknown"

// Encapsulation is what a network is configured to put around a packet.
type Encapsulation struct {
	Kind     string // none, vxlan, udp, ipip, wireguard or geneve
	Port     int    // outer UDP destination port, 0 for none
	Overhead int    // bytes taken from the underlay's IP MTU
	// Elsewhere is the same between nodes of different subnets, where the two
	// that are measured need no tunnel: pods leave room for it all the same.
	Elsewhere int
}

// Site is where and how a sample is taken.
type Site struct {
	Client, Server End
	// Spare are the CPUs that ends may be pinned to and neither is.
	Spare []int
	// Duration is the length of the whole sample, the dropped first part
	// included.
	Duration time.Duration
	// Delay is what the underlay is known to add to the way of every packet.
	Delay  time.Duration
	Params map[string]string // as [Parse] returns them
	Expect Encapsulation     // for probes that look at the wire
	// CaptureFile is where a probe that captures keeps its frames (pcapng); ""
	// keeps none.
	CaptureFile string
	// Slower is how many times longer than on a machine of its own things take
	// here, for time limits; 0 means 1.
	Slower int
	// AgentTime is the processor time that the plugin's agents have used so
	// far; nil where the testbed cannot see it.
	AgentTime func() time.Duration
	// AddPods adds pods on the client's node, all at once, waits until each is
	// reached from the server's node, and removes them. Nil where the testbed
	// cannot.
	AddPods func(ctx context.Context, n int) ([]PodTimes, error)
	// Service makes a Service that leads to the server, the first time. Nil where
	// there are none.
	Service func(ctx context.Context) (*Service, error)
	// Around shows the other places of the network. Nil where the testbed
	// cannot.
	Around func(ctx context.Context) (*Surroundings, error)
}

// Limit is a time limit as it holds here.
func (s *Site) Limit(d time.Duration) time.Duration { return d * time.Duration(max(s.Slower, 1)) }

// around are the places besides the two pods. A testbed that shows none is a
// [NotHereError].
func (s *Site) Places(ctx context.Context) (*Surroundings, error) {
	if s.Around == nil {
		return nil, &NotHereError{words.ThisTestbedShowsNothing}
	}
	return s.Around(ctx)
}

// RoundTrip is what the underlay is known to add to every round trip.
func (s *Site) RoundTrip() time.Duration { return 2 * s.Delay }

// Patience is how long an answer may take here that takes d at most on a
// machine of its own without a delay.
func (s *Site) Patience(d time.Duration) time.Duration { return s.Limit(d) + s.RoundTrip() }

// DriveLimit bounds one sample with a server and a client.
func (s *Site) DriveLimit() time.Duration {
	return s.Duration + s.Limit(SampleGrace) + DriveRoundTrips*s.RoundTrip()
}
