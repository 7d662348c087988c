package detect

import (
	"slices"
	"strconv"
	"strings"

	core "k8s.io/api/core/v1"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// ciliumMaps are the places of Cilium's options
// (install/kubernetes/cilium/templates/cilium-configmap.yaml of Cilium v1.16); those
// beside an agent in another namespace come in addition.
var ciliumMaps = []at{{"kube-system", "cilium-config"}, {"cilium", "cilium-config"}}

// ciliumAnnotations are prefixes of the annotations of Cilium's agents
// (pkg/annotation of Cilium v1.16, and those of releases before 1.13).
var ciliumAnnotations = []string{"network.cilium.io/", "io.cilium.network."}

// Ports of Cilium: tunnel-port's defaults (pkg/defaults of Cilium v1.16), and that
// of its WireGuard device (pkg/wireguard/types).
const (
	ciliumVXLANPort     = 8472
	ciliumWireGuardPort = 51871
)

// ciliumOptions returns Cilium's options and their place: those beside its agent, or
// else any.
func (s *state) ciliumOptions(set daemonSet, runs bool) (map[string]string, at, bool) {
	places := slices.Clone(ciliumMaps)
	if runs {
		places = append([]at{{set.Metadata.Namespace, "cilium-config"}}, places...)
	}
	for _, place := range places {
		if options, there := s.maps[place]; there {
			return options, place, true
		}
	}
	return nil, at{}, false
}

// on reports whether an option is switched on.
func on(options map[string]string, name string) bool {
	return strings.EqualFold(options[name], "true") || strings.EqualFold(options[name], "strict")
}

// readCilium reads what speaks for Cilium.
func readCilium(s *state) *candidate {
	c := &candidate{family: cilium}
	set, runs := s.setOf(cilium)
	if runs {
		c.add(running, set.text())
	}
	options, place, there := s.ciliumOptions(set, runs)
	if there {
		c.add(configuration, place.configMap())
		if c.mode = ciliumMode(options); !runs && !tellsMode(options) {
			// Others' builds of Cilium's plugin keep a few options under this name.
			c.mode = mode{says: words.CiliumOptionsOnly, settings: undeclared()}
		}
		c.chained = chainedTo(options)
	}
	if slices.ContainsFunc(s.nodes, annotatedByCilium) {
		c.add(annotation, words.NodeAnnotations)
	}
	if c.rank == none {
		return nil
	}
	if !there {
		c.mode = mode{plugin: "cilium", settings: undeclared()}
	}
	c.proxy = on(options, "kube-proxy-replacement")
	return c
}

func annotatedByCilium(n core.Node) bool {
	for key := range n.Annotations {
		for _, prefix := range ciliumAnnotations {
			if strings.HasPrefix(key, prefix) {
				return true
			}
		}
	}
	return false
}

// tellsMode reports whether options say how Cilium connects pods, as those of its own
// manifests always do.
func tellsMode(options map[string]string) bool {
	return slices.ContainsFunc([]string{"routing-mode", "tunnel", "tunnel-protocol", "ipam", "cni-chaining-mode", "kube-proxy-replacement",
		"enable-ipsec", "enable-wireguard", "datapath-mode"}, func(name string) bool { return options[name] != "" })
}

// chainedTo returns the plugin to whose network Cilium only adds policies, or "" if
// it connects pods itself. portmap only adds host ports to Cilium's own plugin.
func chainedTo(options map[string]string) string {
	switch of := strings.ToLower(options["cni-chaining-mode"]); of {
	case "", "none", "portmap":
		return ""
	default:
		return results.Printable(of)
	}
}

// ciliumMode reads Cilium's options: routing-mode and tunnel-protocol since v1.14,
// tunnel before.
func ciliumMode(options map[string]string) mode {
	var m mode
	native := strings.EqualFold(options["routing-mode"], "native") || options["tunnel"] == "disabled"
	protocol := strings.ToLower(options["tunnel-protocol"])
	if protocol == "" && options["tunnel"] != "" {
		protocol = strings.ToLower(options["tunnel"])
	}
	port, _ := strconv.Atoi(options["tunnel-port"])
	switch {
	case native:
		m = mode{plugin: "cilium-native", says: words.Quote("Cilium, native routing"), settings: plain()}
	case protocol == "geneve":
		m = mode{plugin: "cilium-geneve", says: words.Quote("Cilium, tunnel geneve"), settings: tunnel("geneve", portOr(port, genevePort), geneveOverhead, AsNode)}
	case protocol == "vxlan" || protocol == "":
		m = mode{plugin: "cilium-vxlan", says: words.Quote("Cilium, tunnel vxlan"), settings: tunnel("vxlan", portOr(port, ciliumVXLANPort), vxlanOverhead, AsNode)}
	default:
		m = mode{says: words.Quote(results.Printable("Cilium, tunnel " + protocol)), settings: undeclared()}
	}
	if outer := options["underlay-protocol"]; m.settings.Port != 0 {
		m.settings.Outer = map[string]Outer{"ipv4": OuterIPv4, "ipv6": OuterIPv6, "": AsNode, "auto": AsNode}[strings.ToLower(outer)]
		if port > 0 {
			m.adds(words.OnPort.With(m.settings.Port))
		}
	}
	if mtu, err := strconv.Atoi(options["mtu"]); err == nil && mtu > 0 {
		m.settings.MTU = mtu
	}
	m.ciliumFeatures(options, native)
	return m
}

// ciliumFeatures adds the options that change what pods' packets pass, or how they
// are encrypted.
func (m *mode) ciliumFeatures(options map[string]string, native bool) {
	if ipam := options["ipam"]; ipam == "eni" || ipam == "azure" || ipam == "alibabacloud" || ipam == "delegated-plugin" {
		m.adds(words.CloudAddresses.With(ipam))
	}
	if mode := strings.ToLower(options["datapath-mode"]); mode != "" && mode != "veth" {
		m.adds(words.Quote(results.Printable(mode)))
	}
	if on(options, "kube-proxy-replacement") {
		m.adds(words.ReplacesProxy)
	}
	switch {
	case on(options, "enable-wireguard") && native:
		m.adds(words.Quote("WireGuard"))
		m.plugin, m.settings = m.plugin+"-wireguard", tunnel("wireguard", ciliumWireGuardPort, wireGuardOverhead, AsNode)
	case on(options, "enable-wireguard"), on(options, "enable-ipsec"):
		by := "IPsec"
		if on(options, "enable-wireguard") {
			by = "WireGuard"
		}
		m.adds(words.Quote(by))
		m.plugin, m.settings = m.plugin+"-"+strings.ToLower(by), undeclared()
	}
}
