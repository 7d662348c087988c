package lab

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/safchain/ethtool"
	"github.com/vishvananda/netlink"

	"github.com/cnibench/cnibench/results"
)

// link is one end of an underlay link: an interface in a namespace.
type link struct {
	space   *space
	name    string
	machine bool // the machine's end, not the fabric's
	shaped  bool // the end that limits the rate
	netem   bool // whether it delays or loses what it sends
}

// newLink returns a link and sets its offloads, see [link.setOffloads].
func newLink(s *space, name string, machine, shaped bool) (*link, error) {
	l := &link{space: s, name: name, machine: machine, shaped: shaped}
	if err := s.Do(func() error { return l.setOffloads(machine) }); err != nil {
		return nil, fmt.Errorf("setting the offloads of %s in %s: %w", name, s.name, err)
	}
	return l, nil
}

// receiveCoalescing is the kernel's name for GRO.
const receiveCoalescing = "rx-gro"

// setOffloads turns segmentation offload off, so that the link carries the same
// packets as a real wire: a veth otherwise passes on 64 KB at once and hides the
// cost of each packet. A machine's end coalesces received packets (GRO), as the
// drivers of real NICs do and a veth by default does not. Without that, the vxlan
// device, which does GRO itself, would make an overlay faster than its underlay
// (routed 2.0 Gbit/s, VXLAN 3.5; with GRO routed 5.1, VXLAN 4.2). setOffloads runs
// inside the link's namespace.
func (l *link) setOffloads(machine bool) error {
	e, err := ethtool.NewEthtool()
	if err != nil {
		return err
	}
	defer e.Close()
	features, err := e.FeaturesWithState(l.name)
	if err != nil {
		return err
	}
	want := map[string]bool{}
	for feature, state := range features {
		if isSegmentation(feature) && state.Active && !state.NeverChanged {
			want[feature] = false
		}
	}
	if state, ok := features[receiveCoalescing]; ok && machine && !state.NeverChanged {
		want[receiveCoalescing] = true
	}
	if len(want) == 0 {
		return nil
	}
	return e.Change(l.name, want)
}

// mtu returns the interface's MTU, or 0 if the interface is gone.
func (l *link) mtu() int {
	iface, err := l.space.nl.LinkByName(l.name)
	if err != nil {
		return 0
	}
	return iface.Attrs().MTU
}

// isSegmentation reports whether a feature lets an interface carry packets larger
// than its MTU (TSO, GSO and its tunnel variants, GRO). The names are the kernel's
// (net/ethtool/common.c, netdev_features_strings).
func isSegmentation(feature string) bool {
	return strings.HasSuffix(feature, "-segmentation") || strings.HasPrefix(feature, "tx-gso") || strings.HasPrefix(feature, receiveCoalescing)
}

// setWire sets or removes the link's rate limit. Delay and loss are at the fabric's
// end, on the way to the machine. Thus they apply once in each direction between
// two machines, behind the sender's rate limit as on a long line, and the sender's
// TCP feels the queue of its NIC as it would without the delay.
func (l *link) setWire(wire string, impairment results.Link) error {
	rate, err := results.ParseWire(wire)
	if err != nil {
		return err
	}
	if !l.machine && !l.netem && impairment != (results.Link{}) {
		if err := l.setNetem(impairment); err != nil {
			return fmt.Errorf("setting delay and loss of %s in %s: %w", l.name, l.space.name, err)
		}
	}
	if !l.shaped {
		return nil
	}
	if err := l.setRate(rate, impairment.Delay); err != nil {
		return fmt.Errorf("setting the rate limit of %s in %s: %w", l.name, l.space.name, err)
	}
	return nil
}

// The shaper's bucket holds shaperBurst of traffic at the rate limit, and at least
// minBurst: enough for the kernel's timer slack, and little compared to a sample.
// Its queue holds shaperQueue of traffic, with which one TCP stream keeps it from
// running empty.
const (
	shaperBurst = 0.001    // s
	shaperQueue = 0.010    // s
	minBurst    = 4 * 9216 // byte; a few jumbo frames
	minQueue    = 64 * 9216
)

// mostPackets is the most packets per second that a link can delay: more of the
// smallest packets than a 10 Gbit/s link carries (14.9 million), and more than a
// kernel forwards. The queue of netem must hold all packets in flight.
const (
	mostPackets = 20e6 // 1/s
	leastQueue  = 1000 // packets; the default of tc-netem(8)
)

// Handles of the queueing disciplines on an interface. If both are on one
// interface, as on those that a cloud adds, the rate limit is below netem.
var (
	netemHandle = netlink.MakeHandle(1, 0)
	netemClass  = netlink.MakeHandle(1, 1)
	rateHandle  = netlink.MakeHandle(2, 0)
)

// setNetem makes the interface delay and lose what it sends (tc-netem(8)).
func (l *link) setNetem(impairment results.Link) error {
	iface, err := l.space.nl.LinkByName(l.name)
	if err != nil {
		return err
	}
	attrs := netlink.QdiscAttrs{LinkIndex: iface.Attrs().Index, Handle: netemHandle, Parent: netlink.HANDLE_ROOT}
	err = l.space.nl.QdiscReplace(netlink.NewNetem(attrs, netlink.NetemQdiscAttrs{
		Latency: uint32(impairment.Delay.Microseconds()),
		Loss:    float32(impairment.LossPercent),
		Limit:   uint32(math.Max(mostPackets*impairment.Delay.Seconds(), leastQueue)),
	}))
	l.netem = err == nil
	return err
}

// setRate gives the interface a new token bucket filter (tc-tbf(8)), or none if the
// rate is 0. The filter counts a packet with its Ethernet header. The old one is
// removed first, with what the last sample left in its queue: a packet of 64 KB that
// fitted the old bucket may be larger than the new one, and would stay at the head of
// the queue for ever.
func (l *link) setRate(rate float64, delay time.Duration) error {
	iface, err := l.space.nl.LinkByName(l.name)
	if err != nil {
		return err
	}
	attrs := netlink.QdiscAttrs{LinkIndex: iface.Attrs().Index, Handle: rateHandle, Parent: netlink.HANDLE_ROOT}
	queue := shaperQueue
	if l.netem {
		// The sender of a delayed packet could not feel this queue: one round
		// trip's worth keeps it from running empty.
		attrs.Parent = netemClass
		queue += 2 * delay.Seconds()
	}
	if err := l.removeRate(iface); err != nil || rate == 0 {
		return err
	}
	perSecond := rate / 8
	burst := math.Max(perSecond*shaperBurst, minBurst)
	return l.space.nl.QdiscAdd(&netlink.Tbf{
		QdiscAttrs: attrs,
		Rate:       uint64(perSecond),
		Limit:      uint32(math.Min(math.Max(perSecond*queue, minQueue), math.MaxUint32)),
		Buffer:     ticks(burst / perSecond),
	})
}

func (l *link) removeRate(iface netlink.Link) error {
	qdiscs, err := l.space.nl.QdiscList(iface)
	if err != nil {
		return err
	}
	for _, q := range qdiscs {
		if q.Type() == "tbf" {
			return l.space.nl.QdiscDel(q)
		}
	}
	return nil
}

// ticks converts seconds to packet scheduler ticks. The kernel takes a bucket's
// size as the time to fill it, in that unit.
func ticks(seconds float64) uint32 {
	const microseconds = 1e6
	return uint32(math.Min(seconds*microseconds*netlink.TickInUsec(), math.MaxUint32))
}
