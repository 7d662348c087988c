package detect

import (
	"encoding/json"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// flannelMaps are the ConfigMaps of flannel and Canal: Documentation/kube-flannel.yml
// of flannel v0.28.10 (before release 0.19 in kube-system), manifests/canal.yaml of
// Calico v3.28.5, and charts/rke2-canal of rancher/rke2-charts.
var flannelMaps = []at{{"kube-flannel", "kube-flannel-cfg"}, {"kube-system", "kube-flannel-cfg"},
	{"kube-system", "canal-config"}, {"kube-system", "rke2-canal-config"}}

// netConfKey is the key of flannel's network configuration in its ConfigMaps.
const netConfKey = "net-conf.json"

// flannelSuffix ends the key of the annotation that names flannel's backend. What is
// before it is the prefix, which --kube-annotation-prefix sets
// (pkg/subnet/kube/annotations.go of flannel v0.28.10).
const flannelSuffix = "backend-type"

// flannelBackend is a backend of flannel.
type flannelBackend struct {
	plugin string
	wire   plugins.Encapsulation
	// direct says that DirectRouting is an option of the backend.
	direct bool
}

// flannelBackends are the types in Documentation/backends.md of flannel v0.28.10.
// alloc, which leaves the routes to the cloud, is that of Alibaba Cloud's ACK.
var flannelBackends = map[string]flannelBackend{
	"vxlan":     {"flannel-vxlan", plugins.FlannelVXLAN, true},
	"host-gw":   {"flannel-host-gw", plugins.None, false},
	"udp":       {"flannel-udp", plugins.FlannelUDP, false},
	"ipip":      {"flannel-ipip", plugins.IPIP, true},
	"wireguard": {"flannel-wireguard", plugins.WireGuard, false},
	"alloc":     {"vpc-route", plugins.None, false},
}

// netConf is flannel's network configuration. Go's decoder takes keys in any letter
// case, as flanneld does.
type netConf struct {
	Backend *struct {
		Type          string
		DirectRouting bool
		Port, VNI     int
		MTU           int
		ListenPort    int
		Mode          string
	}
}

// flannelMode reads flannel's network configuration. ok is false if flanneld would
// refuse it. kind is the backend's type.
func flannelMode(text string) (m mode, kind string, ok bool) {
	var conf netConf
	if err := json.Unmarshal([]byte(text), &conf); err != nil {
		return m, "", false
	}
	if conf.Backend == nil {
		return flannelType("udp"), "udp", true // parseBackendType in pkg/subnet/config.go
	}
	b := conf.Backend
	kind = strings.ToLower(b.Type) // as GetBackend does in pkg/backend/manager.go
	m = flannelType(kind)
	known, is := flannelBackends[kind]
	if !is {
		return m, kind, true
	}
	m.settings.MTU, m.settings.VNI = max(b.MTU, 0), 0
	switch {
	case kind == "wireguard":
		m.settings.Port = portOr(b.ListenPort, m.settings.Port)
		m.settings.Outer = map[string]Outer{"ipv4": OuterIPv4, "ipv6": OuterIPv6, "auto": AsNode}[strings.ToLower(b.Mode)]
	case known.wire.Port != 0:
		m.settings.Port = portOr(b.Port, m.settings.Port)
	}
	if kind == "vxlan" {
		m.settings.VNI = 1 // defaultVNI in pkg/backend/vxlan/vxlan.go
		if b.VNI > 0 {
			m.settings.VNI = b.VNI
		}
	}
	if b.DirectRouting && known.direct {
		m.plugin += "-directrouting"
		m.settings.Encapsulation = m.settings.BetweenSubnets()
	}
	if m.settings.Port != known.wire.Port {
		m.says = words.OnPort.With(m.settings.Port)
	}
	return m, kind, true
}

// portOr returns a configured port, or the default if none is configured or it is
// no port.
func portOr(configured, otherwise int) int {
	if configured > 0 && configured < 1<<16 {
		return configured
	}
	return otherwise
}

// flannelType returns the mode of a backend with its defaults. A type that is not
// among the backends is named as it is.
func flannelType(kind string) mode {
	if b, known := flannelBackends[kind]; known {
		return mode{plugin: b.plugin, settings: &Settings{Encapsulation: b.wire}}
	}
	switch {
	case kind == "":
		return mode{says: words.NoBackend}
	case kind == "extension":
		return mode{plugin: "flannel-extension", says: words.FlannelExtension, settings: undeclared()}
	}
	return mode{plugin: slug("flannel-" + kind), settings: undeclared()}
}

// flannelAnnotation returns the backend that a node's annotations name, in lower
// case, with the prefix of the annotations. found is false if flannel has left none.
func flannelAnnotation(n core.Node) (kind, prefix string, found bool) {
	for _, key := range sortedKeys(n.Annotations) {
		prefix, is := strings.CutSuffix(key, flannelSuffix)
		if !is || !strings.HasSuffix(prefix, "/") && !strings.HasSuffix(prefix, "-") || strings.Count(prefix, "/") != 1 {
			continue
		}
		_, v4 := n.Annotations[prefix+"public-ip"]
		_, v6 := n.Annotations[prefix+"public-ipv6"]
		_, managed := n.Annotations[prefix+"kube-subnet-manager"]
		if v4 || v6 || managed || prefix == "flannel.alpha.coreos.com/" {
			return strings.ToLower(n.Annotations[key]), prefix, true
		}
	}
	return "", "", false
}

// readFlannel reads flannel's agents, ConfigMaps and annotations.
func readFlannel(s *state) *candidate {
	c := &candidate{family: flannel}
	set, runs := s.setOf(flannel)
	if runs {
		c.add(running, set.text())
	}
	canal := runs && isCanal(set)
	var kinds []string // that the configuration names
	var damaged []at
	configured := s.flannelMaps()
	for _, place := range configured {
		c.add(configuration, place.configMap())
		canal = canal || strings.HasSuffix(place.name, "canal-config")
		m, kind, ok := flannelMode(s.maps[place][netConfKey])
		switch {
		case !ok:
			damaged = append(damaged, place)
		case len(kinds) == 0:
			c.mode, kinds = m, []string{kind}
		case c.mode.plugin != m.plugin:
			kinds = append(kinds, kind)
		case m.settings != nil && c.mode.settings != nil && m.settings.Port != c.mode.settings.Port:
			// Two flannels: which of them carries the packets, only the wire tells.
			c.mode.says = words.List(words.OnPort.With(c.mode.settings.Port), words.OnPort.With(m.settings.Port))
			c.mode.settings = undeclared()
		}
	}
	seen, nodes := flannelNodes(s.nodes)
	if nodes > 0 {
		c.add(annotation, words.NodeAnnotations)
	}
	if c.rank == none {
		return nil
	}
	if canal {
		c.notes = append(c.notes, words.CalicoForPolicy)
	}
	for _, place := range damaged {
		c.notes = append(c.notes, words.Damaged.With(place.configMap()))
	}
	c.settleFlannel(kinds, seen, nodes > 0 && nodes < len(s.nodes) && !runs)
	return c
}

// flannelMaps returns the ConfigMaps of flannel that count: those beside its agents or
// mounted by them, or else all.
func (s *state) flannelMaps() []at {
	var all []at
	for _, d := range s.sets {
		a, known := agentOf(d)
		if !known || a.family != flannel {
			continue
		}
		for _, place := range append([]at{{d.Metadata.Namespace, a.config}}, d.mounted()...) {
			if _, there := s.maps[place][netConfKey]; there && !slices.Contains(all, place) {
				all = append(all, place)
			}
		}
	}
	if len(all) > 0 {
		return all
	}
	for _, place := range flannelMaps {
		if _, there := s.maps[place]; there {
			all = append(all, place)
		}
	}
	return all
}

// flannelNodes returns the backends that annotations name, and how many nodes have
// such annotations.
func flannelNodes(nodes []core.Node) (kinds []string, annotated int) {
	for _, n := range nodes {
		kind, _, found := flannelAnnotation(n)
		if !found {
			continue
		}
		annotated++
		if kind != "" && !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds, annotated
}

// settleFlannel decides on the mode: that of the configuration, if the nodes do not
// contradict it, or else that of the nodes. partly says that only some nodes have
// annotations, although no agent is seen to run.
func (c *candidate) settleFlannel(configured, nodes []string, partly bool) {
	switch {
	case len(configured) == 0 && len(nodes) == 1 && !partly:
		c.mode = flannelType(nodes[0])
	case len(nodes) > 1 || len(configured) > 1 || len(configured) == 0 && partly:
		all := slices.Concat(configured, nodes)
		for i, kind := range all {
			all[i] = nameOf(flannelType(kind).plugin, kind)
		}
		if partly && len(configured) == 0 {
			all = append(all, "nothing")
		}
		slices.Sort(all)
		c.mode = mode{says: words.SaysDifferentThings.With(words.ListNames(slices.Compact(all))), settings: undeclared()}
	case len(configured) == 0:
		c.mode = mode{says: words.NothingReadable, settings: undeclared()}
	case len(nodes) == 1 && nodes[0] != configured[0]:
		said := words.List(words.Clauses(words.EvidenceSays.With(words.ConfigurationOf.With(flannel), nameOf(c.mode.plugin, configured[0])),
			words.EvidenceSays.With(words.NodeAnnotations, nameOf(flannelType(nodes[0]).plugin, nodes[0]))), words.EvidenceContradicts)
		c.mode = mode{says: said, settings: undeclared()}
	}
}

// nameOf returns a plugin's name or, if it has none, what it is called otherwise.
func nameOf(plugin, otherwise string) string {
	if plugin != "" {
		return plugin
	}
	return results.Printable(otherwise)
}
