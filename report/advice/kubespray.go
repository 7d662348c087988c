package advice

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/cnibench/cnibench/results"
)

const (
	// longestNodePrefix leaves room for a kubelet's 110 pods.
	longestNodePrefix = 25
	blockSize         = 26 // calico_pool_blocksize
)

// podNetwork returns the pod network and the prefix length of each node's subnet. If the needs specify
// no network, it is Kubespray's default, with smaller subnets if it would otherwise have too few for
// the nodes. It returns an invalid network if the default cannot be used: it is too small or overlaps
// the nodes' network.
func podNetwork(n results.Needs) (cidr netip.Prefix, prefix int) {
	cidr, prefix = n.PodCIDR, n.NodePrefix
	if prefix == 0 {
		prefix = results.DefaultNodePrefix
	}
	if cidr.IsValid() {
		return cidr, prefix
	}
	if n.NodePrefix == 0 && n.PodsPerNode <= 1<<(32-longestNodePrefix)-2 && n.Largest() > 1<<(prefix-results.DefaultPodCIDR.Bits()) {
		prefix = longestNodePrefix
	}
	if prefix < results.DefaultPodCIDR.Bits() || n.Largest() > 1<<(prefix-results.DefaultPodCIDR.Bits()) || n.NodeCIDR.IsValid() && n.NodeCIDR.Overlaps(results.DefaultPodCIDR) {
		return netip.Prefix{}, prefix
	}
	return results.DefaultPodCIDR, prefix
}

// roomFor returns the prefix length of the smallest network that has a subnet for each node.
func roomFor(nodes, prefix int) int {
	for bits := prefix; bits > 0; bits-- {
		if 1<<(prefix-bits) >= nodes {
			return bits
		}
	}
	return 0
}

// pathMTU returns the MTU to configure for pods: the size of the largest packet that passed between
// them on the cluster itself. If the run does not show it, pathMTU returns 0 and the reason. It never
// returns a lab's MTU, which holds only for the lab, or the MTU that a plugin was configured with, which
// may be wrong.
func (s *subject) pathMTU() (mtu int, why string) {
	bare := s.plugin.Overhead == nil || *s.plugin.Overhead == 0
	switch {
	case s.facts.Testbed != clusterTestbed || s.plugin.PathMTU == 0:
		return 0, "the run did not measure this cluster's path"
	case s.plugin.found("pod-mtu-too-small"):
		return 0, "the pods' own MTU was the limit of what was measured, and more would fit"
	case s.plugin.found("underlay-fragments"):
		return 0, "the underlay cut packets up, so what passed is not what fits"
	case s.mode.SameSubnet && bare:
		return 0, "between the nodes that were measured nothing was encapsulated, and between subnets less fits"
	}
	return s.plugin.PathMTU, ""
}

// kubespray returns the group_vars for the recommended plugin: the variables of its mode, the networks,
// and the pods' MTU if it was measured and Kubespray has a variable for it.
func (s *subject) kubespray(n results.Needs) string {
	vars := maps.Clone(s.mode.Kubespray)
	comments := []string{fmt.Sprintf("Kubespray v2.31, group_vars/k8s_cluster: %s on %s", s.plugin.Name, s.facts.Topology)}
	if len(vars) == 0 {
		vars = map[string]any{"kube_network_plugin": "custom_cni"}
		comments = append(comments, "Kubespray has no variables for this plugin: give its own manifests to custom_cni.")
	}
	cidr, prefix := podNetwork(n)
	vars["kube_network_node_prefix"] = prefix
	if cidr.IsValid() {
		vars["kube_pods_subnet"] = cidr.String()
	} else {
		comments = append(comments, fmt.Sprintf("Set kube_pods_subnet to a network of at least /%d that is not used elsewhere.", roomFor(n.Largest(), prefix)))
	}
	if n.ServiceCIDR.IsValid() {
		vars["kube_service_addresses"] = n.ServiceCIDR.String()
	}
	if s.mode.Calico != nil {
		vars["calico_pool_blocksize"] = blockSize
		vars["nat_outgoing"] = !n.PodIPsReachable
	}
	mtu, why := s.pathMTU()
	switch {
	case s.mode.Calico != nil && mtu > 0:
		vars["calico_mtu"] = mtu
	case s.mode.Calico != nil:
		comments = append(comments, fmt.Sprintf("calico_mtu is left to Calico's detection: %s.", why))
	case s.mode.Flannel != nil && mtu > 0:
		comments = append(comments, fmt.Sprintf("flannel takes the pods' MTU from the node's NIC; the largest packet that passed on this cluster has %d bytes.", mtu))
	case s.mode.Flannel != nil:
		comments = append(comments, fmt.Sprintf("flannel takes the pods' MTU from the node's NIC, and none is given here: %s.", why))
	}
	for _, note := range s.notes {
		comments = append(comments, note.Text.String())
	}
	return commented(comments) + marshal(vars)
}

func commented(lines []string) string {
	return "# " + strings.Join(lines, "\n# ") + "\n"
}

// marshal returns v as YAML with sorted keys. Its callers pass only values that can be encoded.
func marshal(v any) string {
	text, err := yaml.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("encoding a configuration: %v", err))
	}
	return string(text)
}

// configuration returns the plugin's own configuration files.
func (s *subject) configuration(n results.Needs) []Configuration {
	cidr, prefix := podNetwork(n)
	switch {
	case !cidr.IsValid():
		return []Configuration{}
	case s.mode.Flannel != nil:
		return []Configuration{{"net-conf.json", netConf(cidr, prefix, s.backend())}}
	case s.mode.Calico != nil:
		return []Configuration{{"calico.yaml", s.calicoResources(n, cidr)}}
	}
	return []Configuration{}
}

// backend returns flannel's backend, with the port of the cluster that was measured.
func (s *subject) backend() map[string]any {
	of := s.plugin.Configured
	if of == nil || of.Port == 0 || of.Encapsulation != s.mode.Kind || s.mode.Flannel["Port"] == nil {
		return s.mode.Flannel
	}
	b := maps.Clone(s.mode.Flannel)
	b["Port"] = of.Port
	return b
}

// netConf returns flannel's network configuration (flannel Documentation/configuration.md).
func netConf(cidr netip.Prefix, prefix int, backend map[string]any) string {
	text, err := json.MarshalIndent(map[string]any{"Network": cidr.String(), "SubnetLen": prefix, "Backend": backend}, "", "  ")
	if err != nil {
		panic(fmt.Sprintf("encoding a configuration: %v", err))
	}
	return string(text) + "\n"
}

// calicoResources returns the IP pool, Felix's MTU if it was measured and, if there are more nodes than
// a full mesh supports, a BGP configuration without the mesh (Calico documentation,
// reference/resources).
func (s *subject) calicoResources(n results.Needs, cidr netip.Prefix) string {
	resource := func(kind, name string, spec map[string]any) string {
		return marshal(map[string]any{"apiVersion": "projectcalico.org/v3", "kind": kind, "metadata": map[string]any{"name": name}, "spec": spec})
	}
	all := []string{resource("IPPool", "default-pool", map[string]any{"cidr": cidr.String(), "blockSize": blockSize,
		"ipipMode": s.mode.Calico.IPIPMode, "vxlanMode": s.mode.Calico.VXLANMode, "natOutgoing": !n.PodIPsReachable})}
	head := ""
	if key := map[string]string{"vxlan": "vxlanMTU", "ipip": "ipipMTU"}[s.mode.Kind]; key != "" {
		mtu, why := s.pathMTU()
		if mtu > 0 {
			all = append(all, resource("FelixConfiguration", "default", map[string]any{key: mtu}))
		} else {
			head = commented([]string{fmt.Sprintf("%s is left to Felix's detection: %s.", key, why)})
		}
	}
	if s.known["doc.mesh_fits"] == no {
		all = append(all, resource("BGPConfiguration", "default", map[string]any{"nodeToNodeMeshEnabled": false}))
	}
	return head + strings.Join(all, "---\n")
}
