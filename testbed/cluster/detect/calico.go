package detect

import (
	"cmp"
	"context"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cnibench/cnibench/plugins"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// calicoMap holds Calico's backend (manifests/calico.yaml of Calico v3.28.5).
var calicoMap = at{"kube-system", "calico-config"}

// Annotations of Calico's agents (libcalico-go/lib/backend/k8s/resources/node.go of
// Calico v3.28.5).
const (
	calicoAddress  = "projectcalico.org/IPv4Address"
	calicoAddress6 = "projectcalico.org/IPv6Address"
	calicoIPIP     = "projectcalico.org/IPv4IPIPTunnelAddr"
	calicoVXLAN    = "projectcalico.org/IPv4VXLANTunnelAddr"
	calicoVXLAN6   = "projectcalico.org/IPv6VXLANTunnelAddr"
	calicoWGKey    = "projectcalico.org/WireguardPublicKey"
)

// pool is an IPPool of Calico.
type pool struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		CIDR           string   `json:"cidr"`
		IPIPMode       string   `json:"ipipMode"`
		VXLANMode      string   `json:"vxlanMode"`
		Disabled       bool     `json:"disabled"`
		NodeSelector   string   `json:"nodeSelector"`
		AllowedUses    []string `json:"allowedUses"`
		AssignmentMode string   `json:"assignmentMode"`
	} `json:"spec"`
}

// felix is the part of a FelixConfiguration that changes what is on the wire, or how
// packets are forwarded.
type felix struct {
	Spec struct {
		VXLANPort    int    `json:"vxlanPort"`
		VXLANVNI     int    `json:"vxlanVNI"`
		VXLANMTU     int    `json:"vxlanMTU"`
		WGPort       int    `json:"wireguardListeningPort"`
		WGEnabled    bool   `json:"wireguardEnabled"`
		BPFEnabled   bool   `json:"bpfEnabled"`
		NFTablesMode string `json:"nftablesMode"`
	} `json:"spec"`
}

// installation is the part of the operator's Installation that says which data plane
// and which CNI plugin run.
type installation struct {
	Spec struct {
		CNI struct {
			Type string `json:"type"`
		} `json:"cni"`
		Network struct {
			DataPlane string `json:"linuxDataplane"`
			MTU       int    `json:"mtu"`
			Pools     []struct {
				CIDR          string `json:"cidr"`
				Encapsulation string `json:"encapsulation"`
			} `json:"ipPools"`
		} `json:"calicoNetwork"`
	} `json:"spec"`
}

// readCalico reads Calico's pools, its Felix configuration and the operator's
// Installation.
func (s *state) readCalico(ctx context.Context, c *kube.Client) {
	for _, group := range calicoGroups {
		list, err := c.Dynamic.Resource(group.WithResource("ippools")).List(ctx, metav1.ListOptions{})
		if !s.may(err, readPools) {
			continue
		}
		s.poolsRead = true
		for _, item := range list.Items {
			var p pool
			if decode(item, &p) {
				s.pools = append(s.pools, p)
			}
		}
		object, err := c.Dynamic.Resource(group.WithResource("felixconfigurations")).Get(ctx, "default", metav1.GetOptions{})
		if s.may(err, readFelix) {
			decode(*object, &s.felix)
		}
		if len(s.pools) > 0 { // the second group serves the same objects
			break
		}
	}
	object, err := c.Dynamic.Resource(installations).Get(ctx, "default", metav1.GetOptions{})
	if s.may(err, readInstallations) {
		decode(*object, &s.installation)
	}
}

// mode returns the mode of a pool. The plugin is "" if the pool names no mode.
func (p pool) mode() mode { return calicoMode(p.Spec.IPIPMode, p.Spec.VXLANMode) }

// calicoMode returns the mode of a pool with these fields.
func calicoMode(ipip, vxlan string) mode {
	suffix := map[string]string{"always": "", "crosssubnet": "-crosssubnet"}
	m := mode{plugin: "calico-bgp", settings: plain()}
	if ipip == "" && vxlan == "" {
		return mode{settings: undeclared()}
	}
	if end, on := suffix[strings.ToLower(vxlan)]; on {
		m = mode{plugin: "calico-vxlan" + end, settings: &Settings{Encapsulation: plugins.IANAVXLAN, VNI: 4096}}
	} else if end, on := suffix[strings.ToLower(ipip)]; on {
		m = mode{plugin: "calico-ipip" + end, settings: &Settings{Encapsulation: plugins.IPIP}}
	}
	if strings.HasSuffix(m.plugin, "-crosssubnet") {
		m.settings.Encapsulation = m.settings.BetweenSubnets()
	}
	return m
}

// prefix returns a pool's range; it is invalid if the pool's is.
func (p pool) prefix() netip.Prefix {
	of, _ := netip.ParsePrefix(p.Spec.CIDR)
	return of
}

// forPods reports whether pods on one of the nodes get addresses from the pool
// without asking for it (reference/resources/ippool of Calico's documentation).
func (p pool) forPods(nodes []core.Node) bool {
	uses := p.Spec.AllowedUses
	if p.Spec.Disabled || p.Spec.AssignmentMode == "Manual" || len(uses) > 0 && !slices.Contains(uses, "Workload") {
		return false
	}
	return slices.ContainsFunc(nodes, func(n core.Node) bool { return selects(p.Spec.NodeSelector, n.Labels) })
}

// nobody is the selector of a pool that serves no node.
const nobody = "!all()"

var (
	equals = regexp.MustCompile(`^([\w./-]+)\s*(==|!=)\s*['"]([^'"]*)['"]$`)
	has    = regexp.MustCompile(`^(!?)\s*has\(([\w./-]+)\)$`)
)

// selects evaluates the selectors of Calico that compare labels, look for them, and
// join that by &&. Any other selector may select every node.
func selects(selector string, labels map[string]string) bool {
	for _, part := range strings.Split(selector, "&&") {
		if part = strings.TrimSpace(part); part == nobody {
			return false
		}
		if m := equals.FindStringSubmatch(part); m != nil && (labels[m[1]] == m[3]) != (m[2] == "==") {
			return false
		}
		if m := has.FindStringSubmatch(part); m != nil {
			if _, is := labels[m[2]]; is == (m[1] == "!") {
				return false
			}
		}
	}
	return true
}

// podPools returns the pools from which pods on the nodes get addresses: those of
// IPv4, or of IPv6 if there are no others.
func (s *state) podPools() []pool {
	var four, six []pool
	for _, p := range s.pools {
		switch {
		case !p.forPods(s.nodes):
		case strings.Contains(p.Spec.CIDR, ":"):
			six = append(six, p)
		default:
			four = append(four, p)
		}
	}
	if len(four) > 0 {
		return four
	}
	return six
}

// operatorPools returns the pools that the operator's Installation names, if the pools
// themselves cannot be read.
func (s *state) operatorPools() []pool {
	encapsulations := map[string][2]string{"IPIP": {"Always", "Never"}, "IPIPCrossSubnet": {"CrossSubnet", "Never"}, "VXLAN": {"Never", "Always"},
		"VXLANCrossSubnet": {"Never", "CrossSubnet"}, "None": {"Never", "Never"}}
	var all []pool
	for _, from := range s.installation.Spec.Network.Pools {
		if modes, known := encapsulations[from.Encapsulation]; known && !strings.Contains(from.CIDR, ":") {
			var p pool
			p.Metadata.Name, p.Spec.CIDR, p.Spec.IPIPMode, p.Spec.VXLANMode = from.CIDR, from.CIDR, modes[0], modes[1]
			all = append(all, p)
		}
	}
	return all
}

// readCalicoPlugin reads what speaks for Calico as the plugin that connects pods, or
// as an agent that only enforces policies.
func readCalicoPlugin(s *state) *candidate {
	c := &candidate{family: calico}
	set, runs := s.setOf(calico)
	if runs {
		c.add(running, set.text())
	}
	pools := s.podPools()
	switch {
	case len(pools) > 0:
		c.add(configuration, words.CalicoPools)
	case len(s.operatorPools()) > 0 && !s.poolsRead:
		pools = s.operatorPools()
		c.add(configuration, words.CalicoInstallation)
	case runs && !s.poolsRead:
		pools = s.poolByEnvironment(set)
	}
	nodes, annotated := calicoNodes(s.nodes)
	if annotated > 0 {
		c.add(annotation, words.NodeAnnotations)
	}
	if c.rank == none {
		return nil
	}
	c.policy = s.calicoForPolicy(set, runs, len(pools), annotated)
	c.mode = calicoPools(pools)
	switch {
	case len(pools) == 0 && len(nodes) == 1 && annotated == len(s.nodes):
		c.mode = calicoAnnotated(nodes[0])
	case len(pools) == 0 && annotated > 0:
		if annotated < len(s.nodes) {
			nodes = append(nodes, "nothing")
		}
		slices.Sort(nodes)
		c.mode = mode{says: words.SaysDifferentThings.With(words.ListNames(nodes)), settings: undeclared()}
	case len(nodes) == 1 && c.mode.plugin != "" && !explain(slices.Concat(s.pools, pools), nodes[0]):
		said := words.List(words.Clauses(words.EvidenceSays.With(words.ConfigurationOf.With(string(calico)), c.mode.plugin), words.EvidenceSays.With(words.NodeAnnotations, nodes[0])), words.EvidenceContradicts)
		c.mode = mode{says: said, settings: undeclared()}
	}
	s.calicoFeatures(&c.mode, set)
	return c
}

// poolByEnvironment returns the pool that the agent creates if there is none, as its
// environment says (reference/configure-calico-node of Calico's documentation). It is
// asked only if the pools themselves may not be read.
func (s *state) poolByEnvironment(set daemonSet) []pool {
	var p pool
	ipip, tunnels := s.env(set, "CALICO_IPV4POOL_IPIP")
	vxlan, encapsulates := s.env(set, "CALICO_IPV4POOL_VXLAN")
	if !tunnels && !encapsulates {
		return nil
	}
	p.Metadata.Name = "default-ipv4-ippool"
	p.Spec.CIDR, _ = s.env(set, "CALICO_IPV4POOL_CIDR")
	p.Spec.IPIPMode, p.Spec.VXLANMode = cmp.Or(ipip, "Never"), cmp.Or(vxlan, "Never")
	return []pool{p}
}

// felixFrom returns Felix's configuration: the agent's environment outweighs the
// FelixConfiguration (reference/felix/configuration of Calico's documentation), and
// nodes with a key for WireGuard have it switched on.
func (s *state) felixFrom(set daemonSet) felix {
	f := s.felix
	number := func(name string, to *int) {
		if text, is := s.env(set, name); is {
			if n, err := strconv.Atoi(text); err == nil {
				*to = n
			}
		}
	}
	yes := func(name string, to *bool) {
		if text, is := s.env(set, name); is {
			if b, err := strconv.ParseBool(text); err == nil {
				*to = b
			}
		}
	}
	number("FELIX_VXLANPORT", &f.Spec.VXLANPort)
	number("FELIX_VXLANVNI", &f.Spec.VXLANVNI)
	number("FELIX_VXLANMTU", &f.Spec.VXLANMTU)
	number("FELIX_WIREGUARDLISTENINGPORT", &f.Spec.WGPort)
	yes("FELIX_WIREGUARDENABLED", &f.Spec.WGEnabled)
	yes("FELIX_BPFENABLED", &f.Spec.BPFEnabled)
	if mode, is := s.env(set, "FELIX_NFTABLESMODE"); is {
		f.Spec.NFTablesMode = mode
	}
	f.Spec.WGEnabled = f.Spec.WGEnabled || annotated(s.nodes, calicoWGKey)
	return f
}

// calicoPools returns the mode that pools have in common.
func calicoPools(pools []pool) mode {
	var m mode
	var each []words.Text
	several := false
	for i, p := range pools {
		own := p.mode()
		if own.plugin == "" {
			return mode{says: words.PoolWithoutMode.With(results.Printable(p.Metadata.Name)), settings: undeclared()}
		}
		several = several || i > 0 && own.plugin != m.plugin
		m = own
		each = append(each, words.PoolIs.With(results.Printable(p.Metadata.Name), own.plugin))
	}
	if several {
		return mode{says: words.CalicoModes.With(words.List(each...)), settings: undeclared()}
	}
	return m
}

// calicoNodes returns the modes that Calico's annotations name, and how many nodes
// have any.
func calicoNodes(nodes []core.Node) (modes []string, annotated int) {
	for _, n := range nodes {
		a := n.Annotations
		if a[calicoAddress] == "" && a[calicoAddress6] == "" {
			continue
		}
		annotated++
		name := "calico-bgp"
		switch {
		case a[calicoVXLAN] != "" || a[calicoVXLAN6] != "":
			name = "calico-vxlan"
		case a[calicoIPIP] != "":
			name = "calico-ipip"
		}
		if !slices.Contains(modes, name) {
			modes = append(modes, name)
		}
	}
	return modes, annotated
}

// calicoAnnotated returns the mode that annotations name. They do not tell whether a
// tunnel is used between subnets only; if so, the wire disagrees with the name.
func calicoAnnotated(name string) mode {
	m := mode{plugin: name}
	switch name {
	case "calico-vxlan":
		m.settings = calicoMode("", "Always").settings
	case "calico-ipip":
		m.settings = calicoMode("Always", "").settings
	default:
		m.settings = plain()
	}
	return m
}

// explain reports whether one of the pools, also of those that are not for pods, makes
// Calico annotate nodes with this mode. Without a mode a pool may explain any.
func explain(pools []pool, annotated string) bool {
	return annotated == "calico-bgp" || slices.ContainsFunc(pools, func(p pool) bool {
		plugin := p.mode().plugin
		return plugin == "" || strings.HasPrefix(plugin, annotated)
	})
}

// calicoFeatures applies what Felix and the operator are configured for.
func (s *state) calicoFeatures(m *mode, set daemonSet) {
	f, dataPlane := s.felixFrom(set).Spec, s.installation.Spec.Network.DataPlane
	if m.settings == nil {
		return
	}
	if m.settings.Kind == "vxlan" {
		m.settings.Port, m.settings.VNI = portOr(f.VXLANPort, m.settings.Port), max(f.VXLANVNI, m.settings.VNI)
		m.settings.MTU = max(f.VXLANMTU, 0)
		if f.VXLANVNI > 0 {
			m.settings.VNI = f.VXLANVNI
		}
		if m.settings.Port != plugins.IANAVXLAN.Port {
			m.adds(words.OnPort.With(m.settings.Port))
		}
	}
	if mtu := s.installation.Spec.Network.MTU; mtu > 0 {
		m.settings.MTU = mtu
	}
	was := m.plugin
	if f.BPFEnabled || dataPlane == "BPF" {
		m.adds(words.Quote(strings.TrimSpace(was + " with eBPF")))
		m.plugin = "calico-ebpf"
	}
	if f.WGEnabled {
		m.adds(words.Quote(strings.TrimSpace(was + " with WireGuard")))
		m.plugin, m.settings = "calico-wireguard", tunnel("wireguard", portOr(f.WGPort, wireGuardPort), wireGuardOverhead, AsNode)
	}
	if dataPlane == "VPP" {
		m.plugin, m.settings = "calico-vpp", undeclared()
	}
	if strings.EqualFold(f.NFTablesMode, "Enabled") || dataPlane == "Nftables" {
		m.adds(words.Quote("nftables"))
	}
}

// calicoForPolicy reports whether Calico's agents only enforce policies, on a network
// of another plugin: they are told so, or there is no pool and they announce no
// address.
func (s *state) calicoForPolicy(set daemonSet, runs bool, pools, annotated int) bool {
	switch of := s.installation.Spec.CNI.Type; of {
	case "", "Calico":
	default: // AmazonVPC, AzureVNET, GKE: operator.tigera.io/v1, CNIPluginType
		return true
	}
	if backend, set := s.env(set, "CALICO_NETWORKING_BACKEND"); runs && set {
		return backend == "none" // node/pkg/lifecycle/startup of Calico v3.28.5
	}
	return runs && pools == 0 && annotated == 0
}
