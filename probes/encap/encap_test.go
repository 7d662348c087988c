package encap

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/frames"
	"github.com/cnibench/cnibench/probes/probestest"
	"github.com/cnibench/cnibench/words"
)

var judged = frames.Token{1, 2, 3, 4, 5, 6, 7, 8}

// wireOf returns a capture of n known packets that all travelled in one form.
func wireOf(t *testing.T, n uint32, outside ...gopacket.SerializableLayer) frames.Captured {
	var c frames.Captured
	for i := range n {
		known := gopacket.Payload(frames.KnownPayload(judged, frames.Forward, i, false))
		data := probestest.Serialize(t, append(slices.Clone(outside), probestest.IPv4(layers.IPProtocolUDP), probestest.UDP(9), known)...)
		c.Frames = append(c.Frames, frames.Frame{Time: time.Unix(int64(i), 0), Length: len(data), Data: data})
	}
	return c
}

func TestJudge(t *testing.T) {
	bare := []gopacket.SerializableLayer{probestest.Ethernet(layers.EthernetTypeIPv4)}
	tunnel := []gopacket.SerializableLayer{probestest.Ethernet(layers.EthernetTypeIPv4), probestest.IPv4(layers.IPProtocolUDP), probestest.UDP(8285)}
	expectUDP := probes.Encapsulation{Kind: "udp", Port: 8285, Overhead: 28}
	for _, c := range []struct {
		name      string
		wire      frames.Captured
		expect    probes.Encapsulation
		sent      int
		agrees    bool
		effective string
		warning   string
	}{
		{"as configured", wireOf(t, 4, tunnel...), expectUDP, 4, true, "udp", ""},
		{"bypassed", wireOf(t, 4, bare...), expectUDP, 4, false, "none", "but on the wire is no encapsulation"},
		{"present but not configured", wireOf(t, 4, tunnel...), probes.Encapsulation{Kind: "none"}, 4, false, "udp", "configured is no encapsulation"},
		{"another port", wireOf(t, 4, tunnel...), probes.Encapsulation{Kind: "udp", Port: 53, Overhead: 28}, 4, false, "udp", "go to port 8285"},
		{"other bytes", wireOf(t, 4, tunnel...), probes.Encapsulation{Kind: "udp", Port: 8285, Overhead: 20}, 4, false, "udp", "20 bytes of overhead are expected"},
		{"some not seen", wireOf(t, 3, tunnel...), expectUDP, 4, false, "udp", "only 3 of 4"},
		{"some bypassed", frames.Captured{Frames: append(wireOf(t, 3, tunnel...).Frames, wireOf(t, 4, bare...).Frames[3])}, expectUDP, 4, false, "mixed", "did not all travel in the same form"},
		{"nothing seen", frames.Captured{}, expectUDP, 4, false, "unseen", "none of the 4 packets was seen"},
		{"seen twice", frames.Captured{Frames: append(wireOf(t, 4, tunnel...).Frames, wireOf(t, 4, tunnel...).Frames...)}, expectUDP, 4, true, "udp", "more than once"},
		{"frames dropped", frames.Captured{Frames: wireOf(t, 4, tunnel...).Frames, Dropped: 2}, expectUDP, 4, true, "udp", "dropped 2 frames"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := judge(c.wire, judged, c.sent, &probes.Site{Expect: c.expect, Client: probes.End{NIC: "eth0", NodeName: "a"}, Server: probes.End{NodeName: "b"}})
			if e.Agrees != c.agrees || e.Effective != c.effective || !strings.Contains(words.Clauses(e.Warnings...).String(), c.warning) || (c.warning == "") != (len(e.Warnings) == 0) {
				t.Errorf("%+v", e)
			}
		})
	}
}
