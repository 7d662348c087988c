package network

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/encap"
	"github.com/cnibench/cnibench/probes/frames"
	"github.com/cnibench/cnibench/probes/load"
	"github.com/cnibench/cnibench/probes/probestest"
	"github.com/cnibench/cnibench/probes/trickle"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
)

// lateRole returns a role that uses up all of its time and then succeeds. began is
// when the sample began.
func lateRole(began time.Time, name string) worker.Role {
	late := func(ctx context.Context, left time.Duration) {
		if deadline, ok := ctx.Deadline(); ok {
			left = min(left, time.Until(deadline)-time.Millisecond)
		}
		select {
		case <-ctx.Done():
		case <-time.After(left):
		}
	}
	switch filepath.Base(name) {
	case "server", "capture", "watch", "receive":
		return func(ctx context.Context, r *worker.Request) (any, error) {
			if err := r.Ready(probes.Listening{Port: 1}); err != nil {
				return nil, err
			}
			limit := time.Hour
			if filepath.Base(name) == "receive" {
				var args trickle.Args
				if err := r.Args(&args); err != nil {
					return nil, err
				}
				limit = args.Limit
			}
			late(ctx, limit)
			return map[string]any{"bytes": 1, "rate": 1, "seconds": 1, "received": 900, "source": probestest.Localhost, "count": 1}, nil
		}
	case "client":
		return func(ctx context.Context, r *worker.Request) (any, error) {
			late(ctx, time.Hour)
			if filepath.Dir(name) == "tcp-crr" && time.Since(began) < serviceWithin {
				return nil, errors.New("the Service is not implemented yet")
			}
			return map[string]any{"interface": 1500, "path": 1500, "mss": 1448, "rounds": 1, "seconds": 1, "sent": 1000}, nil
		}
	case "send":
		return func(ctx context.Context, r *worker.Request) (any, error) {
			var args trickle.Args
			err := r.Args(&args)
			late(ctx, args.Limit)
			return trickle.Result{Count: args.Sends}, err
		}
	case "ask":
		return func(ctx context.Context, r *worker.Request) (any, error) {
			var args adjacencyArgs
			err := r.Args(&args)
			late(ctx, arpTries*args.Patience+foreignFrames*frames.PacketGap+args.Linger)
			return askedNeighbour{}, err
		}
	case "count":
		return func(context.Context, *worker.Request) (any, error) { return []device{}, nil }
	case "counters":
		return func(context.Context, *worker.Request) (any, error) {
			return "Inter-|   Receive\n face |bytes    packets errs drop\n  eth0: 1 1 0 0\n", nil
		}
	case "nic":
		return func(context.Context, *worker.Request) (any, error) { return 1500, nil }
	}
	return func(context.Context, *worker.Request) (any, error) {
		return nil, fmt.Errorf("the test does not have a role %s", name)
	}
}

// TestTakes lets every role of every probe use up its time, on a fake clock, and
// checks that the sample takes no longer than the probe says.
func TestTakes(t *testing.T) {
	for _, p := range takingTime() {
		for _, delay := range []time.Duration{0, 20 * time.Millisecond, 200 * time.Millisecond} {
			for _, slower := range []int{1, 6} {
				t.Run(fmt.Sprintf("%s/delay %s/%d times slower", p.Name, delay, slower), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						began := time.Now()
						s := lateSite(t, began)
						s.Delay, s.Slower = delay, slower
						_, err := p.Measure(t.Context(), s)
						if took, most := time.Since(began), p.Takes(s); took > most {
							t.Errorf("it took %s, more than the %s that Takes returned", took, most)
						}
						t.Logf("%s of %s, %v", time.Since(began), p.Takes(s), err)
					})
				})
			}
		}
	}
}

// lateSite returns a site whose two ends and surroundings are all played by late
// roles. As far as a probe can tell, the ends are in four namespaces.
func lateSite(t *testing.T, began time.Time) *probes.Site {
	find := func(name string) (worker.Role, error) { return lateRole(began, name), nil }
	end := func(name, addr string) probes.End {
		return probes.End{Worker: probestest.Connected(t, find), Node: probestest.Connected(t, find), Addr: netip.MustParseAddr(addr), NodeAddr: netip.MustParseAddr(addr), NIC: "eth0", NodeName: name, CPU: -1}
	}
	s := &probes.Site{Duration: time.Second, Client: end("n1", "10.0.0.1"), Server: end("n2", "10.0.0.2"), Params: map[string]string{}}
	around := &probes.Surroundings{Beside: s.Server, Outside: end("outside", "10.0.0.99")}
	for _, name := range []string{"n1", "n2", "n3", "n4", "n5"} {
		e := s.Client
		e.NodeName = name
		around.Nodes = append(around.Nodes, e)
	}
	lift := func(ctx context.Context) error { // takes as long as it may
		<-ctx.Done()
		return nil
	}
	around.Masquerade = func(context.Context) (probes.Lift, error) { return lift, nil }
	around.Deny = func(context.Context, results.PolicyDirection, probes.End, probes.End) (probes.Lift, error) {
		return lift, nil
	}
	s.Around = func(context.Context) (*probes.Surroundings, error) {
		around.Delay = s.Delay
		return around, nil
	}
	s.Service = func(context.Context, probes.ServiceKind) (*probes.Service, error) {
		return &probes.Service{Addr: netip.MustParseAddrPort("10.96.0.1:80"), NodePort: 80, Port: 80, Made: time.Now()}, nil
	}
	s.AddPods = func(_ context.Context, n int) ([]probes.PodTimes, error) {
		time.Sleep(probes.PodsWithin)
		return make([]probes.PodTimes, n), nil
	}
	return s
}

// TestDelayIsNoLoss checks that the time limits for answers exceed the known round
// trip delay of the underlay.
func TestDelayIsNoLoss(t *testing.T) {
	for _, delay := range []time.Duration{0, 20 * time.Millisecond, 200 * time.Millisecond} {
		t.Run(delay.String(), func(t *testing.T) {
			s := &probes.Site{Delay: delay}
			for name, wait := range map[string]time.Duration{
				"ARP": s.Patience(arpPatience), "known packets": s.Patience(probes.AnswerPatience), "frames": s.Patience(adjacencyLinger),
				"first datagram": trickle.Longest(delay) - 2*delay, "datagrams of path": pathRest(s), "rounds": (&load.RRArgs{Delay: delay}).Patience(),
			} {
				if wait <= 2*delay {
					t.Errorf("%s: the limit is %s, but a round trip takes %s", name, wait, 2*delay)
				}
			}
		})
	}
}

// takingTime lists every probe.
func takingTime() []*probes.Probe {
	return []*probes.Probe{load.TCPStream(), load.TCPRR(), load.UDPRR(), load.TCPCRR(), load.UDPPPS(), load.LoadLatency(), MTU(), CNITime(), encap.Probe(), Adjacency(), Reach(), Policy(), Path(),
		Service(), NodePort(), PodToHost(), HostToPod(), Hairpin(), load.DNS()}
}
