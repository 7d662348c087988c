package probes

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

var testToken = token{0xc0, 0xff, 0xee, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}

// serialize puts layers around each other, from the outside in.
func serialize(t testing.TB, all ...gopacket.SerializableLayer) []byte {
	t.Helper()
	b := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(b, gopacket.SerializeOptions{FixLengths: true}, all...); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func ethernet(kind layers.EthernetType) *layers.Ethernet {
	return &layers.Ethernet{SrcMAC: []byte{2, 0, 0, 0, 0, 1}, DstMAC: []byte{2, 0, 0, 0, 0, 2}, EthernetType: kind}
}

func ip4(protocol layers.IPProtocol) *layers.IPv4 {
	return &layers.IPv4{Version: 4, IHL: 5, TTL: 64, Protocol: protocol, SrcIP: []byte{10, 0, 0, 1}, DstIP: []byte{10, 0, 0, 2}}
}

func ip6(protocol layers.IPProtocol) *layers.IPv6 {
	return &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: protocol, SrcIP: make([]byte, 16), DstIP: make([]byte, 16)}
}

func udp(port int) *layers.UDP {
	return &layers.UDP{SrcPort: 40000, DstPort: layers.UDPPort(port)}
}

// inner is a known packet from its IP header on.
func inner(t testing.TB, n uint32) []byte {
	return serialize(t, ip4(layers.IPProtocolUDP), udp(9), gopacket.Payload(knownPayload(testToken, forward, n, false)))
}

func frames(t testing.TB) map[string][]byte {
	known := gopacket.Payload(inner(t, 3))
	tagged := &layers.Dot1Q{VLANIdentifier: 5, Type: layers.EthernetTypeIPv4}
	ethInner := gopacket.Payload(serialize(t, ethernet(layers.EthernetTypeIPv4), known))
	geneve := gopacket.Payload([]byte{2, 0, 0x65, 0x58, 0, 0, 1, 0, 1, 2, 3, 1, 0, 0, 0, 0}) // 8 bytes of options
	return map[string][]byte{
		"plain":             serialize(t, ethernet(layers.EthernetTypeIPv4), known),
		"plain, tagged":     serialize(t, ethernet(layers.EthernetTypeDot1Q), tagged, known),
		"vxlan":             serialize(t, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP), udp(8472), &layers.VXLAN{ValidIDFlag: true, VNI: 1}, ethInner),
		"vxlan, odd port":   serialize(t, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP), udp(53), &layers.VXLAN{ValidIDFlag: true, VNI: 1}, ethInner),
		"vxlan over IPv6":   serialize(t, ethernet(layers.EthernetTypeIPv6), ip6(layers.IPProtocolUDP), udp(4789), &layers.VXLAN{ValidIDFlag: true, VNI: 4096}, ethInner),
		"geneve":            serialize(t, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP), udp(6081), geneve, ethInner),
		"udp":               serialize(t, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP), udp(8285), known),
		"ipip":              serialize(t, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolIPv4), known),
		"wireguard":         serialize(t, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP), udp(51820), gopacket.Payload(append([]byte{4, 0, 0, 0, 9, 9, 9, 9, 1, 0, 0, 0, 0, 0, 0, 0}, make([]byte, knownLength+16)...))),
		"vxlan in ipip":     serialize(t, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolIPv4), ip4(layers.IPProtocolUDP), udp(4789), &layers.VXLAN{ValidIDFlag: true, VNI: 1}, ethInner),
		"another token":     bytes.Replace(serialize(t, ethernet(layers.EthernetTypeIPv4), known), testToken[:], make([]byte, tokenBytes), 1),
		"token outside UDP": serialize(t, ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolTCP), gopacket.Payload(testToken[:])),
	}
}

func TestDecodeFrame(t *testing.T) {
	all := frames(t)
	for _, c := range []struct {
		name, kind     string
		port, overhead int
		layers         string
	}{
		{"plain", "none", 0, 0, "Ethernet 14, IPv4 20, UDP 8"},
		{"plain, tagged", "none", 0, 0, "Ethernet 14, 802.1Q 4, IPv4 20, UDP 8"},
		{"vxlan", "vxlan", 8472, 50, "Ethernet 14, IPv4 20, UDP 8, VXLAN 8, Ethernet 14, IPv4 20, UDP 8"},
		{"vxlan, odd port", "vxlan", 53, 50, "Ethernet 14, IPv4 20, UDP 8, VXLAN 8, Ethernet 14, IPv4 20, UDP 8"},
		{"vxlan over IPv6", "vxlan", 4789, 70, "Ethernet 14, IPv6 40, UDP 8, VXLAN 8, Ethernet 14, IPv4 20, UDP 8"},
		{"geneve", "geneve", 6081, 58, "Ethernet 14, IPv4 20, UDP 8, Geneve 16, Ethernet 14, IPv4 20, UDP 8"},
		{"udp", "udp", 8285, 28, "Ethernet 14, IPv4 20, UDP 8, IPv4 20, UDP 8"},
		{"ipip", "ipip", 0, 20, "Ethernet 14, IPv4 20, IPv4 20, UDP 8"},
		{"wireguard", "wireguard", 51820, 60, "Ethernet 14, IPv4 20, UDP 8, WireGuard 32"},
		{"vxlan in ipip", "ipip", 0, 70, "Ethernet 14, IPv4 20, IPv4 20, UDP 8, VXLAN 8, Ethernet 14, IPv4 20, UDP 8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			want := form{kind: c.kind, port: c.port, overhead: c.overhead, layers: c.layers}
			got, ok := decodeFrame(all[c.name], testToken)
			if !ok || got.form != want {
				t.Errorf("got %v %+v, want %+v", ok, got, want)
			}
			cut, ok := decodeFrame(all[c.name][:min(snapLength, len(all[c.name]))], testToken)
			if !ok || cut != got {
				t.Errorf("cut to %d bytes it reads %v %+v", snapLength, ok, cut)
			}
		})
	}
	for _, name := range []string{"another token", "token outside UDP"} {
		if got, ok := decodeFrame(all[name], testToken); ok {
			t.Errorf("%s was taken for %+v", name, got)
		}
	}
}

// wireOf is a capture in which known packets 1 to n travelled in one form.
func wireOf(t *testing.T, n uint32, outside ...gopacket.SerializableLayer) captured {
	var c captured
	for i := range n {
		data := serialize(t, append(outside, gopacket.Payload(inner(t, i)))...)
		c.Frames = append(c.Frames, frame{Time: time.Unix(int64(i), 0), Length: len(data), Data: data})
	}
	return c
}

func TestJudge(t *testing.T) {
	bare := []gopacket.SerializableLayer{ethernet(layers.EthernetTypeIPv4)}
	tunnel := []gopacket.SerializableLayer{ethernet(layers.EthernetTypeIPv4), ip4(layers.IPProtocolUDP), udp(8285)}
	expectUDP := Encapsulation{Kind: "udp", Port: 8285, Overhead: 28}
	for _, c := range []struct {
		name      string
		wire      captured
		expect    Encapsulation
		sent      int
		agrees    bool
		effective string
		warning   string
	}{
		{"as configured", wireOf(t, 4, tunnel...), expectUDP, 4, true, "udp", ""},
		{"bypassed", wireOf(t, 4, bare...), expectUDP, 4, false, "none", "but on the wire is no encapsulation"},
		{"not configured but there", wireOf(t, 4, tunnel...), Encapsulation{Kind: "none"}, 4, false, "udp", "configured is no encapsulation"},
		{"another port", wireOf(t, 4, tunnel...), Encapsulation{Kind: "udp", Port: 53, Overhead: 28}, 4, false, "udp", "go to port 8285"},
		{"other bytes", wireOf(t, 4, tunnel...), Encapsulation{Kind: "udp", Port: 8285, Overhead: 20}, 4, false, "udp", "20 bytes of overhead are expected"},
		{"some not seen", wireOf(t, 3, tunnel...), expectUDP, 4, false, "udp", "only 3 of 4"},
		{"some bypassed", captured{Frames: append(wireOf(t, 3, tunnel...).Frames, wireOf(t, 4, bare...).Frames[3])}, expectUDP, 4, false, "mixed", "did not all travel in the same form"},
		{"nothing seen", captured{}, expectUDP, 4, false, "unseen", "none of the 4 packets was seen"},
		{"seen twice", captured{Frames: append(wireOf(t, 4, tunnel...).Frames, wireOf(t, 4, tunnel...).Frames...)}, expectUDP, 4, true, "udp", "more than once"},
		{"frames dropped", captured{Frames: wireOf(t, 4, tunnel...).Frames, Dropped: 2}, expectUDP, 4, true, "udp", "dropped 2 frames"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := judge(c.wire, testToken, c.sent, &Site{Expect: c.expect, Client: End{NIC: "eth0", NodeName: "a"}, Server: End{NodeName: "b"}})
			if e.Agrees != c.agrees || e.Effective != c.effective || !strings.Contains(strings.Join(e.Warnings, "; "), c.warning) || (c.warning == "") != (len(e.Warnings) == 0) {
				t.Errorf("%+v", e)
			}
		})
	}
}

// TestCaptureFile reads a capture back with another implementation of pcapng.
func TestCaptureFile(t *testing.T) {
	wire := wireOf(t, 3, ethernet(layers.EthernetTypeIPv4))
	path := filepath.Join(t.TempDir(), "x.pcapng")
	if err := writeCapture(path, "eth0", wire.Frames); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewNgReader(f, pcapgo.DefaultNgReaderOptions)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range wire.Frames {
		data, info, err := r.ReadPacketData()
		if err != nil {
			t.Fatal(err)
		}
		if !cmp.Equal(data, want.Data) || !info.Timestamp.Equal(want.Time) || info.Length != want.Length {
			t.Errorf("frame %d: %v, %d bytes", i, info, len(data))
		}
	}
	if link, err := r.Interface(0); err != nil || link.Name != "eth0" {
		t.Errorf("%+v, %v", link, err)
	}
}

// FuzzDecodeFrame feeds frames that anybody may have sent.
func FuzzDecodeFrame(f *testing.F) {
	for _, b := range frames(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := decodeFrame(b, testToken)
		if !ok {
			return
		}
		if got.overhead < 0 || got.layers == "" || got.packet == "" {
			t.Errorf("%+v", got)
		}
	})
}

// FuzzDecodeRequest feeds control lines.
func FuzzDecodeRequest(f *testing.F) {
	for _, line := range []string{`{"id":1,"role":"tcp-rr/server","args":{"size":1},"timeout_ms":10}`, `{"cancel":1}`, `{}`, `[1]`, `{"id":1}{"id":2}`} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := decodeRequest(line)
		if err == nil && (r.Cancel == 0) == (r.ID == 0) {
			t.Errorf("%+v was taken", r)
		}
		if r.ID < 0 || err == nil && (r.timeout() <= 0 || r.timeout() > maxTimeout) {
			t.Errorf("%+v", r)
		}
	})
}

// FuzzParseStat feeds /proc/stat of kernels to come.
func FuzzParseStat(f *testing.F) {
	f.Add([]byte("cpu  1 2 3 4 5 6 7 8 9 10\nctxt 99\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if cpu, err := parseStat(text); err == nil && (cpu.User < 0 || cpu.Idle < 0) {
			t.Errorf("%+v", cpu)
		}
	})
}
