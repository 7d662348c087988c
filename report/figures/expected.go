package figures

import (
	"github.com/cnibench/cnibench/results"

	"github.com/cnibench/cnibench/report/gather"
	"github.com/cnibench/cnibench/report/model"
)

// Sizes in bytes for the arithmetic of goodput.
const (
	// tcpIPHeaders are an IPv4 header (20, RFC 791) and a TCP header (20, RFC
	// 9293) with the timestamp option as Linux pads it (12, RFC 7323).
	tcpIPHeaders = 20 + 20 + 12
	// ethernetHeader is the part of Ethernet's overhead that a token bucket on a NIC
	// counts: the header, but not the preamble, the check sequence and the gap
	// (tc-stab(8)).
	ethernetHeader = 14
)

// payloadShare returns the share of a full-sized frame that is a stream's payload: the
// segment that fits the pod's MTU, divided by the frame that the underlay carries.
func payloadShare(podMTU, overhead int) float64 {
	return float64(podMTU-tcpIPHeaders) / float64(podMTU+overhead+ethernetHeader)
}

// shareOnWire returns the payload's share of the bytes on a cell's links, or 0 if it is
// not known. If the pod's MTU was not recorded, it is the lab's MTU less the overhead;
// on a cluster it is not known then.
func shareOnWire(b *gather.Run, c *model.Cell, w onWire) float64 {
	mtu := c.PodMTU
	if mtu == 0 && b.Recorded.Run.Asked.Testbed != model.TestbedCluster {
		mtu = b.Recorded.Run.Asked.MTU - w.Overhead
	}
	if !w.Known || mtu <= tcpIPHeaders {
		return 0
	}
	return payloadShare(mtu, w.Overhead)
}

// expectedOf returns the arithmetic maximum of a figure: the goodput of full-sized
// segments at the rate limit, in each direction that it sums up. It returns nil if
// there is none; with loss on the links, congestion control decides.
func expectedOf(b *gather.Run, c *model.Cell, m results.Metric) *float64 {
	w := WireOf(b, c, m.Probe)
	rate, err := results.ParseWire(c.Wire)
	share := shareOnWire(b, c, w)
	if err != nil || rate == 0 || share == 0 || m.Name != "goodput" || lossy(b) {
		return nil
	}
	goodput := rate * share * float64(w.ways)
	return &goodput
}

// lossy reports whether the links themselves lost packets. Then congestion control
// determines the goodput, not the headers.
func lossy(b *gather.Run) bool {
	return b.Recorded.Run.Asked.Link.LossPercent > 0
}

// lossOf splits the goodput that a cell loses against the baseline.
func lossOf(b *gather.Run, c *model.Cell) *model.Loss {
	m := c.Metric("tcp-stream", "goodput")
	host := hostBeside(b, c)
	switch {
	case c.Topology.Name == results.SameNode: // nothing is encapsulated, and the baseline is the loopback device
		return nil
	case len(b.Recorded.Run.Asked.Contexts) > 0: // the baseline is several machines
		return nil
	}
	if m == nil || m.VsHost == nil || host == nil || lossy(b) {
		return nil
	}
	mine, base := shareOnWire(b, c, WireOf(b, c, m.Probe)), shareOnWire(b, host, WireOf(b, host, m.Probe))
	if mine == 0 || base == 0 {
		return nil
	}
	l := &model.Loss{Total: 1 - m.VsHost.Ratio, Header: 1 - mine/base}
	l.Rest = l.Total - l.Header
	l.Causes = causes(b, c, host, l)
	return l
}
