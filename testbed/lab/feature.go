package lab

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// feature is a kernel feature that plugins ask for by name.
type feature struct {
	// try uses the feature. No other test is reliable: a configuration file does not
	// say whether a module is there or may be loaded from here.
	try    func() error
	module string // kernel module with the feature
	option string // kernel configuration option that builds it
}

var features = map[string]feature{
	"bridge": {func() error { return tryLink(&netlink.Bridge{LinkAttrs: tryAttrs()}) }, "bridge", "CONFIG_BRIDGE"},
	"veth":   {func() error { return tryLink(&netlink.Veth{LinkAttrs: tryAttrs(), PeerName: "try1"}) }, "veth", "CONFIG_VETH"},
	"vxlan": {func() error {
		return tryLink(&netlink.Vxlan{LinkAttrs: tryAttrs(), VxlanId: 1, Port: 8472, Learning: false})
	}, "vxlan", "CONFIG_VXLAN"},
	"ipip": {func() error {
		return tryLink(&netlink.Iptun{LinkAttrs: tryAttrs(), Local: []byte{127, 0, 0, 1}, Remote: []byte{127, 0, 0, 2}})
	}, "ipip", "CONFIG_NET_IPIP"},
	"wireguard": {func() error { return tryLink(&netlink.Wireguard{LinkAttrs: tryAttrs()}) }, "wireguard", "CONFIG_WIREGUARD"},
	"ipvlan":    {tryIPVlan, "ipvlan", "CONFIG_IPVLAN"},
	"vlan":      {tryVLAN, "8021q", "CONFIG_VLAN_8021Q"},
	"tun":       {tryTun, "tun", "CONFIG_TUN"},
	"tbf": {func() error {
		return tryQdisc(func(a netlink.QdiscAttrs) netlink.Qdisc {
			return &netlink.Tbf{QdiscAttrs: a, Rate: 1e6, Limit: 1e5, Buffer: ticks(0.1)}
		})
	}, "sch_tbf", "CONFIG_NET_SCH_TBF"},
	"netem": {func() error {
		return tryQdisc(func(a netlink.QdiscAttrs) netlink.Qdisc {
			return netlink.NewNetem(a, netlink.NetemQdiscAttrs{Latency: 1000})
		})
	}, "sch_netem", "CONFIG_NET_SCH_NETEM"},
	"openvswitch": {tryOpenVSwitch, "openvswitch", "CONFIG_OPENVSWITCH"},
}

func tryAttrs() netlink.LinkAttrs {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "try0"
	return attrs
}

// tried remembers the result of trying a feature, nil or errLacks. A feature that
// failed for another reason is tried again.
var tried sync.Map // of error by name

// Feature returns nil if the kernel has a feature, or why the feature cannot be
// used. The first call tries the feature in a new network namespace. It must run in
// the lab (see [Enter]).
func Feature(name string) error {
	f, ok := features[name]
	if !ok {
		return fmt.Errorf("the kernel feature %q is not one that can be tried", name)
	}
	if known, ok := tried.Load(name); ok {
		err, _ := known.(error)
		return err
	}
	err := onOwnThread(func() error {
		if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
			return fmt.Errorf("creating a namespace in which to try %s: %w", name, err)
		}
		return f.try()
	})
	if err == nil || errors.Is(err, errLacks) {
		tried.Store(name, err)
	}
	return err
}

// Remedy says how to add a feature that the kernel lacks.
func Remedy(name string) words.Text {
	f := features[name]
	return words.FeatureRemedy.With(f.module, f.option)
}

// FeatureNames lists all features that can be tried.
func FeatureNames() []string {
	var names []string
	for name := range features {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// errLacks says that the kernel lacks a feature.
var errLacks = errors.New("kernel lacks it")

func tryLink(link netlink.Link) error {
	err := netlink.LinkAdd(link)
	switch {
	case err == nil:
		return netlink.LinkDel(link)
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENODEV):
		return errLacks
	}
	return fmt.Errorf("creating a %s link: %w", link.Type(), err)
}

func tryIPVlan() error {
	attrs, err := onParent()
	if err != nil {
		return err
	}
	return tryLink(&netlink.IPVlan{LinkAttrs: attrs, Mode: netlink.IPVLAN_MODE_L2})
}

func tryVLAN() error {
	attrs, err := onParent()
	if err != nil {
		return err
	}
	return tryLink(&netlink.Vlan{LinkAttrs: attrs, VlanId: 2, VlanProtocol: netlink.VLAN_PROTOCOL_8021Q})
}

// onParent creates a parent link and returns the attributes of a link on top of
// it.
func onParent() (netlink.LinkAttrs, error) {
	parent := &netlink.Veth{LinkAttrs: tryAttrs(), PeerName: "try1"}
	if err := netlink.LinkAdd(parent); err != nil {
		return netlink.LinkAttrs{}, fmt.Errorf("creating a parent link: %w", err)
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.ParentIndex = "try2", parent.Attrs().Index
	return attrs, nil
}

// tunDevice is the clone device behind TUN interfaces.
const tunDevice = "/dev/net/tun"

func tryTun() error {
	f, err := os.OpenFile(tunDevice, os.O_RDWR, 0)
	switch {
	case errors.Is(err, os.ErrNotExist), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		return errLacks
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("only root may open %s (allow it with sudo chmod 0666 %s, the default of distributions with udev)", tunDevice, tunDevice)
	case err != nil:
		return err
	}
	defer f.Close()
	request, err := unix.NewIfreq("try0")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(int(f.Fd()), unix.TUNSETIFF, request); err != nil {
		return fmt.Errorf("creating a TUN interface: %w", err)
	}
	return nil
}

// tryQdisc adds a queueing discipline to a new link.
func tryQdisc(make func(netlink.QdiscAttrs) netlink.Qdisc) error {
	veth := &netlink.Veth{LinkAttrs: tryAttrs(), PeerName: "try1"}
	if err := netlink.LinkAdd(veth); err != nil {
		return fmt.Errorf("creating a link to shape: %w", err)
	}
	attrs := netlink.QdiscAttrs{LinkIndex: veth.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT}
	err := netlink.QdiscAdd(make(attrs))
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.EOPNOTSUPP) {
		return errLacks
	}
	return err
}

// Lacks returns the first feature that the kernel lacks; see [testbed.Kernel].
func (l *Lab) Lacks(p *plugins.Plugin) string {
	for _, name := range Needs(p, l.config.Link) {
		if errors.Is(Feature(name), errLacks) {
			return name
		}
	}
	return ""
}

// Open vSwitch's generic netlink family for datapaths, and the command that creates
// one, with its version and attributes (include/uapi/linux/openvswitch.h).
const (
	ovsFamily    = "ovs_datapath"
	ovsNew       = 1
	ovsVersion   = 2
	ovsName      = 1 // OVS_DP_ATTR_NAME
	ovsUpcallPID = 2 // OVS_DP_ATTR_UPCALL_PID; 0: packets without a flow are dropped
)

// ovsHeader refers to no datapath yet.
var ovsHeader = make(ovsDatapath, 4)

// ovsDatapath is the interface index of a datapath, as encoded in messages.
type ovsDatapath []byte

func (d ovsDatapath) Len() int          { return len(d) }
func (d ovsDatapath) Serialize() []byte { return d }

// tryOpenVSwitch creates a datapath in the kernel. Asking for the netlink family
// loads its module where that is allowed.
func tryOpenVSwitch() error {
	family, err := netlink.GenlFamilyGet(ovsFamily)
	if errors.Is(err, unix.ENOENT) {
		return errLacks
	}
	if err != nil {
		return fmt.Errorf("asking for the netlink family %s: %w", ovsFamily, err)
	}
	request := nl.NewNetlinkRequest(int(family.ID), unix.NLM_F_ACK)
	request.AddData(&nl.Genlmsg{Command: ovsNew, Version: ovsVersion})
	request.AddData(ovsHeader)
	request.AddData(nl.NewRtAttr(ovsName, nl.ZeroTerminated("try0")))
	request.AddData(nl.NewRtAttr(ovsUpcallPID, nl.Uint32Attr(0)))
	if _, err := request.Execute(unix.NETLINK_GENERIC, 0); err != nil {
		return fmt.Errorf("creating an Open vSwitch datapath: %w", err)
	}
	return nil
}

// Needs lists the features that a plugin's network needs on links with the given
// delay and loss.
func Needs(p *plugins.Plugin, link results.Link) []string {
	if link == (results.Link{}) {
		return p.Features
	}
	return append([]string{"netem"}, p.Features...)
}

// LacksText returns the text of [Unsupported] for a feature that the kernel lacks.
func LacksText(name string) words.Text { return words.KernelLacks.With(name) }

// Unsupported says in one line which of the needed features the kernel lacks, or
// why one cannot be used. The text is empty if the kernel has them all.
func Unsupported(needs []string) words.Text {
	for _, name := range needs {
		switch err := Feature(name); {
		case errors.Is(err, errLacks):
			return LacksText(name)
		case err != nil:
			return words.CannotBeUsedHere.With(name, err)
		}
	}
	return words.Text{}
}
