package detect

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// View is what a network namespace shows: that of a pod, or that of a node.
type View struct {
	// Devices lead to the addresses that were asked for, in their order; "" for one
	// without a route.
	Devices []string `json:"devices,omitempty"`
	// Gateway is the default gateway's address; it is invalid if there is none.
	Gateway netip.Addr `json:"gateway,omitzero"`
	Tunnels []Tunnel   `json:"tunnels,omitempty"` // those that are up
}

// Tunnel is a tunnel device.
type Tunnel struct {
	Name string `json:"name"`
	Kind string `json:"kind"` // as the kernel names it: vxlan, geneve, ipip, wireguard, tun
	Port int    `json:"port,omitempty"`
	VNI  int    `json:"vni,omitempty"` // 0 if the device has none of its own
	MTU  int    `json:"mtu"`
}

// Bounds of a view: it comes from the cluster.
const (
	MaxTunnels  = 64
	maxNameSize = 15 // IFNAMSIZ without the final zero (linux/if.h)
)

// Check returns an error if a view cannot be that of a Linux network namespace which
// was asked for a number of addresses.
func (v View) Check(asked int) error {
	if len(v.Devices) != asked || len(v.Tunnels) > MaxTunnels {
		return fmt.Errorf("it has %d devices for %d addresses, and %d tunnels", len(v.Devices), asked, len(v.Tunnels))
	}
	names := slices.Clone(v.Devices)
	for _, t := range v.Tunnels {
		names = append(names, t.Name)
		if t.Port < 0 || t.Port > 65535 || t.VNI < 0 || t.VNI >= 1<<24 || t.MTU < 0 {
			return fmt.Errorf("the tunnel %q has the port %d, the VNI %d and the MTU %d", results.Printable(t.Name), t.Port, t.VNI, t.MTU)
		}
	}
	for _, name := range names {
		if len(name) > maxNameSize || results.Printable(name) != name {
			return fmt.Errorf("a device has the name %q", results.Printable(name[:min(len(name), 40)]))
		}
	}
	return nil
}

// Placed is a pod of the run and what is known of its node.
type Placed struct {
	Addr   netip.Addr
	Node   string       // its node's name
	Subnet netip.Prefix // of the node's address; invalid if unknown
	// View is that of the node, which was asked for the pod's address; nil if there
	// is no pod in the node's network.
	View *View
	Own  View // the pod's own
}

// owners tells by the names of devices which plugin wires a pod.
// Sources: the plugins' documentation, as in agents; device names of Terway's veth
// pairs begin like Calico's.
var owners = []struct {
	prefix string
	of     family
}{
	{"lxc", cilium}, {"cilium_", cilium},
	{"cali", calico},
	{"eni", amazon},
	{"azv", azure},
	{"antrea-gw", antrea}, {"kube-bridge", kubeRouter}, {"ovn-k8s-mp", ovn}, {"ovn0", kubeOVN},
	{"weave", "Weave Net"}, {"gke", netd}, {"tun0", "OpenShift SDN"},
	{"cni0", bridge}, {"cbr0", bridge},
}

// bridge stands for the reference bridge plugin, to which flannel delegates.
const bridge family = "a bridge"

// tunnels tells by the names of devices which plugin, and which of its modes, makes a
// tunnel.
var tunnels = []struct {
	prefix string
	of     family
	kind   string // encapsulation
}{
	{"flannel.ipip", flannel, "ipip"}, {"flannel-wg", flannel, "wireguard"}, {"flannel0", flannel, "udp"}, {"flannel", flannel, "vxlan"},
	{"vxlan.calico", calico, "vxlan"}, {"vxlan-v6.calico", calico, "vxlan"}, {"wireguard.cali", calico, "wireguard"}, {"tunl0", calico, "ipip"},
	{"cilium_vxlan", cilium, "vxlan"}, {"cilium_geneve", cilium, "geneve"}, {"cilium_wg0", cilium, "wireguard"},
	{"genev_sys", ovn, "geneve"}, {"antrea-wg0", antrea, "wireguard"},
}

// ownerOf returns the plugin whose devices have such names, or "".
func ownerOf(device string) family {
	for _, o := range owners {
		if strings.HasPrefix(device, o.prefix) {
			return o.of
		}
	}
	return ""
}

// tunnelOf returns the plugin and the encapsulation of a tunnel device by its name, or
// "" if none is known by it.
func tunnelOf(name string) (of family, kind string) {
	for _, t := range tunnels {
		if strings.HasPrefix(name, t.prefix) {
			return t.of, t.kind
		}
	}
	return "", ""
}

// familyOf returns the plugin that a name in a run is about, or "".
func familyOf(name string) family {
	for prefix, of := range map[string]family{"flannel": flannel, "calico": calico, "cilium": cilium, "aws-vpc-cni": amazon, "azure-cni": azure, "antrea": antrea,
		"kube-router": kubeRouter, "kube-ovn": kubeOVN, "ovn-kubernetes": ovn, "gke-routes": netd, "weave-net": "Weave Net"} {
		if name == prefix || strings.HasPrefix(name, prefix+"-") {
			return of
		}
	}
	return ""
}

// Look compares what was found with a pod and its node, for a network that the run
// calls name. It returns what holds then: settings of the tunnel device instead of the
// configured ones, findings, and in contradicted what the name cannot explain. Then
// nothing is expected of the wire.
func (d Found) Look(name string, pod Placed) (after Found, contradicted words.Text) {
	after = d
	after.Findings = slices.Clone(d.Findings)
	of := familyOf(name)
	if against := d.against(of, pod); len(against) > 0 {
		contradicted = words.Contradicted.With(name, words.Clauses(against...))
		after.Settings = undeclared()
		after.finding(results.FindingContradicted, contradicted)
		return after, contradicted
	}
	after.byPool(pod.Addr)
	after.byTunnel(of, pod)
	if owner := pod.owner(); of == "" && d.family == "" && owner != "" && owner != bridge {
		after.finding(results.FindingPluginSeen, words.PluginSeen.With(words.DeviceIsOf.With(pod.View.Devices[0], string(owner))))
	}
	return after, words.Text{}
}

func (d *Found) finding(name string, text words.Text) {
	d.Findings = append(d.Findings, probes.Finding{Name: name, Text: text})
}

// against lists what a pod and its node show that a plugin does not do.
func (d Found) against(of family, pod Placed) []words.Text {
	var all []words.Text
	nets := sameFamily(d.podNets[pod.Node], pod.Addr)
	inPodNet := slices.ContainsFunc(nets, func(p netip.Prefix) bool { return p.Contains(pod.Addr) })
	if of == flannel && len(nets) > 0 && !inPodNet {
		all = append(all, words.NotInPodCIDR.With(pod.Addr, nets[0], results.Printable(pod.Node)))
	}
	if of == calico && len(d.pools) > 0 && d.weak && !slices.ContainsFunc(d.pools, func(p pool) bool { return p.prefix().Contains(pod.Addr) }) {
		all = append(all, words.NotInPools.With(pod.Addr))
	}
	if gateway := pod.Own.Gateway; of == calico && d.weak && gateway.Is4() && gateway != calicoGateway {
		all = append(all, words.GatewayNotCalico.With(gateway))
	}
	if owner := pod.owner(); owner != "" && of != "" && !d.wires(owner, of, pod, inPodNet || len(nets) == 0) {
		all = append(all, words.DeviceIsOf.With(pod.View.Devices[0], string(owner)))
	}
	return all
}

// calicoGateway is the gateway of pods that Calico's CNI plugin wires (cni-plugin of
// Calico v3.28.5, internal/pkg/utils).
var calicoGateway = netip.AddrFrom4([4]byte{169, 254, 1, 1})

// owner returns the plugin that names devices like the one that leads to the pod on
// its node, or "".
func (p Placed) owner() family {
	if p.View == nil || len(p.View.Devices) == 0 {
		return ""
	}
	return ownerOf(p.View.Devices[0])
}

// wires reports whether a plugin may wire the pods of another one's network. fits says
// that the pod's address does not contradict the network.
func (d Found) wires(owner, of family, pod Placed, fits bool) bool {
	switch {
	case owner == of:
		return true
	case of == flannel && owner == bridge:
		return true
	case of == flannel && owner == calico: // Canal
		return d.canal || fits && slices.ContainsFunc(pod.View.Tunnels, func(t Tunnel) bool { return strings.HasPrefix(t.Name, "flannel") })
	case owner == cilium && !d.weak: // chained, or within the cloud's plugin
		return of != flannel && of != calico
	}
	return owner == bridge && of != calico && of != cilium && of != amazon
}

// byPool takes the mode of the pool that holds the pod's address, if the pools have
// several modes.
func (d *Found) byPool(addr netip.Addr) {
	if d.Plugin != "" || d.Settings == nil || d.Settings.Kind != probes.Undeclared {
		return
	}
	for _, p := range d.pools {
		if m := p.mode(); p.prefix().Contains(addr) && m.plugin != "" {
			d.Settings = m.settings
			d.finding(results.FindingSettingsDiffer, words.PoolOfPod.With(results.Printable(p.Metadata.Name), addr, m.plugin))
			return
		}
	}
}

// byTunnel compares the tunnel devices of the pod's node with the settings.
func (d *Found) byTunnel(of family, pod Placed) {
	if pod.View == nil || of == "" || d.Settings == nil {
		return
	}
	var left []string
	for _, t := range pod.View.Tunnels {
		owner, kind := tunnelOf(t.Name)
		switch {
		case owner == "" || owner == calico && explain(d.pools, "calico-"+kind):
		case owner != of && t.Name == "tunl0": // of anything that loads the module ipip
		case owner != of || kind != d.Settings.Kind && d.Settings.Kind != probes.Undeclared:
			left = append(left, t.Name)
		case t.Port != 0 && d.Settings.Port != 0 && t.Port != d.Settings.Port:
			d.finding(results.FindingSettingsDiffer, words.TunnelPort.With(t.Name, t.Port, d.Settings.Port))
			adopted := *d.Settings // shared with the other networks of the run
			adopted.Port = t.Port
			d.Settings = &adopted
		}
	}
	if len(left) > 0 {
		d.finding(results.FindingLeftover, words.LeftoverDevices.With(words.AndNames(left), results.Printable(pod.Node)))
	}
}

// sameFamily returns the ranges of an address's family.
func sameFamily(all []netip.Prefix, addr netip.Addr) []netip.Prefix {
	var same []netip.Prefix
	for _, p := range all {
		if p.Addr().Is4() == addr.Unmap().Is4() {
			same = append(same, p)
		}
	}
	return same
}
