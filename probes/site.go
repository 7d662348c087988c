package probes

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/words"
)

// Drive takes a sample with a server and a client role: it starts the server,
// starts the client towards the port that the server has bound, and reads both
// results. If one role fails, the other is ended.
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
	if s.Begun != nil {
		go func() {
			if client.Ready(ctx, nil) == nil {
				s.Begun()
			}
		}()
	}
	return waitBoth(ctx, server, client, serverResult, clientResult)
}

// End is one of the two pods that are measured, and the node that it runs on.
type End struct {
	Worker *worker.Worker // in the pod's network namespace
	Addr   netip.Addr     // the pod's
	CPU    int            // CPU that the end is pinned to, -1 for none
	// Node is a worker in the node's root network namespace, or nil. Only probes
	// that inspect the underlay traffic need it.
	Node     *worker.Worker
	NodeAddr netip.Addr
	Subnet   netip.Prefix // of NodeAddr
	NIC      string       // the node's underlay interface
	NodeName string
}

// Member is the end on one node of a network, among all of them.
type Member struct {
	End
	// Zone and Type are the node's labels topology.kubernetes.io/zone and
	// node.kubernetes.io/instance-type, and Range is the range that addresses of its
	// pods come from. Each is "" if it is not known.
	Zone, Type, Range string
	// Problem says why the node cannot take part; then there is no worker. LeftOut says
	// that it was not tried.
	Problem words.Text
	LeftOut bool
}

// Undeclared is the [Encapsulation] kind of a network whose encapsulation is not
// known in advance: only a capture shows what it is.
const Undeclared = "unknown"

// Encapsulation is what a network is configured to put around a packet.
type Encapsulation struct {
	Kind     string // none, vxlan, udp, ipip, wireguard or geneve
	Port     int    // outer UDP destination port, 0 for none
	Overhead int    // bytes taken from the underlay's IP MTU
	// Elsewhere is the overhead between nodes in different subnets if the measured
	// two need no tunnel: the pod MTU leaves room for it anyway.
	Elsewhere int
}

// Site is where and how a sample is taken.
type Site struct {
	Client, Server End
	// Spare are the CPUs that ends may be pinned to but neither is.
	Spare []int
	// Duration is the length of the part of the sample that is counted.
	Duration time.Duration
	// Delay is the known one-way delay that the underlay adds to every packet.
	Delay  time.Duration
	Params map[string]string // as catalogue.Parse returns them
	Expect Encapsulation     // for probes that inspect the underlay traffic
	// CaptureFile is the pcapng file to which a probe that captures writes its
	// frames, or "" for none.
	CaptureFile string
	// Slower is the factor by which things take longer here than on a dedicated
	// machine, for time limits. 0 means 1.
	Slower int
	// AgentTime returns the processor time that the plugin's agents have used so
	// far. It is nil if the testbed cannot see it.
	AgentTime func() time.Duration
	// Begun, unless it is nil, is called when a client role says that it is ready:
	// tcp-stream's when the counted part begins.
	Begun func()
	// AddPods adds n pods on the client's node, all at once, waits until each can
	// be reached from the server's node, and removes them. It is nil if the testbed
	// cannot.
	AddPods func(ctx context.Context, n int) ([]PodTimes, error)
	// Service returns a Service of a kind in front of the server, which it creates on
	// the first call. It is nil if the testbed has no Services.
	Service func(ctx context.Context, kind ServiceKind) (*Service, error)
	// Passed is what earlier samples of this network have shown.
	Passed Passes
	// Mesh starts a worker in one pod on every node, or on the nodes themselves for the
	// baseline; release stops them. It is nil if the testbed cannot.
	Mesh func(ctx context.Context) (members []Member, release func(), err error)
	// Around returns the other places of the network. It is nil if the testbed
	// cannot show them.
	Around func(ctx context.Context) (*Surroundings, error)
}

// Limit scales a time limit by Slower.
func (s *Site) Limit(d time.Duration) time.Duration { return d * time.Duration(max(s.Slower, 1)) }

// Places returns the places besides the two pods, or a [NotHereError] if the
// testbed shows none.
func (s *Site) Places(ctx context.Context) (*Surroundings, error) {
	if s.Around == nil {
		return nil, &NotHereError{words.NoSurroundings}
	}
	return s.Around(ctx)
}

// RoundTrip returns the known delay that the underlay adds to every round trip.
func (s *Site) RoundTrip() time.Duration { return 2 * s.Delay }

// Patience returns how long an answer may take here if it takes at most d on a
// dedicated machine without delay.
func (s *Site) Patience(d time.Duration) time.Duration { return s.Limit(d) + s.RoundTrip() }

// SteadyLimit returns how long a stream may take to become steady.
func (s *Site) SteadyLimit() time.Duration {
	return WarmUp(s.Duration) + s.Limit(steadyWithin) + steadyRoundTrips*s.RoundTrip()
}

// DriveLimit returns the time limit of one sample with a server and a client.
func (s *Site) DriveLimit() time.Duration {
	return s.SteadyLimit() + s.Duration + s.Limit(SampleGrace) + DriveRoundTrips*s.RoundTrip()
}
