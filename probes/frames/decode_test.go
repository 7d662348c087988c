package frames

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/cnibench/cnibench/probes/probestest"
)

var testToken = Token{0xc0, 0xff, 0xee, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}

// inner returns a known packet, including its IP header.
func inner(t testing.TB, n uint32) []byte {
	return probestest.Serialize(t, probestest.IPv4(layers.IPProtocolUDP), probestest.UDP(9), gopacket.Payload(KnownPayload(testToken, Forward, n, false)))
}

func frames(t testing.TB) map[string][]byte {
	known := gopacket.Payload(inner(t, 3))
	tagged := &layers.Dot1Q{VLANIdentifier: 5, Type: layers.EthernetTypeIPv4}
	ethInner := gopacket.Payload(probestest.Serialize(t, probestest.Ethernet(layers.EthernetTypeIPv4), known))
	geneve := gopacket.Payload([]byte{2, 0, 0x65, 0x58, 0, 0, 1, 0, 1, 2, 3, 1, 0, 0, 0, 0}) // 8 bytes of options
	return map[string][]byte{
		"plain":             probestest.Serialize(t, probestest.Ethernet(layers.EthernetTypeIPv4), known),
		"plain, tagged":     probestest.Serialize(t, probestest.Ethernet(layers.EthernetTypeDot1Q), tagged, known),
		"vxlan":             probestest.Serialize(t, probestest.Ethernet(layers.EthernetTypeIPv4), probestest.IPv4(layers.IPProtocolUDP), probestest.UDP(8472), &layers.VXLAN{ValidIDFlag: true, VNI: 1}, ethInner),
		"vxlan, odd port":   probestest.Serialize(t, probestest.Ethernet(layers.EthernetTypeIPv4), probestest.IPv4(layers.IPProtocolUDP), probestest.UDP(53), &layers.VXLAN{ValidIDFlag: true, VNI: 1}, ethInner),
		"vxlan over IPv6":   probestest.Serialize(t, probestest.Ethernet(layers.EthernetTypeIPv6), probestest.IPv6(layers.IPProtocolUDP), probestest.UDP(4789), &layers.VXLAN{ValidIDFlag: true, VNI: 4096}, ethInner),
		"geneve":            probestest.Serialize(t, probestest.Ethernet(layers.EthernetTypeIPv4), probestest.IPv4(layers.IPProtocolUDP), probestest.UDP(6081), geneve, ethInner),
		"udp":               probestest.Serialize(t, probestest.Ethernet(layers.EthernetTypeIPv4), probestest.IPv4(layers.IPProtocolUDP), probestest.UDP(8285), known),
		"ipip":              probestest.Serialize(t, probestest.Ethernet(layers.EthernetTypeIPv4), probestest.IPv4(layers.IPProtocolIPv4), known),
		"wireguard":         probestest.Serialize(t, probestest.Ethernet(layers.EthernetTypeIPv4), probestest.IPv4(layers.IPProtocolUDP), probestest.UDP(51820), gopacket.Payload(append([]byte{4, 0, 0, 0, 9, 9, 9, 9, 1, 0, 0, 0, 0, 0, 0, 0}, make([]byte, KnownLength+16)...))),
		"vxlan in ipip":     probestest.Serialize(t, probestest.Ethernet(layers.EthernetTypeIPv4), probestest.IPv4(layers.IPProtocolIPv4), probestest.IPv4(layers.IPProtocolUDP), probestest.UDP(4789), &layers.VXLAN{ValidIDFlag: true, VNI: 1}, ethInner),
		"another token":     bytes.Replace(probestest.Serialize(t, probestest.Ethernet(layers.EthernetTypeIPv4), known), testToken[:], make([]byte, TokenBytes), 1),
		"token outside UDP": probestest.Serialize(t, probestest.Ethernet(layers.EthernetTypeIPv4), probestest.IPv4(layers.IPProtocolTCP), gopacket.Payload(testToken[:])),
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
			want := Form{Kind: c.kind, Port: c.port, Overhead: c.overhead, Layers: c.layers}
			got, ok := DecodeFrame(all[c.name], testToken)
			if !ok || got.Form != want {
				t.Errorf("got %v %+v, want %+v", ok, got, want)
			}
			cut, ok := DecodeFrame(all[c.name][:min(snapLength, len(all[c.name]))], testToken)
			if !ok || cut != got {
				t.Errorf("truncated to %d bytes: %v %+v", snapLength, ok, cut)
			}
		})
	}
	for _, name := range []string{"another token", "token outside UDP"} {
		if got, ok := DecodeFrame(all[name], testToken); ok {
			t.Errorf("%s was decoded as %+v", name, got)
		}
	}
}

// TestCaptureFile reads back a capture that WriteCapture wrote.
func TestCaptureFile(t *testing.T) {
	var sent []Frame
	for n := range uint32(3) {
		data := probestest.Serialize(t, probestest.Ethernet(layers.EthernetTypeIPv4), gopacket.Payload(inner(t, n)))
		sent = append(sent, Frame{Time: time.Unix(int64(n), 0), Length: len(data), Data: data})
	}
	path := filepath.Join(t.TempDir(), "x.pcapng")
	if err := WriteCapture(path, "eth0", sent); err != nil {
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
	for i, want := range sent {
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

// FuzzDecodeFrame feeds arbitrary frames.
func FuzzDecodeFrame(f *testing.F) {
	for _, b := range frames(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := DecodeFrame(b, testToken)
		if !ok {
			return
		}
		if got.Overhead < 0 || got.Layers == "" || got.packet == "" {
			t.Errorf("%+v", got)
		}
	})
}
