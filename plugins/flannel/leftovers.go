package flannel

import "github.com/cnibench/cnibench/plugins"

// ConfFile is the CNI configuration that flannel leaves in a node's directory.
const ConfFile = "10-flannel.conflist"

// Leftovers says what flannel leaves on a node: the devices of its modes and of the
// bridge plugin, its chains (pkg/trafficmngr/iptables of v0.28.10), the subnet file,
// host-local's reservations under the network's name, and its annotations
// (pkg/subnet/kube).
var Leftovers = plugins.Leftovers{
	Devices: []string{"cni0", "flannel.1", "flannel0", "flannel.ipip", "flannel-wg"},
	Chains:  "FLANNEL-", Tables: []string{"filter", "nat"},
	Files:       []string{"/etc/cni/net.d/" + ConfFile, "/run/flannel", "/var/lib/cni", "/var/lib/cni/networks", "/var/lib/cni/networks/cbr0"},
	Folders:     []string{"/run/flannel"},
	Annotations: []string{"flannel.alpha.coreos.com/"}, Reasons: []string{"FlannelIsUp"},
}
