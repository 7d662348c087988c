package leftovers

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// ofProxy lists the devices of kube-proxy (pkg/proxy/ipvs of v1.34) and of
// NodeLocal DNSCache, which are no plugin's.
var ofProxy = []string{"kube-ipvs0", "nodelocaldns"}

// fallback lists the devices that the kernel creates in every network namespace
// when a tunnel's module is loaded (Documentation/admin-guide/sysctl/net.rst,
// fb_tunnels_only_for_init_net). Nothing but unloading the module removes them.
var fallback = []string{"tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip_vti0", "ip6tnl0", "ip6_vti0", "ip6gre0"}

// devices lists the network devices. A fallback device counts only while it is in
// use, and is removed by taking it down and its addresses away.
func devices() ([]thing, error) {
	links, err := netlink.LinkList()
	if err != nil {
		return nil, err
	}
	var all []thing
	for _, l := range links {
		a := l.Attrs()
		if a.Name == "lo" || slices.Contains(ofProxy, a.Name) {
			continue
		}
		t := thing{Item: Item{Kind: Device, Name: a.Name}}
		switch {
		case slices.Contains(fallback, a.Name):
			if a.Flags&unix.IFF_UP == 0 {
				continue
			}
			t.remove = func() error { return disuse(l) }
		case l.Type() != "device" && l.Type() != "": // "device" is hardware, which belongs to no plugin
			t.remove = func() error { return removeLink(l) }
		}
		all = append(all, t)
	}
	return all, nil
}

// removeLink removes a device, which the removal of its peer may have removed too.
func removeLink(l netlink.Link) error {
	err := netlink.LinkDel(l)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENODEV) {
		if _, absent := netlink.LinkByIndex(l.Attrs().Index); errors.As(absent, new(netlink.LinkNotFoundError)) {
			return nil
		}
	}
	return err
}

func disuse(l netlink.Link) error {
	addrs, err := netlink.AddrList(l, netlink.FAMILY_V4)
	for _, a := range addrs {
		err = errors.Join(err, netlink.AddrDel(l, &a))
	}
	return errors.Join(err, netlink.LinkSetDown(l))
}

func deviceNames() (map[int]string, error) {
	links, err := netlink.LinkList()
	if err != nil {
		return nil, err
	}
	names := map[int]string{}
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
	}
	return names, nil
}

// addresses lists the permanent addresses. Others are renewed by themselves.
func addresses() ([]thing, error) {
	names, err := deviceNames()
	if err != nil {
		return nil, err
	}
	var all []thing
	for _, family := range families {
		list, err := netlink.AddrList(nil, family)
		if err != nil && !errors.Is(err, unix.EAFNOSUPPORT) {
			return all, err
		}
		for _, a := range list {
			device := names[a.LinkIndex]
			if a.Flags&unix.IFA_F_PERMANENT == 0 || a.IP.IsLinkLocalUnicast() || a.IP.IsLoopback() || slices.Contains(ofProxy, device) || slices.Contains(fallback, device) {
				continue
			}
			all = append(all, thing{Item{Kind: Address, Name: a.IPNet.String() + " dev " + device, In: Owner{Device, device}}, func() error {
				l, err := netlink.LinkByIndex(a.LinkIndex)
				if err != nil {
					return err
				}
				return netlink.AddrDel(l, &a)
			}})
		}
	}
	return all, nil
}

// sets lists the IP sets, except for kube-proxy's. A kernel without them has none.
func sets() ([]thing, error) {
	list, err := netlink.IpsetListAll()
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EOPNOTSUPP) {
		return nil, nil
	}
	var all []thing
	for _, s := range list {
		if !strings.HasPrefix(s.SetName, kubePrefix) {
			all = append(all, thing{Item{Kind: Set, Name: s.SetName}, func() error { return netlink.IpsetDestroy(s.SetName) }})
		}
	}
	return all, err
}

// sysctls reads net.ipv4.conf of all devices but the host's ends of pods' devices,
// which come and go.
func sysctls() map[string]string {
	const top = "/proc/sys/net/ipv4/conf"
	values := map[string]string{}
	files, _ := filepath.Glob(top + "/*/*")
	for _, path := range files {
		device := filepath.Base(filepath.Dir(path))
		if l, err := netlink.LinkByName(device); err == nil && l.Type() == "veth" && !hasDefaultAddress(l) {
			continue
		}
		if text, err := os.ReadFile(path); err == nil {
			values["net.ipv4.conf."+device+"."+filepath.Base(path)] = strings.TrimSpace(string(text))
		}
	}
	return values
}

// hasDefaultAddress reports whether a device has an address of its own, as a
// node's NIC has and the host's end of most pods' devices has not.
func hasDefaultAddress(l netlink.Link) bool {
	addrs, err := netlink.AddrList(l, netlink.FAMILY_V4)
	return err == nil && len(addrs) > 0
}

// legacyTables lists the tables of iptables-legacy, whose rules no netlink message
// shows (net/ipv4/netfilter/ip_tables.c).
func legacyTables() []string {
	var all []string
	for _, family := range []string{"ip", "ip6"} {
		text, _ := os.ReadFile("/proc/net/" + family + "_tables_names")
		for _, table := range strings.Fields(string(text)) {
			all = append(all, table+" ("+family+")")
		}
	}
	return all
}
