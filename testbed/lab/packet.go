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

// firstPacketEvery is how often a datagram is sent until one arrives; the
// error of the time to the first packet.
const firstPacketEvery = 5 * time.Millisecond

// firstPacket sends datagrams from one pod to the other until one arrives.
// Meanwhile the pods ask for unanswered neighbours as often as datagrams are
// sent: a pod whose first ARP request comes a moment before Felix answers for
// the next hop would otherwise wait out the kernel's second (arp(7),
// retrans_time_ms) and that second be taken for the plugin's.
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

// reach sends datagrams until one arrives. The sockets are made inside the
// pods and stay there, whatever thread uses them.
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
		// An error here is a network on its way up (no route yet); the last
		// one is quoted if the time runs out.
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

// retryNeighbours sets how often the pod repeats a neighbour request, and
// returns what puts the kernel's own value back.
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
		return nil, fmt.Errorf("hastening neighbour requests in pod %s: %w", p.id, err)
	}
	return func() { set(string(before)) }, nil
}
