// Package detect identifies a cluster, the network plugin that connects its pods,
// the plugin's mode and settings, and describes its nodes. It only reads.
//
// What speaks for a plugin is ranked: an agent that runs (a DaemonSet that has pods)
// outweighs configuration (ConfigMaps, custom resources), and that outweighs
// annotations of the nodes. Evidence of another plugin contradicts, unless the two
// are known to run together or the weaker one was left behind.
package detect

import (
	"cmp"
	"context"
	"net/netip"
	"slices"

	core "k8s.io/api/core/v1"

	"github.com/cnibench/cnibench/probes"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// Found is what a cluster says about the plugin that connects its pods.
type Found struct {
	// Plugin is the name in a run: one of the catalogue, or a name made from what was
	// found (cilium-native). It is "" if no plugin or no mode can be determined.
	Plugin string
	Words  words.Text // the evidence, and what could not be read
	// Settings are the cluster's own; nil if those of the catalogue hold.
	Settings *Settings
	// Findings are what a person should know of the nodes before anything is measured.
	Findings []probes.Finding
	// Proxy is the plugin that carries Services instead of kube-proxy, or "".
	Proxy string
	// Unread names what the user may not read.
	Unread []string

	family  family // of the plugin, also if its mode cannot be determined; "" for none
	weak    bool   // no agent was seen to run
	canal   bool   // Calico connects pods to flannel's network
	pools   []pool
	podNets map[string][]netip.Prefix // the pod CIDRs of nodes, by name
}

// Plugin determines the cluster's plugin. It reads the annotations and labels of
// nodes, which takes only permission to list nodes, and the agents and the plugins'
// own configuration, if the user may read them. [Found.Look] then compares the result
// with what pods and nodes show, and packets captured on the nodes' network prove it.
func Plugin(ctx context.Context, c *kube.Client, nodes []core.Node) Found {
	return conclude(read(ctx, c, nodes))
}

// conclude weighs everything that was read.
func conclude(s *state) Found {
	connect, policies := companions(s.candidates())
	for _, c := range connect {
		if said := overIPv6(c.mode.settings, s.nodes); !said.Empty() {
			c.mode.adds(said)
		}
	}
	j := s.judge(connect)
	if cloud := cloudOf(s.nodes); j.winner == nil && cloud != "" {
		j.said = append(j.said, words.CloudHint.With(cloud))
	}
	d := Found{Words: words.Clauses(slices.Concat(j.said, policies, s.failed)...), Unread: s.unread, Proxy: s.replacesProxy(connect),
		Settings: undeclared(), pools: s.pools, podNets: podNets(s.nodes)}
	if len(s.unread) > 0 {
		d.Words = words.Aside(d.Words, words.MayNotRead.With(words.ListNames(s.unread)))
	}
	if c := j.winner; c != nil {
		d.Plugin, d.Settings, d.weak = c.mode.plugin, c.mode.settings, c.rank < running
		d.family = c.family
		d.canal = slices.Contains(c.notes, words.CalicoForPolicy)
		d.Findings = otherNIC(c.family, s.nodes)
	}
	return d
}

// Unknown is the name in a run of a plugin that cannot be determined.
const Unknown = "unknown"

// Name returns the plugin's name in a run.
func (d Found) Name() string { return cmp.Or(d.Plugin, Unknown) }

// Record returns what was found for the record of a run.
func (d Found) Record() *results.ClusterPlugin {
	p := &results.ClusterPlugin{Name: d.Name(), Text: d.Words}
	if d.Settings != nil {
		p.Configured = d.Settings.Configured(netip.Addr{}, netip.Addr{})
	}
	return p
}

// podNets returns the ranges from which the cluster assigns addresses to pods, by
// node.
func podNets(nodes []core.Node) map[string][]netip.Prefix {
	all := map[string][]netip.Prefix{}
	for _, n := range nodes {
		for _, text := range append([]string{n.Spec.PodCIDR}, n.Spec.PodCIDRs...) {
			if of, err := netip.ParsePrefix(text); err == nil && !slices.Contains(all[n.Name], of) {
				all[n.Name] = append(all[n.Name], of)
			}
		}
	}
	return all
}

// otherNIC finds nodes between which a plugin sends pods' packets to another address
// than the node's own, by which the baseline is measured.
func otherNIC(f family, nodes []core.Node) []probes.Finding {
	var differ []words.Text
	for _, n := range nodes {
		announced, ok := announcedAddr(f, n)
		if !ok {
			continue
		}
		internal := internalAddrs(n, announced.Is6())
		if len(internal) > 0 && !slices.Contains(internal, announced) {
			differ = append(differ, words.AnnouncedAddr.With(announcedBy[f], announced, results.Printable(n.Name), internal[0]))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return []probes.Finding{{Name: results.FindingOtherNIC, Text: words.OtherNIC.With(words.List(differ[:min(len(differ), 3)]...))}}
}

// announcedBy names the annotations of announcedAddr.
var announcedBy = map[family]string{flannel: "flannel's public-ip", calico: "Calico's IPv4Address"}

// announcedAddr returns the address to which other nodes send the packets for a
// node's pods, as the plugin's annotations say.
func announcedAddr(f family, n core.Node) (netip.Addr, bool) {
	var text string
	switch f {
	case flannel:
		_, prefix, _ := flannelAnnotation(n)
		text = n.Annotations[prefix+"public-ip"]
		if text == "" {
			text = n.Annotations[prefix+"public-ipv6"]
		}
	case calico:
		text = n.Annotations[calicoAddress]
		if text == "" {
			text = n.Annotations[calicoAddress6]
		}
		if of, err := netip.ParsePrefix(text); err == nil {
			return of.Addr().Unmap(), true
		}
	}
	addr, err := netip.ParseAddr(text)
	return addr.Unmap(), err == nil
}

// internalAddrs returns the node's own addresses of one family.
func internalAddrs(n core.Node, six bool) []netip.Addr {
	var all []netip.Addr
	for _, a := range n.Status.Addresses {
		if addr, err := netip.ParseAddr(a.Address); err == nil && a.Type == core.NodeInternalIP && addr.Unmap().Is6() == six {
			all = append(all, addr.Unmap())
		}
	}
	return all
}
