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
	shaped  bool // the end that has the wire's rate
	netem   bool // delays or loses what it sends
}

// newLink sets the interface's offloads, see [link.setOffloads].
func newLink(s *space, name string, machine, shaped bool) (*link, error) {
	l := &link{space: s, name: name, machine: machine, shaped: shaped}
	if err := s.Do(func() error { return l.setOffloads(machine) }); err != nil {
		return nil, fmt.Errorf("setting the offloads of %s in %s: %w", name, s.name, err)
	}
	return l, nil
}

// receiveCoalescing is GRO by the kernel's name.
const receiveCoalescing = "rx-gro"

// setOffloads turns segmentation off, so that the packets on the link are
// those that a real wire would carry: a veth otherwise passes on 64 KB at once
// and hides what each packet costs. A machine's end coalesces what it receives,
// as the drivers of real NICs do and a veth does not by itself: without it the
// vxlan device, which has GRO of its own, makes an overlay faster than the
// underlay that it runs on (2.0 Gbit/s routed against 3.5 in VXLAN, where 5.1
// against 4.2 is the order with it). It runs inside the link's namespace.
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

// mtu is the interface's MTU, 0 if it is gone.
func (l *link) mtu() int {
	iface, err := l.space.nl.LinkByName(l.name)
	if err != nil {
		return 0
	}
	return iface.Attrs().MTU
}

// isSegmentation tells the features by which an interface carries packets
// larger than its MTU (TSO, GSO and its tunnel forms, GRO), by the kernel's
// names (net/ethtool/common.c, netdev_features_strings).
func isSegmentation(feature string) bool {
	return strings.HasSuffix(feature, "-segmentation") || strings.HasPrefix(feature, "tx-gso") || strings.HasPrefix(feature, receiveCoalescing)
}

// setWire gives the link a rate, or takes it away. The fabric's end delays and
// loses packets on their way to the machine: so each direction between two
// machines has it once, behind the sender's own rate as on a long line, and the
// sender's TCP feels the queue of its NIC as it would without the delay.
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
		return fmt.Errorf("setting the rate of %s in %s: %w", l.name, l.space.name, err)
	}
	return nil
}

// The shaper's bucket holds shaperBurst of traffic at the wire's rate, and at
// least minBurst: enough for the kernel's timer slack, little against a
// sample. Its queue holds shaperQueue; one TCP stream keeps it from running
// empty.
const (
	shaperBurst = 0.001    // s
	shaperQueue = 0.010    // s
	minBurst    = 4 * 9216 // byte; some jumbo frames
	minQueue    = 64 * 9216
)

// mostPackets is how many packets a second a link delays at most: more than a
// 10 Gbit/s wire carries of the smallest (14.9 million), and than a kernel
// forwards. The queue of netem must hold what is under way.
const (
	mostPackets = 20e6 // 1/s
	leastQueue  = 1000 // packets; tc-netem(8)'s own default
)

// Handles of the disciplines on an interface. A rate hangs below netem where
// both are on one interface, as it is with those that a cloud adds.
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

// setRate puts a token bucket filter (tc-tbf(8)) on the interface, or takes it
// away at rate 0. It counts a packet with its Ethernet header.
func (l *link) setRate(rate float64, delay time.Duration) error {
	iface, err := l.space.nl.LinkByName(l.name)
	if err != nil {
		return err
	}
	attrs := netlink.QdiscAttrs{LinkIndex: iface.Attrs().Index, Handle: rateHandle, Parent: netlink.HANDLE_ROOT}
	queue := shaperQueue
	if l.netem {
		// What comes out of the delay was sent without feeling this queue:
		// one round trip's worth keeps it from running empty.
		attrs.Parent = netemClass
		queue += 2 * delay.Seconds()
	}
	if rate == 0 {
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
	perSecond := rate / 8
	burst := math.Max(perSecond*shaperBurst, minBurst)
	return l.space.nl.QdiscReplace(&netlink.Tbf{
		QdiscAttrs: attrs,
		Rate:       uint64(perSecond),
		Limit:      uint32(math.Min(math.Max(perSecond*queue, minQueue), math.MaxUint32)),
		Buffer:     ticks(burst / perSecond),
	})
}

// ticks converts seconds to the unit in which the kernel takes the bucket's
// size: the time that it takes to fill, in packet scheduler ticks.
func ticks(seconds float64) uint32 {
	const microseconds = 1e6
	return uint32(math.Min(seconds*microseconds*netlink.TickInUsec(), math.MaxUint32))
}
