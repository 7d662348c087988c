package detect

import (
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// antreaMap holds Antrea's configuration (build/yamls/antrea.yml).
var antreaMap = at{"kube-system", "antrea-config"}

// antreaConf is the part of antrea-agent.conf that says how packets travel
// (pkg/config/agent/config.go of Antrea v1.13).
type antreaConf struct {
	EncapMode      string `json:"trafficEncapMode"`
	EncryptionMode string `json:"trafficEncryptionMode"`
	TunnelType     string `json:"tunnelType"`
	TunnelPort     int    `json:"tunnelPort"`
	IPSec          bool   `json:"enableIPSecTunnel"` // before trafficEncryptionMode
	MTU            int    `json:"defaultMTU"`
	WireGuard      struct {
		Port int `json:"port"`
	} `json:"wireGuard"`
}

// readAntrea reads Antrea's agents, configuration and annotations.
func readAntrea(s *state) *candidate {
	c := &candidate{family: antrea, mode: mode{plugin: "antrea", settings: undeclared()}}
	places := []at{antreaMap}
	if set, runs := s.setOf(antrea); runs {
		c.add(running, set.text())
		places = append(set.mounted(), places...)
	}
	for _, place := range places {
		if text, there := s.maps[place]["antrea-agent.conf"]; there {
			c.add(configuration, place.configMap())
			c.mode, c.policy = antreaMode(text)
			break
		}
	}
	if annotated(s.nodes, "node.antrea.io/") {
		c.add(annotation, words.NodeAnnotations)
	}
	if c.rank == none {
		return nil
	}
	return c
}

// antreaMode reads antrea-agent.conf. policy says that Antrea only enforces policies.
func antreaMode(text string) (m mode, policy bool) {
	var conf antreaConf
	if err := yaml.Unmarshal([]byte(text), &conf); err != nil {
		return mode{says: words.DamagedKey.With("antrea-agent.conf"), settings: undeclared()}, false
	}
	encap := strings.ToLower(conf.EncapMode)
	switch kind := strings.ToLower(conf.TunnelType); {
	case encap == "noencap":
		m = mode{plugin: "antrea-noencap", says: words.NoEncapsulation, settings: plain()}
	case kind == "" || kind == "geneve":
		m = mode{plugin: "antrea-geneve", settings: tunnel("geneve", portOr(conf.TunnelPort, genevePort), geneveOverhead, AsNode)}
	case kind == "vxlan":
		m = mode{plugin: "antrea-vxlan", settings: tunnel("vxlan", portOr(conf.TunnelPort, plugins.IANAVXLAN.Port), vxlanOverhead, AsNode)}
	default:
		m = mode{plugin: slug("antrea-" + kind), settings: undeclared()}
	}
	if encap == "hybrid" {
		m.plugin += "-hybrid"
		m.settings.Encapsulation = m.settings.BetweenSubnets()
	}
	m.settings.MTU = max(conf.MTU, 0)
	if conf.TunnelPort > 0 && m.settings.Port == conf.TunnelPort {
		m.adds(words.OnPort.With(m.settings.Port))
	}
	switch encryption := strings.ToLower(conf.EncryptionMode); {
	case encryption == "wireguard":
		m = mode{plugin: "antrea-wireguard", settings: tunnel("wireguard", portOr(conf.WireGuard.Port, wireGuardPort), wireGuardOverhead, AsNode)}
	case encryption == "ipsec" || conf.IPSec:
		m = mode{plugin: "antrea-ipsec", settings: undeclared()}
	}
	return m, encap == "networkpolicyonly"
}

// readKubeRouter reads kube-router's agents, which have their options on the command
// line.
func readKubeRouter(s *state) *candidate {
	set, runs := s.setOf(kubeRouter)
	if !runs {
		return nil
	}
	c := &candidate{family: kubeRouter}
	c.add(running, set.text())
	options := set.commandLine()
	c.mode = kubeRouterMode(options)
	router, said := option(options, "run-router")
	c.policy, c.routes = said && router == "false", said && router != "false"
	proxy, _ := option(options, "run-service-proxy")
	c.proxy = proxy == "true"
	return c
}

// kubeRouterMode reads kube-router's options (docs/user-guide.md and docs/tunnels.md
// of kube-router v2.1): by default it makes IP in IP tunnels between subnets.
func kubeRouterMode(options []string) mode {
	m := mode{plugin: "kube-router", settings: undeclared()}
	if len(options) == 0 {
		return m
	}
	overlay, _ := option(options, "enable-overlay")
	kind, _ := option(options, "overlay-type")
	encap, _ := option(options, "overlay-encap")
	switch {
	case overlay == "false":
		m.settings = plain()
		m.says = words.NoEncapsulation
	case encap != "" && encap != "ipip":
		m.says = words.Quote(results.Printable(encap))
	case kind == "full":
		m.settings = &Settings{Encapsulation: plugins.IPIP}
		m.says = words.Quote("IP in IP")
	default:
		m.settings = &Settings{Encapsulation: plugins.IPIP.BetweenSubnets()}
		m.says = words.BetweenSubnetsOnly.With("IP in IP")
	}
	return m
}

// option returns the value of a long option on a command line, which one or two dashes
// begin and whose value may be the next argument; one without a value is true.
func option(options []string, name string) (value string, said bool) {
	for i, o := range options {
		rest, is := strings.CutPrefix(strings.TrimPrefix(strings.TrimPrefix(o, "-"), "-"), name)
		if !is || !strings.HasPrefix(o, "-") {
			continue
		}
		if rest == "" && i+1 < len(options) && !strings.HasPrefix(options[i+1], "-") {
			return options[i+1], true
		}
		if rest == "" {
			return "true", true
		}
		if value, is := strings.CutPrefix(rest, "="); is {
			if b, err := strconv.ParseBool(value); err == nil {
				value = strconv.FormatBool(b)
			}
			return value, true
		}
	}
	return "", false
}

// readKubeOVN and readOVN read the agents of two plugins on Open Virtual Network,
// and the annotations that they leave (pkg/util/const.go of Kube-OVN,
// go-controller/pkg/util/node_annotations.go of OVN-Kubernetes).
func readKubeOVN(s *state) *candidate {
	return s.readAnnotated(kubeOVN, "kube-ovn", "ovn.kubernetes.io/")
}
func readOVN(s *state) *candidate { return s.readAnnotated(ovn, "ovn-kubernetes", "k8s.ovn.org/") }

// readAnnotated reads the agents of a plugin without modes, and its annotations.
func (s *state) readAnnotated(f family, plugin, prefix string) *candidate {
	c := &candidate{family: f, mode: mode{plugin: plugin, says: besides(plugin, f), settings: undeclared()}}
	if set, runs := s.setOf(f); runs {
		c.add(running, set.text())
	}
	if annotated(s.nodes, prefix) {
		c.add(annotation, words.NodeAnnotations)
	}
	if c.rank == none {
		return nil
	}
	return c
}

// replacesProxy returns the name of the plugin that carries Services instead of
// kube-proxy, or "" if none is known to. kube-proxy's own agents settle it.
func (s *state) replacesProxy(connect []*candidate) string {
	if s.runsProxy() {
		return ""
	}
	i := slices.IndexFunc(connect, func(c *candidate) bool { return c.proxy })
	switch {
	case i >= 0 && connect[i].family == kubeRouter:
		return "kube-router"
	case i >= 0:
		return "cilium"
	case s.setsRead && s.bpfCalico():
		return "calico-ebpf"
	}
	return ""
}

// bpfCalico reports whether Calico's agents run with the eBPF data plane, which
// carries Services too.
func (s *state) bpfCalico() bool {
	set, _ := s.setOf(calico)
	return s.felixFrom(set).Spec.BPFEnabled
}
