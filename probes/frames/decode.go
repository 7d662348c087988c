// Package frames captures Ethernet frames, finds known packets in them regardless of
// encapsulation, and writes frames to pcapng files.
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

// A known packet, which the encapsulation probe sends, is a UDP datagram with a
// random token at the start of its payload that distinguishes it from all other
// traffic.
const (
	TokenBytes = 16
	// KnownLength is the length of a known packet, including its IP header. It is a
	// multiple of 16, because WireGuard pads to that.
	KnownLength = 320
	// HeaderBytes is the length of the token, the direction and the number at the
	// start of the payload.
	HeaderBytes = TokenBytes + 1 + 4
	// maxTunnels is the maximum depth of nested encapsulations that are decoded.
	maxTunnels = 4
)

// The sizes of headers are in bytes.
const (
	UDPHeader  = 8  // RFC 768
	IPv4Header = 20 // RFC 791, without options
	IPv6Header = 40 // RFC 8200
	// wireGuardBytes is the length of the header (16) and the authentication tag (16)
	// of a WireGuard data message (wireguard.com/papers/wireguard.pdf, 5.4.6).
	wireGuardBytes = 32
)

// Token marks the packets of one sample.
type Token [TokenBytes]byte

// A known packet has one of two directions.
const (
	Forward  = 'f' // from the client's pod to the server's
	Backward = 'b'
)

// KnownPayload returns the UDP payload of known packet n over IPv4 or IPv6.
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
	// packet identifies the packet: the direction and number inside it, or the
	// receiver and counter of a WireGuard message.
	packet string
}

// Form describes the encapsulation of a known packet.
type Form struct {
	Kind     string // as in probes.Encapsulation
	Port     int
	Overhead int
	Layers   string // from the outside in, joined by LayerSeparator
}

// LayerSeparator separates the layers of a Form.
const LayerSeparator = ", "

// Text returns a short description of the form.
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

// DecodeFrame looks for a known packet in an Ethernet frame, which may be truncated
// after its headers. It tries every interpretation that the bytes allow, regardless
// of the configured ports: an interpretation counts if it ends at a known packet.
func DecodeFrame(frame []byte, t Token) (OnWire, bool) {
	return walk{token: t, kind: "none"}.ethernet(frame)
}

// walk is the state of decoding a frame from the outside in.
type walk struct {
	token   Token
	layers  []string
	kind    string // of the outermost tunnel
	port    int
	tunnels int
	outer   int // length of the outermost IP packet
	ip      int // length of the innermost IP packet so far
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

// network decodes the payload that an EtherType announces.
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

// packet decodes the payload of an IP packet of the given length.
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

// vxlan decodes a UDP payload as VXLAN (RFC 7348, section 5).
func (w walk) vxlan(port int, b []byte) (OnWire, bool) {
	var v layers.VXLAN
	if v.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil || !v.ValidIDFlag {
		return OnWire{}, false
	}
	return w.tunnel("vxlan", port).layer("VXLAN", len(v.Contents)).ethernet(v.Payload)
}

// geneve decodes a UDP payload as Geneve (RFC 8926, section 3.4).
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

// bareIP decodes a UDP payload as an IP packet, as flannel's udp backend sends it.
func (w walk) bareIP(port int, b []byte) (OnWire, bool) {
	w = w.tunnel("udp", port)
	if found, ok := w.ip4(b); ok {
		return found, true
	}
	return w.ip6(b)
}

// wireGuard recognizes a UDP payload as a WireGuard data message that may contain a
// known packet: the type is 4, three zeros follow, and the length is right. Its
// content is encrypted.
func (w walk) wireGuard(port, length int, b []byte) (OnWire, bool) {
	const header = 16 // type, reserved, receiver, counter
	if w.tunnels > 0 || length != KnownLength+wireGuardBytes || len(b) < header || !bytes.HasPrefix(b, []byte{4, 0, 0, 0}) || w.outer < KnownLength {
		return OnWire{}, false
	}
	w = w.tunnel("wireguard", port).layer("WireGuard", wireGuardBytes)
	return w.found(fmt.Sprintf("%x", b[4:header])), true
}

// known ends the walk at a payload that starts with the token.
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

// found returns the result of a walk that has ended at a known packet.
func (w walk) found(packet string) OnWire {
	return OnWire{
		Form:   Form{Kind: w.kind, Port: w.port, Overhead: w.outer - KnownLength, Layers: strings.Join(w.layers, LayerSeparator)},
		packet: packet,
	}
}
