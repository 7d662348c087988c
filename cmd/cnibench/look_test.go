package main

import (
	"errors"
	"net/netip"
	"runtime"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/testbed/cluster/detect"
)

// inNetwork calls f on a thread in a network namespace of its own, which ends with the
// thread.
func inNetwork(t *testing.T, f func() error) {
	t.Helper()
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked, so that the thread ends with the goroutine
		err := unix.Unshare(unix.CLONE_NEWNET)
		if err == nil {
			err = f()
		}
		done <- err
	}()
	if err := <-done; errors.Is(err, unix.EPERM) {
		t.Skip("needs root to make a network namespace")
	} else if err != nil {
		t.Fatal(err)
	}
}

// TestLook looks at a network namespace that is wired as a node's.
func TestLook(t *testing.T) {
	var v detect.View
	inNetwork(t, func() error {
		up := func(l netlink.Link, addrs ...string) error {
			err := netlink.LinkAdd(l)
			for _, text := range addrs {
				addr, wrong := netlink.ParseAddr(text)
				err = errors.Join(err, wrong)
				if err == nil {
					err = netlink.AddrAdd(l, addr)
				}
			}
			return errors.Join(err, netlink.LinkSetUp(l))
		}
		named := func(name string) netlink.LinkAttrs {
			a := netlink.NewLinkAttrs()
			a.Name = name
			return a
		}
		err := errors.Join(up(&netlink.Bridge{LinkAttrs: named("cni0")}, "10.244.1.1/24"),
			up(&netlink.Veth{LinkAttrs: named("eth0"), PeerName: "peer0"}, "10.0.0.1/24"),
			netlink.LinkAdd(&netlink.Vxlan{LinkAttrs: named("vxlan.calico"), VxlanId: 4096, Port: 4789}), // not up: it tells nothing
			up(&netlink.Vxlan{LinkAttrs: named("flannel.1"), VxlanId: 1, Port: 8472}))
		if err != nil {
			return err
		}
		eth0, err := netlink.LinkByName("eth0")
		if err != nil {
			return err
		}
		peer, err := netlink.LinkByName("peer0")
		if err != nil {
			return err
		}
		if err := netlink.LinkSetUp(peer); err != nil {
			return err
		}
		gateway := netip.MustParseAddr("10.0.0.254").AsSlice()
		if err := netlink.RouteAdd(&netlink.Route{LinkIndex: eth0.Attrs().Index, Gw: gateway}); err != nil {
			return err
		}
		v, err = look([]netip.Addr{netip.MustParseAddr("10.244.1.7"), netip.MustParseAddr("10.9.9.9"), netip.MustParseAddr("fd00::7")})
		return err
	})
	if !slices.Equal(v.Devices, []string{"cni0", "eth0", ""}) || v.Gateway != netip.MustParseAddr("10.0.0.254") {
		t.Errorf("devices %q, gateway %s", v.Devices, v.Gateway)
	}
	if len(v.Tunnels) != 1 || v.Tunnels[0] != (detect.Tunnel{Name: "flannel.1", Kind: "vxlan", Port: 8472, VNI: 1, MTU: v.Tunnels[0].MTU}) {
		t.Errorf("tunnels %+v", v.Tunnels)
	}
	if err := v.Check(3); err != nil {
		t.Error(err)
	}
}
