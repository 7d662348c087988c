package calico

import "github.com/cnibench/cnibench/plugins"

// Leftovers says what Calico v3.28.5 leaves on a node: the host's ends of pods'
// devices and its tunnels (felix/dataplane/linux), its chains, rules and IP sets
// (felix/rules: all begin with cali), its files and folders (manifests/calico.yaml),
// what its installer copies beside the CNI plugins that are there
// (cni-plugin/pkg/install), and its annotations (libcalico-go/lib/backend/k8s).
var Leftovers = plugins.Leftovers{
	Devices: []string{"cali*", "vxlan.calico", "vxlan-v6.calico", "wireguard.cali", "wg-v6.cali", "tunl0"},
	Sets:    []string{"cali*"},
	Chains:  "cali-", Comment: "cali:", Tables: []string{"raw", "mangle", "nat", "filter"},
	Files: []string{"/etc/cni/net.d/10-calico.conflist", "/etc/cni/net.d/calico-kubeconfig", "/etc/cni/net.d/calico-tls",
		"/opt/cni/bin/bandwidth", "/opt/cni/bin/calico", "/opt/cni/bin/calico-ipam", "/opt/cni/bin/flannel", "/opt/cni/bin/host-local",
		"/opt/cni/bin/loopback", "/opt/cni/bin/portmap", "/opt/cni/bin/tuning", "/run/calico", "/run/nodeagent", "/var/lib/calico", "/var/log/calico"},
	Folders:     []string{"/run/calico", "/run/nodeagent", "/var/lib/calico", "/var/log/calico"},
	Annotations: []string{"projectcalico.org/"}, Reasons: []string{"CalicoIsUp", "CalicoIsDown"},
}
