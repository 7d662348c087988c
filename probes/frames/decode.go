// Package frames captures Ethernet frames, finds known packets in them whatever
// lies around those, and keeps frames as pcapng files.
package frames

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/cnibench/cnibench/words"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// The packets that the encapsulation probe sends: UDP, told apart from
// everything else on the wire by a random token at the start of the payload.
const (
	TokenBytes = 16
	// KnownLength is the length of a known packet from its IP header on. A
	// multiple of 16, because WireGuard pads to that.
	KnownLength = 320
	// HeaderBytes are the token, the direction and the number at the start of
	// the payload.
	HeaderBytes = TokenBytes + 1 + 4
	// maxTunnels is how many encapsulations inside each other are followed.
	maxTunnels = 4
)

// Sizes of headers in bytes.
const (
	UDPHeader  = 8  // RFC 768
	IPv4Header = 20 // RFC 791, without options
	IPv6Header = 40 // RFC 8200
	// wireGuardBytes are the header (16) and the authentication tag (16) of a
	// WireGuard data message (wireguard.com/papers/wireguard.pdf, 5.4.6).
	wireGuardBytes = 32
)

// Token marks the packets of one sample.
type Token [TokenBytes]byte

// Directions of a known packet.
const (
	Forward  = 'f' // from the client's pod to the server's
	Backward = 'b'
)

// KnownPayload is the UDP payload of known packet n over IPv4 or IPv6.
func KnownPayload(t Token, direction byte, n uint32, ip6 bool) []byte {
	b := make([]byte, knownPayloadBytes(ip6))
	copy(b, t[:])
	b[TokenBytes] = direction
	binary.BigEndian.PutUint32(b[TokenBytes+1:], n)
	return b
}

func knownPayloadBytes(ip6 bool) int {
	if ip6 {
		return KnownLength - IPv6Header - UDPHeader
	}
	return KnownLength - IPv4Header - UDPHeader
}

// OnWire is how a known packet travelled.
type OnWire struct {
	Form
	// packet tells packets apart: the direction and number inside, or what a
	// WireGuard message has instead.
	packet string
}

// Form is the outside of a frame that carries a known packet.
type Form struct {
	Kind     string // as in [Encapsulation]
	Port     int
	Overhead int
	Layers   string // from the outside in, joined by layerSeparator
}

const LayerSeparator = ", "

// Text describes the form in a few words.
func (f Form) Text() words.Text {
	s := words.Quote(f.Kind)
	if f.Kind == "none" {
		s = words.NoEncapsulation
	}
	if f.Port != 0 {
		s = words.FormOnPort.With(s, f.Port)
	}
	return words.FormOverhead.With(s, f.Overhead)
}

// DecodeFrame looks for a known packet in an Ethernet frame, which may be cut
// after its headers. It follows whatever the bytes allow, not the ports that
// are configured: a reading counts when it ends at a known packet.
func DecodeFrame(frame []byte, t Token) (OnWire, bool) {
	return walk{token: t, kind: "none"}.ethernet(frame)
}

// walk is a reading of a frame from the outside in.
type walk struct {
	token   Token
	layers  []string
	kind    string // of the outermost tunnel
	port    int
	tunnels int
	outer   int // length of the outermost IP packet
	ip      int // length of the IP packet that is being read
}

func (w walk) layer(name string, size int) walk {
	w.layers = append(w.layers, fmt.Sprintf("%s %d", name, size))
	return w
}

// tunnel enters an encapsulation.
func (w walk) tunnel(kind string, port int) walk {
	if w.tunnels == 0 {
		w.kind, w.port = kind, port
	}
	w.tunnels++
	return w
}

func (w walk) ethernet(b []byte) (OnWire, bool) {
	var eth layers.Ethernet
	if eth.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil {
		return OnWire{}, false
	}
	w = w.layer("Ethernet", len(eth.Contents))
	return w.network(eth.EthernetType, eth.Payload)
}

// network reads what an EtherType announces.
func (w walk) network(kind layers.EthernetType, b []byte) (OnWire, bool) {
	for range 2 { // 802.1Q and 802.1ad tags
		if kind != layers.EthernetTypeDot1Q && kind != layers.EthernetTypeQinQ {
			break
		}
		var tag layers.Dot1Q
		if tag.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil {
			return OnWire{}, false
		}
		w = w.layer("802.1Q", len(tag.Contents))
		kind, b = tag.Type, tag.Payload
	}
	switch kind {
	case layers.EthernetTypeIPv4:
		return w.ip4(b)
	case layers.EthernetTypeIPv6:
		return w.ip6(b)
	}
	return OnWire{}, false
}

func (w walk) ip4(b []byte) (OnWire, bool) {
	var ip layers.IPv4
	if ip.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil || ip.Version != 4 ||
		ip.Flags&layers.IPv4MoreFragments != 0 || ip.FragOffset != 0 {
		return OnWire{}, false
	}
	return w.packet("IPv4", len(ip.Contents), int(ip.Length), ip.Protocol, ip.Payload)
}

func (w walk) ip6(b []byte) (OnWire, bool) {
	var ip layers.IPv6
	if ip.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil || ip.Version != 6 || ip.HopByHop != nil {
		return OnWire{}, false
	}
	return w.packet("IPv6", len(ip.Contents), len(ip.Contents)+int(ip.Length), ip.NextHeader, ip.Payload)
}

// packet reads what is inside an IP packet of a length.
func (w walk) packet(name string, header, length int, protocol layers.IPProtocol, payload []byte) (OnWire, bool) {
	w = w.layer(name, header)
	if w.outer == 0 {
		w.outer = length
	}
	w.ip = length
	switch {
	case protocol == layers.IPProtocolUDP:
		return w.udp(payload)
	case w.tunnels == maxTunnels:
		return OnWire{}, false
	case protocol == layers.IPProtocolIPv4: // RFC 2003
		return w.tunnel("ipip", 0).ip4(payload)
	case protocol == layers.IPProtocolIPv6: // RFC 2473, RFC 4213
		return w.tunnel("ipip", 0).ip6(payload)
	}
	return OnWire{}, false
}

func (w walk) udp(b []byte) (OnWire, bool) {
	var udp layers.UDP
	if udp.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil {
		return OnWire{}, false
	}
	w = w.layer("UDP", UDPHeader)
	if bytes.HasPrefix(udp.Payload, w.token[:]) {
		return w.known(int(udp.Length)-UDPHeader, udp.Payload)
	}
	port := int(udp.DstPort)
	if found, ok := w.wireGuard(port, int(udp.Length)-UDPHeader, udp.Payload); ok {
		return found, true
	}
	if w.tunnels == maxTunnels {
		return OnWire{}, false
	}
	for _, read := range []func(int, []byte) (OnWire, bool){w.vxlan, w.geneve, w.bareIP} {
		if found, ok := read(port, udp.Payload); ok {
			return found, true
		}
	}
	return OnWire{}, false
}

// vxlan reads a UDP payload as VXLAN (RFC 7348, section 5).
func (w walk) vxlan(port int, b []byte) (OnWire, bool) {
	var v layers.VXLAN
	if v.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil || !v.ValidIDFlag {
		return OnWire{}, false
	}
	return w.tunnel("vxlan", port).layer("VXLAN", len(v.Contents)).ethernet(v.Payload)
}

// geneve reads a UDP payload as Geneve (RFC 8926, section 3.4).
func (w walk) geneve(port int, b []byte) (OnWire, bool) {
	var g layers.Geneve
	if g.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil || g.Version != 0 {
		return OnWire{}, false
	}
	w = w.tunnel("geneve", port).layer("Geneve", len(g.Contents))
	if g.Protocol == layers.EthernetTypeTransparentEthernetBridging {
		return w.ethernet(g.Payload)
	}
	return w.network(g.Protocol, g.Payload)
}

// bareIP reads a UDP payload as an IP packet, as flannel's udp backend sends
// it.
func (w walk) bareIP(port int, b []byte) (OnWire, bool) {
	w = w.tunnel("udp", port)
	if found, ok := w.ip4(b); ok {
		return found, true
	}
	return w.ip6(b)
}

// wireGuard takes a UDP payload for a WireGuard data message that holds a
// known packet: the type is 4, three zeros follow, and the length is right.
// What is inside cannot be read.
func (w walk) wireGuard(port, length int, b []byte) (OnWire, bool) {
	const header = 16 // type, reserved, receiver, counter
	if w.tunnels > 0 || length != KnownLength+wireGuardBytes || len(b) < header || !bytes.HasPrefix(b, []byte{4, 0, 0, 0}) || w.outer < KnownLength {
		return OnWire{}, false
	}
	w = w.tunnel("wireguard", port).layer("WireGuard", wireGuardBytes)
	return w.found(fmt.Sprintf("%x", b[4:header])), true
}

// known ends a reading at a payload that starts with the token.
func (w walk) known(length int, b []byte) (OnWire, bool) {
	ip6 := length == knownPayloadBytes(true)
	if len(b) < HeaderBytes || w.ip != KnownLength || w.outer < KnownLength || !ip6 && length != knownPayloadBytes(false) {
		return OnWire{}, false
	}
	direction := b[TokenBytes]
	if direction != Forward && direction != Backward {
		return OnWire{}, false
	}
	return w.found(fmt.Sprintf("%c%d", direction, binary.BigEndian.Uint32(b[TokenBytes+1:]))), true
}

// found is the reading that has ended at a known packet.
func (w walk) found(packet string) OnWire {
	return OnWire{
		Form:   Form{Kind: w.kind, Port: w.port, Overhead: w.outer - KnownLength, Layers: strings.Join(w.layers, LayerSeparator)},
		packet: packet,
	}
}
