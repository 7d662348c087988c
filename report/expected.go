package report

import (
	"github.com/cnibench/cnibench/results"
)

// Sizes in bytes that goodput arithmetic needs.
const (
	// tcpIPHeaders are an IPv4 header (20, RFC 791) and a TCP header (20, RFC
	// 9293) with the timestamp option as Linux pads it (12, RFC 7323).
	tcpIPHeaders = 20 + 20 + 12
	// ethernetHeader is what a token bucket on a NIC counts of the frame's
	// surroundings: the header, not the preamble, the check sequence or the
	// gap (tc-stab(8)).
	ethernetHeader = 14
)

// shares of a full-sized frame that are a stream's payload: the segment that
// fits the pod's MTU, over the frame that the underlay carries for it.
func payloadShare(podMTU, overhead int) float64 {
	return float64(podMTU-tcpIPHeaders) / float64(podMTU+overhead+ethernetHeader)
}

// share is the payload's share of what a cell's wire carries, 0 if it is not
// known. A pod's MTU that was not recorded is what the overhead leaves of the
// lab's; of a cluster nobody knows it.
func (b *builder) share(c *Cell, w onWire) float64 {
	mtu := c.PodMTU
	if mtu == 0 && b.recorded.Run.Asked.Testbed != testbedCluster {
		mtu = b.recorded.Run.Asked.MTU - w.overhead
	}
	if !w.known || mtu <= tcpIPHeaders {
		return 0
	}
	return payloadShare(mtu, w.overhead)
}

// expected is the most that arithmetic allows for a figure: the goodput of
// full-sized segments at the wire's rate, in each direction that it is the sum
// of. Nil where it says nothing: what a link's loss leaves of a rate is for
// congestion control.
func (b *builder) expected(c *Cell, m results.Metric) *float64 {
	w := b.onWire(c, m.Probe)
	rate, err := results.ParseWire(c.Wire)
	share := b.share(c, w)
	if err != nil || rate == 0 || share == 0 || m.Name != "goodput" || b.lossy() {
		return nil
	}
	goodput := rate * share * float64(w.ways)
	return &goodput
}

// lossy reports whether the links lost packets by themselves: then congestion
// control decides about goodput, not headers.
func (b *builder) lossy() bool {
	link, err := results.ParseLink(b.recorded.Run.Asked.Link)
	return err != nil || link.LossPercent > 0
}

// loss splits what a cell's goodput loses against the baseline.
func (b *builder) loss(c *Cell) *Loss {
	m := c.Metric("tcp-stream", "goodput")
	host := b.host(c)
	switch {
	case c.Topology == results.SameNode: // nothing is encapsulated, and the baseline is the loopback device
		return nil
	case len(b.recorded.Run.Asked.Contexts) > 0: // the baseline is several machines
		return nil
	}
	if m == nil || m.VsHost == nil || host == nil || b.lossy() {
		return nil
	}
	mine, base := b.share(c, b.onWire(c, m.Probe)), b.share(host, b.onWire(host, m.Probe))
	if mine == 0 || base == 0 {
		return nil
	}
	l := &Loss{Total: 1 - m.VsHost.Ratio, Header: 1 - mine/base}
	l.Rest = l.Total - l.Header
	l.Causes = b.causes(c, host, l)
	return l
}
