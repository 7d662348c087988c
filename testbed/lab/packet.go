package lab

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/cnibench/cnibench/words"
)

// firstPacketEvery is the interval at which datagrams are sent until one arrives.
// It is also the error of the time to the first packet.
const firstPacketEvery = 5 * time.Millisecond

// firstPacket sends datagrams from one pod to the other until one arrives.
// Meanwhile the pods repeat unanswered ARP requests as often as datagrams are sent.
// Otherwise, a pod whose first ARP request comes a moment before Felix answers for
// the next hop would wait for the kernel's interval of one second (arp(7),
// retrans_time_ms), and that second would be attributed to the plugin.
func firstPacket(ctx context.Context, from, to *pod) error {
	for _, p := range []*pod{from, to} {
		restore, err := p.retryNeighbours(firstPacketEvery)
		if err != nil {
			return err
		}
		defer restore()
	}
	return reach(ctx, from, to)
}

// reach sends datagrams until one arrives. The sockets are created inside the pods
// and stay there, whichever thread uses them.
func reach(ctx context.Context, from, to *pod) error {
	var receiver, sender *net.UDPConn
	err := to.Do(func() (err error) {
		receiver, err = net.ListenUDP("udp", &net.UDPAddr{IP: to.addr.AsSlice()})
		return err
	})
	if err != nil {
		return fmt.Errorf("listening in pod %s: %w", to.id, err)
	}
	defer receiver.Close()
	err = from.Do(func() (err error) {
		sender, err = net.ListenUDP("udp", &net.UDPAddr{IP: from.addr.AsSlice()})
		return err
	})
	if err != nil {
		return fmt.Errorf("opening a socket in pod %s: %w", from.id, err)
	}
	defer sender.Close()

	var last error
	buffer := make([]byte, 16)
	for ctx.Err() == nil {
		// An error here means that the network is still coming up (no route yet).
		// The last one is quoted if the time runs out.
		if _, err := sender.WriteTo([]byte("first"), receiver.LocalAddr()); err != nil {
			last = err
		}
		receiver.SetReadDeadline(time.Now().Add(firstPacketEvery))
		if _, _, err := receiver.ReadFromUDP(buffer); err == nil {
			return nil
		}
	}
	named := func(p *pod) words.Text { return words.Quotef("%s (%s)", p.id, p.addr) }
	return errors.Join(words.Error(words.NoPacketFromPod.With(named(from), named(to), context.Cause(ctx)), context.Cause(ctx)), last)
}

// retryNeighbours sets how often the pod repeats an unanswered neighbour request.
// The returned function restores the kernel's own value.
func (p *pod) retryNeighbours(every time.Duration) (restore func(), err error) {
	path := "/proc/sys/net/ipv4/neigh/" + podIfName + "/retrans_time_ms"
	var before []byte
	set := func(value string) error {
		return p.Do(func() (err error) {
			if before == nil {
				if before, err = os.ReadFile(path); err != nil {
					return err
				}
			}
			return os.WriteFile(path, []byte(value), 0)
		})
	}
	if err := set(strconv.FormatInt(every.Milliseconds(), 10)); err != nil {
		return nil, fmt.Errorf("setting the interval of neighbour requests in pod %s: %w", p.id, err)
	}
	return func() { set(string(before)) }, nil
}
