package probes

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
)

// The packets that the encapsulation probe sends: UDP, told apart from
// everything else on the wire by a random token at the start of the payload.
const (
	tokenBytes = 16
	// knownLength is the length of a known packet from its IP header on. A
	// multiple of 16, because WireGuard pads to that.
	knownLength = 320
	// headerBytes are the token, the direction and the number at the start of
	// the payload.
	headerBytes = tokenBytes + 1 + 4
	// maxTunnels is how many encapsulations inside each other are followed.
	maxTunnels = 4
)

// Sizes of headers in bytes.
const (
	udpHeader = 8  // RFC 768
	ip4Header = 20 // RFC 791, without options
	ip6Header = 40 // RFC 8200
	// wireGuardBytes are the header (16) and the authentication tag (16) of a
	// WireGuard data message (wireguard.com/papers/wireguard.pdf, 5.4.6).
	wireGuardBytes = 32
)

// token marks the packets of one sample.
type token [tokenBytes]byte

// Directions of a known packet.
const (
	forward  = 'f' // from the client's pod to the server's
	backward = 'b'
)

// knownPayload is the UDP payload of known packet n over IPv4 or IPv6.
func knownPayload(t token, direction byte, n uint32, ip6 bool) []byte {
	b := make([]byte, knownPayloadBytes(ip6))
	copy(b, t[:])
	b[tokenBytes] = direction
	binary.BigEndian.PutUint32(b[tokenBytes+1:], n)
	return b
}

func knownPayloadBytes(ip6 bool) int {
	if ip6 {
		return knownLength - ip6Header - udpHeader
	}
	return knownLength - ip4Header - udpHeader
}

// onWire is how a known packet travelled.
type onWire struct {
	form
	// packet tells packets apart: the direction and number inside, or what a
	// WireGuard message has instead.
	packet string
}

// form is the outside of a frame that carries a known packet.
type form struct {
	kind     string // as in [Encapsulation]
	port     int
	overhead int
	layers   string // from the outside in, joined by layerSeparator
}

const layerSeparator = ", "

func (f form) String() string {
	s := f.kind
	if f.kind == "none" {
		s = "no encapsulation"
	}
	if f.port != 0 {
		s += fmt.Sprintf(" on port %d", f.port)
	}
	return s + fmt.Sprintf(" with %d bytes of overhead", f.overhead)
}

// decodeFrame looks for a known packet in an Ethernet frame, which may be cut
// after its headers. It follows whatever the bytes allow, not the ports that
// are configured: a reading counts when it ends at a known packet.
func decodeFrame(frame []byte, t token) (onWire, bool) {
	return walk{token: t, kind: "none"}.ethernet(frame)
}

// walk is a reading of a frame from the outside in.
type walk struct {
	token   token
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

func (w walk) ethernet(b []byte) (onWire, bool) {
	var eth layers.Ethernet
	if eth.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil {
		return onWire{}, false
	}
	w = w.layer("Ethernet", len(eth.Contents))
	return w.network(eth.EthernetType, eth.Payload)
}

// network reads what an EtherType announces.
func (w walk) network(kind layers.EthernetType, b []byte) (onWire, bool) {
	for range 2 { // 802.1Q and 802.1ad tags
		if kind != layers.EthernetTypeDot1Q && kind != layers.EthernetTypeQinQ {
			break
		}
		var tag layers.Dot1Q
		if tag.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil {
			return onWire{}, false
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
	return onWire{}, false
}

func (w walk) ip4(b []byte) (onWire, bool) {
	var ip layers.IPv4
	if ip.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil || ip.Version != 4 ||
		ip.Flags&layers.IPv4MoreFragments != 0 || ip.FragOffset != 0 {
		return onWire{}, false
	}
	return w.packet("IPv4", len(ip.Contents), int(ip.Length), ip.Protocol, ip.Payload)
}

func (w walk) ip6(b []byte) (onWire, bool) {
	var ip layers.IPv6
	if ip.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil || ip.Version != 6 || ip.HopByHop != nil {
		return onWire{}, false
	}
	return w.packet("IPv6", len(ip.Contents), len(ip.Contents)+int(ip.Length), ip.NextHeader, ip.Payload)
}

// packet reads what is inside an IP packet of a length.
func (w walk) packet(name string, header, length int, protocol layers.IPProtocol, payload []byte) (onWire, bool) {
	w = w.layer(name, header)
	if w.outer == 0 {
		w.outer = length
	}
	w.ip = length
	switch {
	case protocol == layers.IPProtocolUDP:
		return w.udp(payload)
	case w.tunnels == maxTunnels:
		return onWire{}, false
	case protocol == layers.IPProtocolIPv4: // RFC 2003
		return w.tunnel("ipip", 0).ip4(payload)
	case protocol == layers.IPProtocolIPv6: // RFC 2473, RFC 4213
		return w.tunnel("ipip", 0).ip6(payload)
	}
	return onWire{}, false
}

func (w walk) udp(b []byte) (onWire, bool) {
	var udp layers.UDP
	if udp.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil {
		return onWire{}, false
	}
	w = w.layer("UDP", udpHeader)
	if bytes.HasPrefix(udp.Payload, w.token[:]) {
		return w.known(int(udp.Length)-udpHeader, udp.Payload)
	}
	port := int(udp.DstPort)
	if found, ok := w.wireGuard(port, int(udp.Length)-udpHeader, udp.Payload); ok {
		return found, true
	}
	if w.tunnels == maxTunnels {
		return onWire{}, false
	}
	for _, read := range []func(int, []byte) (onWire, bool){w.vxlan, w.geneve, w.bareIP} {
		if found, ok := read(port, udp.Payload); ok {
			return found, true
		}
	}
	return onWire{}, false
}

// vxlan reads a UDP payload as VXLAN (RFC 7348, section 5).
func (w walk) vxlan(port int, b []byte) (onWire, bool) {
	var v layers.VXLAN
	if v.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil || !v.ValidIDFlag {
		return onWire{}, false
	}
	return w.tunnel("vxlan", port).layer("VXLAN", len(v.Contents)).ethernet(v.Payload)
}

// geneve reads a UDP payload as Geneve (RFC 8926, section 3.4).
func (w walk) geneve(port int, b []byte) (onWire, bool) {
	var g layers.Geneve
	if g.DecodeFromBytes(b, gopacket.NilDecodeFeedback) != nil || g.Version != 0 {
		return onWire{}, false
	}
	w = w.tunnel("geneve", port).layer("Geneve", len(g.Contents))
	if g.Protocol == layers.EthernetTypeTransparentEthernetBridging {
		return w.ethernet(g.Payload)
	}
	return w.network(g.Protocol, g.Payload)
}

// bareIP reads a UDP payload as an IP packet, as flannel's udp backend sends
// it.
func (w walk) bareIP(port int, b []byte) (onWire, bool) {
	w = w.tunnel("udp", port)
	if found, ok := w.ip4(b); ok {
		return found, true
	}
	return w.ip6(b)
}

// wireGuard takes a UDP payload for a WireGuard data message that holds a
// known packet: the type is 4, three zeros follow, and the length is right.
// What is inside cannot be read.
func (w walk) wireGuard(port, length int, b []byte) (onWire, bool) {
	const header = 16 // type, reserved, receiver, counter
	if w.tunnels > 0 || length != knownLength+wireGuardBytes || len(b) < header || !bytes.HasPrefix(b, []byte{4, 0, 0, 0}) || w.outer < knownLength {
		return onWire{}, false
	}
	w = w.tunnel("wireguard", port).layer("WireGuard", wireGuardBytes)
	return w.found(fmt.Sprintf("%x", b[4:header])), true
}

// known ends a reading at a payload that starts with the token.
func (w walk) known(length int, b []byte) (onWire, bool) {
	ip6 := length == knownPayloadBytes(true)
	if len(b) < headerBytes || w.ip != knownLength || w.outer < knownLength || !ip6 && length != knownPayloadBytes(false) {
		return onWire{}, false
	}
	direction := b[tokenBytes]
	if direction != forward && direction != backward {
		return onWire{}, false
	}
	return w.found(fmt.Sprintf("%c%d", direction, binary.BigEndian.Uint32(b[tokenBytes+1:]))), true
}

// found is the reading that has ended at a known packet.
func (w walk) found(packet string) onWire {
	return onWire{
		form:   form{kind: w.kind, port: w.port, overhead: w.outer - knownLength, layers: strings.Join(w.layers, layerSeparator)},
		packet: packet,
	}
}
