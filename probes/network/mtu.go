package network

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/probes/pmtu"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
)

const (
	// A size counts as too large if mtuTries packets of that size were not
	// answered, each within mtuPatience plus the known delay of the underlay.
	mtuTries    = 3
	mtuPatience = 40 * time.Millisecond
	mtuAnswer   = 8  // bytes: number and length
	mtuSizes    = 18 // maximum number of sizes tried: the largest, the smallest, and bisection
)

// MTU finds the largest packet that passes in each direction without fragmentation,
// and whether the MTUs of pod, tunnel and underlay fit together.
func MTU() *probes.Probe {
	return &probes.Probe{
		Name: "mtu", Title: "the largest packet that passes unfragmented each way, and whether the MTUs fit together",
		Metrics: []results.Metric{
			{Name: "path", Unit: "byte", Better: "higher", Fact: true},
			{Name: "mss", Unit: "byte", Better: "higher", Fact: true},
		},
		Placement: probes.Same,
		Roles:     map[string]worker.Role{"server": mtuServer, "client": mtuClient, "nic": nicMTU},
		Measure:   measureMTU, Longest: mtuTakes, Changed: mtuChanged,
	}
}

type mtuArgs struct {
	Addr netip.Addr     `json:"addr,omitzero"`
	Peer netip.AddrPort `json:"peer,omitzero"`
	NIC  string         `json:"nic,omitempty"`
	// Patience is how long an answer may take, in ns.
	Patience time.Duration `json:"patience,omitempty"`
}

// pathMTU is the result for one direction.
type pathMTU struct {
	Interface int `json:"interface"` // MTU of the sender's interface
	Path      int `json:"path"`      // largest IP packet that arrived
	// Told is the MTU in the too-big message that answered a larger packet, 0 if
	// there was no message. It is determined only if Path is less than Interface.
	Told int `json:"told"`
	MSS  int `json:"mss"` // payload of a full segment, excluding the timestamp option
}

func measureMTU(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
	begin := time.Now()
	limited := mtuSite(s)
	back := limited
	back.Client, back.Server = s.Server, s.Client
	var ways [2]pathMTU
	for i, site := range []*probes.Site{&limited, &back} {
		err := site.Drive(ctx, "mtu", mtuArgs{Addr: site.Server.Addr}, func(peer netip.AddrPort) any {
			return mtuArgs{Addr: site.Client.Addr, Peer: peer, Patience: mtuPatience + 2*s.Delay}
		}, new(struct{}), &ways[i])
		if err != nil {
			return nil, err
		}
	}
	seen := mtuSeen{ways: ways, names: [2]string{s.Client.NodeName, s.Server.NodeName}, nodes: s.Client.Addr == s.Client.NodeAddr, expect: s.Expect}
	for i, e := range []probes.End{s.Client, s.Server} {
		if e.Node == nil || e.NIC == "" {
			continue
		}
		call, err := e.Node.Start(ctx, "mtu/nic", mtuArgs{NIC: e.NIC})
		if err != nil {
			return nil, err
		}
		if err := call.Wait(ctx, &seen.nics[i]); err != nil {
			return nil, err
		}
	}
	if seen.dependsOnUnderlay() {
		var err error
		if seen.underlay, err = underlayMTU(ctx, &limited); err != nil {
			return nil, err
		}
	}
	return &probes.Measurement{
		Values:   map[string]float64{"path": float64(min(ways[0].Path, ways[1].Path)), "mss": float64(min(ways[0].MSS, ways[1].MSS))},
		Seconds:  time.Since(begin).Seconds(),
		Findings: seen.findings(),
	}, nil
}

// underlayMTU returns the largest packet that the nodes' own path carries in both
// directions, 0 if it cannot be measured: a firewall between nodes may let only the
// tunnel pass.
func underlayMTU(ctx context.Context, s *probes.Site) (int, error) {
	if podOf(s.Client) == nil || podOf(s.Server) == nil || s.Client.Node == nil || s.Server.Node == nil {
		return 0, nil // the pods have NICs of their own, or the nodes have no workers
	}
	least := 0
	there, back := *s, *s
	there.Client.Worker, there.Client.Addr = s.Client.Node, s.Client.NodeAddr
	there.Server.Worker, there.Server.Addr = s.Server.Node, s.Server.NodeAddr
	back.Client, back.Server = there.Server, there.Client
	for _, site := range []*probes.Site{&there, &back} {
		var way pathMTU
		err := site.Drive(ctx, "mtu", mtuArgs{Addr: site.Server.Addr}, func(peer netip.AddrPort) any {
			return mtuArgs{Addr: site.Client.Addr, Peer: peer, Patience: mtuPatience + 2*s.Delay}
		}, new(struct{}), &way)
		switch {
		case ctx.Err() != nil:
			return 0, err
		case err != nil:
			return 0, nil
		case least == 0 || way.Path < least:
			least = way.Path
		}
	}
	return least, nil
}

// nicMTU reads an interface's MTU.
func nicMTU(_ context.Context, r *worker.Request) (any, error) {
	var args mtuArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	link, err := net.InterfaceByName(args.NIC)
	if err != nil {
		return nil, fmt.Errorf("reading the MTU of %s: %w", args.NIC, err)
	}
	return link.MTU, nil
}

// mtuServer answers every datagram with its number and length, and accepts
// TCP connections on the same port, until it is cancelled.
func mtuServer(ctx context.Context, r *worker.Request) (any, error) {
	var args mtuArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	listener, port, err := hot.ListenTCP(ctx, args.Addr, 0, 1)
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	s, err := hot.NewSocket(ctx, args.Addr, unix.SOCK_DGRAM, unix.IPPROTO_UDP)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := unix.Bind(s.FD, hot.Sockaddr(netip.AddrPortFrom(args.Addr, port))); err != nil {
		return nil, fmt.Errorf("binding to port %d: %w", port, os.NewSyscallError("bind", err))
	}
	if err := r.Ready(probes.Listening{Port: port}); err != nil {
		return nil, err
	}
	b := make([]byte, 64<<10)
	return struct{}{}, probes.EachPacket(ctx, s.FD, b, mtuAnswer, func(n int, from unix.Sockaddr) {
		binary.BigEndian.PutUint32(b[4:], uint32(n))
		_ = unix.Sendto(s.FD, b[:mtuAnswer], 0, from) // the client resends if this is lost
	})
}

func mtuClient(ctx context.Context, r *worker.Request) (any, error) {
	var args mtuArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	var result pathMTU
	var err error
	if result.Interface, err = hot.MTUOf(args.Addr); err != nil {
		return nil, err
	}
	conn, err := hot.ConnectTCP(ctx, args.Peer)
	if err != nil {
		return nil, err
	}
	info, err := conn.TCPInfo()
	conn.Close()
	if err != nil {
		return nil, err
	}
	result.MSS = int(info.Snd_mss)
	p, err := newMTUProber(ctx, &args, unix.IP_PMTUDISC_PROBE)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	if result.Path, err = p.largest(ctx, result.Interface); err != nil {
		return nil, err
	}
	if result.Path < result.Interface {
		result.Told, err = toldMTU(ctx, &args, result.Interface)
	}
	return result, err
}

// mtuProber sends datagrams that must not be fragmented.
type mtuProber struct {
	*hot.Socket
	headers int
	sent    uint32
}

// newMTUProber connects a socket that uses the given mode of path MTU discovery
// (IP_MTU_DISCOVER, ip(7)).
func newMTUProber(ctx context.Context, args *mtuArgs, discover int) (*mtuProber, error) {
	s, headers, err := pmtu.Socket(ctx, args.Peer.Addr(), discover)
	if err != nil {
		return nil, err
	}
	patience := unix.NsecToTimeval(args.Patience.Nanoseconds())
	err = unix.SetsockoptTimeval(s.FD, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience)
	if err == nil {
		err = s.Connect(ctx, args.Peer)
	}
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("opening a socket that does not fragment: %w", err)
	}
	return &mtuProber{Socket: s, headers: headers}, nil
}

// passes reports whether an IP packet of the given size arrives.
func (p *mtuProber) passes(ctx context.Context, size int) (bool, error) {
	b := make([]byte, max(size-p.headers, mtuAnswer))
	answer := make([]byte, mtuAnswer)
	for range mtuTries {
		p.sent++
		binary.BigEndian.PutUint32(b, p.sent)
		if err := unix.Send(p.FD, b, 0); errors.Is(err, unix.EMSGSIZE) {
			return false, nil
		} // any other error, such as no route yet, shows up as no answer
		for {
			n, _, err := unix.Recvfrom(p.FD, answer, 0)
			if ctx.Err() != nil {
				return false, context.Cause(ctx)
			}
			if err != nil {
				break
			}
			if n == mtuAnswer && binary.BigEndian.Uint32(answer) == p.sent && int(binary.BigEndian.Uint32(answer[4:])) == len(b) {
				return true, nil
			}
		}
	}
	return false, nil
}

// largest returns the largest size up to most that passes.
func (p *mtuProber) largest(ctx context.Context, most int) (int, error) {
	most = min(most, pmtu.Most)
	if ok, err := p.passes(ctx, most); ok || err != nil {
		return most, err
	}
	if ok, err := p.passes(ctx, pmtu.Least); !ok || err != nil {
		if err = errors.Join(err, context.Cause(ctx)); err == nil {
			err = errors.New("they are not answered")
		}
		return 0, fmt.Errorf("not even packets of %d bytes pass: %w", pmtu.Least, err)
	}
	return pmtu.Largest(pmtu.Least, most, func(size int) (bool, error) { return p.passes(ctx, size) })
}

// toldMTU sends packets that are too large and returns the path MTU that the kernel
// learned from too-big messages, 0 if none came.
func toldMTU(ctx context.Context, args *mtuArgs, size int) (int, error) {
	p, err := newMTUProber(ctx, args, unix.IP_PMTUDISC_DO)
	if err != nil {
		return 0, err
	}
	defer p.Close()
	if _, err := p.passes(ctx, size); err != nil {
		return 0, err
	}
	level, option := unix.IPPROTO_IP, unix.IP_MTU
	if !args.Peer.Addr().Is4() {
		level, option = unix.IPPROTO_IPV6, unix.IPV6_MTU
	}
	known, err := unix.GetsockoptInt(p.FD, level, option)
	if err != nil {
		return 0, fmt.Errorf("reading the path's MTU: %w", os.NewSyscallError("getsockopt", err))
	}
	if known >= size {
		return 0, nil
	}
	return known, nil
}

// mtuWays is the maximum number of directions measured: both directions between
// the pods, and between the nodes.
const mtuWays = 4

// mtuSite returns the site with the duration of one direction, which allows for
// waiting for packets that do not pass.
func mtuSite(s *probes.Site) probes.Site {
	limited := *s
	limited.Duration = max(s.Duration, probes.FactLimit) + mtuSizes*mtuTries*s.RoundTrip()
	return limited
}

func mtuTakes(s *probes.Site) time.Duration {
	limited := mtuSite(s)
	return mtuWays * limited.DriveLimit()
}
