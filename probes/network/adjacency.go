package network

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/frames"
	"github.com/cnibench/cnibench/probes/worker"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

const (
	// A neighbour counts as absent if arpTries requests are not answered, each
	// within arpPatience plus the underlay's delay.
	arpTries    = 3
	arpPatience = 60 * time.Millisecond
	// foreignFrames is the number of frames sent, frames.PacketGap apart. One that
	// arrives is enough.
	foreignFrames = 5
	// adjacencyLinger is how long frames may take to arrive after the last one
	// was sent.
	adjacencyLinger = 40 * time.Millisecond
	// sentTTL is the TTL of the frames sent. A router on the path decrements it.
	sentTTL = 64
)

// Adjacency checks, between all nodes and in both directions, what a plugin without
// encapsulation relies on. Being on-link is not enough: the neighbour's address may
// be resolved by a fabric, which forwards frames for that MAC as it sees fit. So a
// second stage sends a frame for a foreign address to that MAC and checks whether
// it arrives.
func Adjacency() *probes.Probe {
	return &probes.Probe{
		Name: "adjacency", Title: "whether the nodes share a link layer that forwards frames for foreign addresses",
		Once: true, Unreached: true, Placement: probes.Same,
		Roles:   map[string]worker.Role{"watch": adjacencyWatch, "ask": adjacencyAsk},
		Measure: measureAdjacency, Longest: adjacencyTakes,
	}
}

type adjacencyArgs struct {
	NIC   string       `json:"nic"`
	Own   netip.Addr   `json:"own"`
	Peer  netip.Addr   `json:"peer"`
	Token frames.Token `json:"token"`
	// Patience is how long an answer may take, and Linger how long frames may
	// take to arrive, in ns.
	Patience time.Duration `json:"patience,omitempty"`
	Linger   time.Duration `json:"linger,omitempty"`
}

// nicOf is what the watching end reports about itself.
type nicOf struct {
	MAC string `json:"mac"`
}

// watchedFrames is what reached the watching end.
type watchedFrames struct {
	Asked   bool `json:"asked"`   // an ARP request from the peer arrived
	Foreign int  `json:"foreign"` // frames for the foreign address
	TTL     int  `json:"ttl"`     // of the first such frame
}

// askedNeighbour is the answer that the asking end received.
type askedNeighbour struct {
	MAC string `json:"mac"` // MAC that answered, "" for none
}

func measureAdjacency(ctx context.Context, s *probes.Site) (*probes.Measurement, error) {
	around, err := s.Places(ctx)
	if err != nil {
		return nil, err
	}
	if len(around.Nodes) < 2 {
		return nil, &probes.NotHereError{Why: words.NeedsNodeWorkers}
	}
	if slices.ContainsFunc(around.Nodes, func(n probes.End) bool { return !n.Addr.Is4() }) {
		return nil, &probes.NotHereError{Why: words.AdjacencyNeedsIPv4}
	}
	begin := time.Now()
	m := &probes.Measurement{}
	nodes := around.Nodes[:min(len(around.Nodes), mostNodes)]
	for _, from := range nodes {
		for _, to := range nodes {
			if from.NodeName == to.NodeName {
				continue
			}
			a, err := adjacent(ctx, s, from, to)
			if err != nil {
				return nil, fmt.Errorf("from %s to %s: %w", from.NodeName, to.NodeName, err)
			}
			m.Adjacency = append(m.Adjacency, *a)
		}
	}
	m.Seconds = time.Since(begin).Seconds()
	return m, nil
}

// adjacent checks one pair of nodes in one direction.
func adjacent(ctx context.Context, s *probes.Site, from, to probes.End) (*results.Adjacency, error) {
	var t frames.Token
	rand.Read(t[:])
	watch, err := to.Worker.Start(ctx, "adjacency/watch", adjacencyArgs{NIC: to.NIC, Own: to.Addr, Peer: from.Addr, Token: t})
	if err != nil {
		return nil, err
	}
	defer watch.Cancel()
	var target nicOf
	if err := watch.Ready(ctx, &target); err != nil {
		return nil, err
	}
	ask, err := from.Worker.Start(ctx, "adjacency/ask", adjacencyArgs{NIC: from.NIC, Own: from.Addr, Peer: to.Addr, Token: t,
		Patience: s.Patience(arpPatience), Linger: s.Patience(adjacencyLinger)})
	if err != nil {
		return nil, err
	}
	var answer askedNeighbour
	if err := ask.Wait(ctx, &answer); err != nil {
		return nil, err
	}
	watch.Cancel()
	var seen watchedFrames
	if err := watch.Wait(ctx, &seen); err != nil {
		return nil, err
	}
	return judgeAdjacency(from, to, target, answer, seen), nil
}

// judgeAdjacency interprets the frames that were seen.
func judgeAdjacency(from, to probes.End, target nicOf, answer askedNeighbour, seen watchedFrames) *results.Adjacency {
	a := &results.Adjacency{From: from.NodeName, To: to.NodeName, Neighbour: answer.MAC != "", NeighbourMAC: answer.MAC,
		NodeMAC: target.MAC, Forwards: seen.Foreign > 0, TTL: seen.TTL}
	// A fabric may answer with the owner's MAC. The request then never reaches the
	// owner, which reveals the fabric.
	a.ProxyARP = a.Neighbour && (answer.MAC != target.MAC || !seen.Asked)
	switch {
	case !a.Neighbour:
		a.Cause = words.NoAnswerToARP.With(to.Addr, from.NodeName)
	case !a.Forwards && answer.MAC != target.MAC:
		a.Cause = words.ProxyDoesNotForward
	case !a.Forwards:
		a.Cause = words.FrameDoesNotArrive.With(to.NodeName)
	case a.TTL < sentTTL:
		a.Warnings = append(a.Warnings, words.RouterBetween.With(a.TTL, sentTTL))
	}
	return a
}

// adjacencyWatch reports its MAC and collects what reaches it, until it is
// cancelled.
func adjacencyWatch(ctx context.Context, r *worker.Request) (any, error) {
	var args adjacencyArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	fd, mac, err := frames.OpenPackets(args.NIC)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	if err := r.Ready(nicOf{MAC: mac.String()}); err != nil {
		return nil, err
	}
	var seen watchedFrames
	err = frames.EachPacket(ctx, fd, func(frame []byte) bool {
		seen.take(frame, args)
		return true
	})
	return seen, err
}

// take examines a frame that arrived.
func (w *watchedFrames) take(frame []byte, args adjacencyArgs) {
	packet := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.NoCopy)
	if arp, ok := packet.Layer(layers.LayerTypeARP).(*layers.ARP); ok {
		if arp.Operation == layers.ARPRequest && isAddr(arp.SourceProtAddress, args.Peer) && isAddr(arp.DstProtAddress, args.Own) {
			w.Asked = true
		}
		return
	}
	ip, ok := packet.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
	if !ok || !isAddr(ip.DstIP.To4(), foreign) || !bytes.Contains(frame, args.Token[:]) {
		return
	}
	if w.Foreign++; w.Foreign == 1 {
		w.TTL = int(ip.TTL)
	}
}

func isAddr(b []byte, a netip.Addr) bool { return bytes.Equal(b, a.AsSlice()) }

// adjacencyAsk resolves the peer's address by ARP and sends frames for a
// foreign address to the MAC that answers.
func adjacencyAsk(ctx context.Context, r *worker.Request) (any, error) {
	var args adjacencyArgs
	if err := r.Args(&args); err != nil {
		return nil, err
	}
	if !args.Own.Is4() || !args.Peer.Is4() {
		return nil, errors.New("checking adjacency: it uses ARP, which exists for IPv4 only")
	}
	fd, own, err := frames.OpenPackets(args.NIC)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	peer, err := resolve(ctx, fd, own, args)
	if err != nil || peer == nil {
		return askedNeighbour{}, err
	}
	frame, err := foreignFrame(own, peer, args)
	if err != nil {
		return nil, err
	}
	for range foreignFrames {
		if _, err := unix.Write(fd, frame); err != nil {
			return nil, fmt.Errorf("sending a frame for a foreign address: %w", os.NewSyscallError("write", err))
		}
		time.Sleep(frames.PacketGap)
	}
	time.Sleep(args.Linger)
	return askedNeighbour{MAC: peer.String()}, nil
}

// resolve returns the MAC that answers for the peer, or nil if none does.
func resolve(ctx context.Context, fd int, own net.HardwareAddr, args adjacencyArgs) (net.HardwareAddr, error) {
	request, err := frames.Serialize(
		&layers.Ethernet{SrcMAC: own, DstMAC: layers.EthernetBroadcast, EthernetType: layers.EthernetTypeARP},
		&layers.ARP{AddrType: layers.LinkTypeEthernet, Protocol: layers.EthernetTypeIPv4, HwAddressSize: 6, ProtAddressSize: 4,
			Operation: layers.ARPRequest, SourceHwAddress: own, SourceProtAddress: args.Own.AsSlice(),
			DstHwAddress: make([]byte, 6), DstProtAddress: args.Peer.AsSlice()})
	if err != nil {
		return nil, err
	}
	for range arpTries {
		if _, err := unix.Write(fd, request); err != nil {
			return nil, fmt.Errorf("sending an ARP request: %w", os.NewSyscallError("write", err))
		}
		var peer net.HardwareAddr
		limited, cancel := context.WithTimeoutCause(ctx, args.Patience, worker.ErrCancelled)
		err := frames.EachPacket(limited, fd, func(frame []byte) bool {
			arp, ok := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.NoCopy).Layer(layers.LayerTypeARP).(*layers.ARP)
			if ok && arp.Operation == layers.ARPReply && isAddr(arp.SourceProtAddress, args.Peer) && bytes.Equal(arp.DstHwAddress, own) {
				peer = bytes.Clone(arp.SourceHwAddress)
			}
			return peer == nil
		})
		cancel()
		if err != nil || peer != nil {
			return peer, err
		}
	}
	return nil, nil
}

// foreignFrame returns a frame to the peer's MAC that carries a datagram for a
// foreign address.
func foreignFrame(own, peer net.HardwareAddr, args adjacencyArgs) ([]byte, error) {
	ip := &layers.IPv4{Version: 4, TTL: sentTTL, Protocol: layers.IPProtocolUDP, SrcIP: args.Own.AsSlice(), DstIP: foreign.AsSlice()}
	udp := &layers.UDP{SrcPort: 9, DstPort: 9} // discard (RFC 863)
	if err := udp.SetNetworkLayerForChecksum(ip); err != nil {
		return nil, fmt.Errorf("building a frame: %w", err)
	}
	return frames.Serialize(&layers.Ethernet{SrcMAC: own, DstMAC: peer, EthernetType: layers.EthernetTypeIPv4}, ip, udp, gopacket.Payload(args.Token[:]))
}

// foreign is an address that no host has, from TEST-NET-2 (RFC 5737).
var foreign = netip.MustParseAddr("198.51.100.1")

// mostNodes is the maximum number of nodes that are checked, each with each.
const mostNodes = 4

func adjacencyTakes(s *probes.Site) time.Duration {
	asked := arpTries * s.Patience(arpPatience)
	return mostNodes * (mostNodes - 1) * (asked + foreignFrames*frames.PacketGap + s.Patience(adjacencyLinger))
}
