package catalogue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/probes/network"
)

// TestServiceThatIsImplementedLate measures a Service whose address translation begins
// only after the first attempts to connect. The node's connection tracking remembers
// those attempts and does not translate later connections from the same ports.
func TestServiceThatIsImplementedLate(t *testing.T) {
	b := newBed(t)
	service := netip.MustParseAddrPort("10.96.0.9:20049")
	const (
		tracked  = "/proc/sys/net/netfilter/nf_conntrack_count"
		fewPorts = "40000 40063" // so that every port is used many times
	)
	// The peer is the router that finds no route to the Service's address.
	err := errors.Join(
		b.places[1].do(func() error { return os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0) }),
		b.places[0].do(func() error { return os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte(fewPorts), 0) }),
		b.onNIC(0, func(l netlink.Link) error {
			return netlink.RouteAdd(&netlink.Route{LinkIndex: l.Attrs().Index, Gw: b.ends[1].Addr.AsSlice(), Dst: &net.IPNet{IP: service.Addr().AsSlice(), Mask: net.CIDRMask(32, 32)}})
		}),
		b.translate("192.0.2.9"), // another Service, whose rule makes the node track connections
	)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		for ctx := t.Context(); ctx.Err() == nil; time.Sleep(10 * time.Millisecond) {
			var count []byte
			err := b.places[0].do(func() (err error) {
				count, err = os.ReadFile(tracked)
				return err
			})
			if err != nil || !bytes.Equal(bytes.TrimSpace(count), []byte("0")) {
				done <- errors.Join(err, b.translate(service.Addr().String()))
				return
			}
		}
	}()
	s := &probes.Site{Duration: time.Second, Client: b.ends[0], Server: b.ends[1], Passed: probes.Passes{},
		Service: func(context.Context, probes.ServiceKind) (*probes.Service, error) {
			return &probes.Service{Addr: service, Port: service.Port()}, nil
		}}
	if _, err := network.Service().Measure(t.Context(), s); err != nil {
		t.Error(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// translate makes the client's end send connections for an address to the server.
func (b *bed) translate(addr string) error {
	return b.places[0].do(func() error {
		out, err := exec.Command("iptables", "-t", "nat", "-A", "OUTPUT", "-d", addr, "-p", "tcp", "-j", "DNAT", "--to", b.ends[1].Addr.String()).CombinedOutput()
		if err != nil {
			return fmt.Errorf("iptables: %w: %s", err, out)
		}
		return nil
	})
}
