package survey

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/frames"
	"github.com/cnibench/cnibench/probes/hot"
	"github.com/cnibench/cnibench/probes/pmtu"
	"github.com/cnibench/cnibench/probes/worker"
)

// A packet holds the token of its pair of nodes and a number. An answer adds the size of
// the packet's payload.
const (
	packetBytes = frames.TokenBytes + 4
	answerBytes = packetBytes + 4
)

// args are the arguments of both roles.
type args struct {
	Addr  netip.Addr     `json:"addr"` // the end's own address
	Peer  netip.AddrPort `json:"peer,omitzero"`
	Token frames.Token   `json:"token"`
	// Packets is how many small packets are sent. Patience is how long an answer may
	// take once one has come, First how long the first one may take, and Last how long
	// any may take if the first did not come; all in ns.
	Packets  int           `json:"packets,omitempty"`
	First    time.Duration `json:"first,omitempty"`
	Last     time.Duration `json:"last,omitempty"`
	Patience time.Duration `json:"patience,omitempty"`
}

// own returns the address of this pod: the one in the arguments if it has that, otherwise
// its first global unicast address of the same family.
func own(_ context.Context, r *worker.Request) (any, error) {
	var a args
	if err := r.Args(&a); err != nil {
		return nil, err
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("listing the pod's addresses: %w", err)
	}
	var other netip.Addr
	for _, address := range all {
		prefix, err := netip.ParsePrefix(address.String())
		switch addr := prefix.Addr(); {
		case err != nil:
			return nil, fmt.Errorf("reading the pod's addresses: %w", err)
		case addr == a.Addr:
			return addr, nil
		case !other.IsValid() && addr.IsGlobalUnicast() && addr.Is4() == a.Addr.Is4():
			other = addr
		}
	}
	if !other.IsValid() {
		return nil, fmt.Errorf("the pod has no address, neither %s nor another of that family", a.Addr)
	}
	return other, nil
}

// tally is what the answering end saw.
type tally struct {
	Arrived int        `json:"arrived"` // small packets, each counted once
	Source  netip.Addr `json:"source"`  // of the first one; invalid if none arrived
}

// answer answers the packets of one pair until it is cancelled, and counts the small
// ones.
func answer(ctx context.Context, r *worker.Request) (any, error) {
	var a args
	if err := r.Args(&a); err != nil {
		return nil, err
	}
	s, port, err := hot.BoundUDP(ctx, a.Addr)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := r.Ready(probes.Listening{Port: port}); err != nil {
		return nil, err
	}
	var seen tally
	numbers := map[uint32]bool{}
	b := make([]byte, 64<<10)
	err = probes.EachPacket(ctx, s.FD, b, packetBytes, func(n int, from unix.Sockaddr) {
		if frames.Token(b[:frames.TokenBytes]) != a.Token {
			return
		}
		if number := binary.BigEndian.Uint32(b[frames.TokenBytes:]); n == packetBytes && !numbers[number] {
			numbers[number] = true
			if seen.Arrived++; seen.Arrived == 1 {
				seen.Source = hot.AddrOf(from)
			}
		}
		binary.BigEndian.PutUint32(b[packetBytes:], uint32(n))
		_ = unix.Sendto(s.FD, b[:answerBytes], 0, from) // a lost answer counts as lost
	})
	return seen, err
}

// asked is what the asking end saw.
type asked struct {
	Sent      int           `json:"sent"`
	Answered  int           `json:"answered"`
	RTT       time.Duration `json:"rtt"` // median, ns
	Interface int           `json:"interface"`
	Largest   int           `json:"largest"` // 0 if it is not known
	Refused   string        `json:"refused,omitempty"`
}

// prober sends packets that must not be fragmented, and waits for their answers.
type prober struct {
	*hot.Socket
	args    *args
	headers int
	number  uint32
	refused string
}

// ask sends small packets to the answering end, and finds the largest that passes.
func ask(ctx context.Context, r *worker.Request) (any, error) {
	var a args
	if err := r.Args(&a); err != nil {
		return nil, err
	}
	mtu, err := hot.MTUOf(a.Addr)
	if err != nil {
		return nil, err
	}
	result := asked{Interface: mtu}
	p, err := newProber(ctx, &a)
	if err != nil {
		return nil, err
	}
	defer p.Close()
	if err := p.count(ctx, &result); err != nil {
		return nil, err
	}
	if result.Answered > 0 {
		result.Largest, err = p.largest(ctx, mtu)
	}
	result.Refused = p.refused
	return result, err
}

func newProber(ctx context.Context, a *args) (*prober, error) {
	s, headers, err := pmtu.Socket(ctx, a.Addr, unix.IP_PMTUDISC_PROBE)
	if err != nil {
		return nil, err
	}
	return &prober{Socket: s, args: a, headers: headers}, nil
}

// send sends a packet with the given payload and returns its number. The socket is not
// connected, so that a route that is missing for now is an error of one packet only.
func (p *prober) send(payload int) uint32 {
	b := make([]byte, max(payload, packetBytes))
	copy(b, p.args.Token[:])
	p.number++
	binary.BigEndian.PutUint32(b[frames.TokenBytes:], p.number)
	if err := unix.Sendto(p.FD, b, 0, hot.Sockaddr(p.args.Peer)); err != nil && !errors.Is(err, unix.EMSGSIZE) {
		p.refused = err.Error()
	}
	return p.number
}

// await waits until the wanted packet is answered or time is up, and returns whether it
// was. Each number that is answered meanwhile is passed to seen, which may be nil.
func (p *prober) await(ctx context.Context, limit time.Duration, want uint32, payload int, seen func(number uint32)) (bool, error) {
	deadline := time.Now().Add(limit)
	b := make([]byte, answerBytes)
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return false, nil
		}
		wait := unix.NsecToTimeval(max(left, time.Millisecond).Nanoseconds())
		if err := unix.SetsockoptTimeval(p.FD, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &wait); err != nil {
			return false, fmt.Errorf("limiting the wait for answers: %w", os.NewSyscallError("setsockopt", err))
		}
		n, from, err := unix.Recvfrom(p.FD, b, 0)
		switch {
		case ctx.Err() != nil:
			return false, context.Cause(ctx)
		case err != nil || n != answerBytes || from == nil || frames.Token(b[:frames.TokenBytes]) != p.args.Token:
			continue
		}
		number := binary.BigEndian.Uint32(b[frames.TokenBytes:])
		if seen != nil {
			seen(number)
		}
		if number == want && int(binary.BigEndian.Uint32(b[packetBytes:])) == payload {
			return true, nil
		}
	}
}

// count sends the small packets, one after the other. If the first is not answered, the
// rest is sent at once, so that a closed path costs little time.
func (p *prober) count(ctx context.Context, result *asked) error {
	answered := map[uint32]bool{}
	seen := func(number uint32) { answered[number] = true }
	var trips []time.Duration
	limit, closed := p.args.First, false
	for range p.args.Packets {
		begun := time.Now()
		last := p.send(packetBytes)
		result.Sent++
		if closed {
			continue
		}
		ok, err := p.await(ctx, limit, last, packetBytes, seen)
		switch {
		case err != nil:
			return err
		case ok:
			trips = append(trips, time.Since(begun))
			limit = p.args.Patience
		case len(trips) == 0:
			closed = true
		}
	}
	if closed {
		if _, err := p.await(ctx, p.args.Last, p.number, packetBytes, seen); err != nil {
			return err
		}
	}
	result.Answered = len(answered)
	if len(trips) > 0 {
		slices.Sort(trips)
		result.RTT = trips[len(trips)/2]
	}
	return nil
}

// tries is how many packets of a size may be lost before it counts as too large: with a
// loss of 30 % in each direction, all are lost once in 10,000 sizes.
const tries = 14

// passes reports whether an IP packet of a size is answered.
func (p *prober) passes(ctx context.Context, size int) (bool, error) {
	payload, first, arrived := size-p.headers, p.number+1, false
	seen := func(number uint32) { arrived = arrived || number >= first }
	for sent := 0; sent < tries; {
		var last uint32
		for range min(1+sent, tries-sent) { // 1, 1, 2, 4, 6: a size that passes costs one packet
			last = p.send(payload)
			sent++
		}
		patience := p.args.Patience
		if sent == tries { // the last chance of this size, on a machine that may be busy
			patience = p.args.First
		}
		ok, err := p.await(ctx, patience, last, payload, seen)
		if ok || arrived || err != nil {
			return err == nil, err
		}
	}
	return false, nil
}

// largest returns the size of the largest packet that passes, from small ones, which do,
// up to most. That a size passes is certain, but one that does not may have been late: the
// search ends only after the next larger size was tried once more.
func (p *prober) largest(ctx context.Context, most int) (int, error) {
	most = min(most, pmtu.Most)
	passes := func(size int) (bool, error) { return p.passes(ctx, size) }
	if ok, err := passes(most); ok || err != nil {
		return most, err
	}
	low := pmtu.Least
	for low < most {
		var err error
		if low, err = pmtu.Largest(low, most, passes); err != nil {
			return 0, err
		}
		if ok, err := passes(low + 1); !ok {
			return low, err
		}
		low++
	}
	return low, nil
}
