package advice

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// allowed holds the variables that Kubespray v2.31 accepts (roles/network_plugin/*/defaults,
// inventory/sample/group_vars/k8s_cluster, and the checks in
// roles/kubernetes/preinstall and roles/network_plugin/calico).
var allowed = map[string]func(v any) bool{
	"kube_network_plugin":          oneOf("calico", "flannel", "custom_cni"),
	"flannel_backend_type":         oneOf("vxlan", "host-gw", "wireguard"),
	"flannel_vxlan_direct_routing": isBool,
	"calico_network_backend":       oneOf("vxlan", "bird", "none"),
	"calico_ipip_mode":             oneOf("Never", "Always", "CrossSubnet"),
	"calico_vxlan_mode":            oneOf("Never", "Always", "CrossSubnet"),
	"calico_mtu":                   between(576, 9216),
	"calico_pool_blocksize":        between(20, 32),
	"nat_outgoing":                 isBool,
	"kube_network_node_prefix":     between(8, 30),
	"kube_pods_subnet":             isNetwork,
	"kube_service_addresses":       isNetwork,
}

func oneOf(words ...string) func(any) bool {
	return func(v any) bool { s, ok := v.(string); return ok && slices.Contains(words, s) }
}

func isBool(v any) bool { _, ok := v.(bool); return ok }

func between(low, high float64) func(any) bool {
	return func(v any) bool { n, ok := v.(float64); return ok && n >= low && n <= high }
}

func isNetwork(v any) bool {
	s, _ := v.(string)
	p, err := netip.ParsePrefix(s)
	return err == nil && p == p.Masked()
}

// recommended returns advice that recommends this mode, whatever the needs.
func recommended(t *testing.T, m mode, n results.Needs) Recommendation {
	t.Helper()
	r := Recommend(n, factsOf("vpc", []shown{{m.Plugin, yes, 0, yes, yes, 0.9, false}}))
	if r.Plugin != m.Plugin {
		t.Fatalf("%s is not recommended: %s", m.Plugin, r.Summary)
	}
	return r
}

// TestKubespray parses the variables for every mode and checks that Kubespray accepts them.
func TestKubespray(t *testing.T) {
	for _, m := range modes() {
		if m.DebugOnly {
			continue
		}
		for name, n := range map[string]results.Needs{
			"no needs": {}, "70 nodes": {Nodes: 70}, "5000 nodes": {Nodes: 5000, Limits: results.Limits{VPCRoutes: 5000}},
			"own networks": {PodCIDR: netip.MustParsePrefix("10.0.0.0/12"), ServiceCIDR: netip.MustParsePrefix("10.96.0.0/16"), NodePrefix: 25, PodIPsReachable: true},
			"existing":     {ExistingCluster: true},
		} {
			if m.MaxNodes > 0 && n.Nodes > m.MaxNodes {
				continue
			}
			t.Run(m.Plugin+", "+name, func(t *testing.T) {
				r := recommended(t, m, n)
				var vars map[string]any
				if err := yaml.UnmarshalStrict([]byte(r.Kubespray), &vars); err != nil {
					t.Fatalf("%v:\n%s", err, r.Kubespray)
				}
				for name, value := range vars {
					if ok := allowed[name]; ok == nil || !ok(value) {
						t.Errorf("Kubespray does not accept %s: %v", name, value)
					}
				}
				fitTogether(t, vars, n)
			})
		}
	}
}

// fitTogether checks that the variables are consistent with each other.
func fitTogether(t *testing.T, vars map[string]any, n results.Needs) {
	t.Helper()
	family, _ := vars["kube_network_plugin"].(string)
	for name := range vars {
		if of, _, _ := strings.Cut(name, "_"); (of == "calico" || of == "flannel") && of != family {
			t.Errorf("%s is set for %s", name, family)
		}
	}
	ipip, vxlan := vars["calico_ipip_mode"], vars["calico_vxlan_mode"]
	if family == "calico" {
		if ipip != "Never" && vxlan != "Never" {
			t.Error("IP in IP and VXLAN exclude each other")
		}
		if ipip != "Never" && vars["calico_network_backend"] != "bird" {
			t.Error("IP in IP needs bird")
		}
		if vars["calico_mtu"] != nil {
			t.Errorf("the MTU is %v, which is the lab's", vars["calico_mtu"])
		}
	}
	if text, ok := vars["kube_pods_subnet"].(string); ok {
		cidr := netip.MustParsePrefix(text)
		prefix := int(vars["kube_network_node_prefix"].(float64))
		if room := 1 << (prefix - cidr.Bits()); room < n.Largest() {
			t.Errorf("%s in subnets of /%d has room for %d nodes, not %d", cidr, prefix, room, n.Largest())
		}
	}
}

// TestKubesprayModes checks that each mode gets the variables that define it.
func TestKubesprayModes(t *testing.T) {
	for plugin, want := range map[string]string{
		"flannel-vxlan":               "flannel_backend_type: vxlan",
		"flannel-vxlan-directrouting": "flannel_vxlan_direct_routing: true",
		"flannel-host-gw":             "flannel_backend_type: host-gw",
		"flannel-wireguard":           "flannel_backend_type: wireguard",
		"flannel-ipip":                "kube_network_plugin: custom_cni",
		"calico-bgp":                  "calico_network_backend: bird",
		"calico-ipip":                 "calico_ipip_mode: Always",
		"calico-ipip-crosssubnet":     "calico_ipip_mode: CrossSubnet",
		"calico-vxlan":                "calico_vxlan_mode: Always",
		"calico-vxlan-crosssubnet":    "calico_vxlan_mode: CrossSubnet",
		"terway-eniip":                "kube_network_plugin: custom_cni",
	} {
		t.Run(plugin, func(t *testing.T) {
			if got := recommended(t, modeOf(plugin), results.Needs{}).Kubespray; !strings.Contains(got, want+"\n") {
				t.Errorf("no %s in\n%s", want, got)
			}
		})
	}
}

// TestClustersOwnPort has the firewall and flannel's configuration name the port of the
// cluster that was measured.
func TestClustersOwnPort(t *testing.T) {
	for _, tt := range []struct {
		name string
		of   *results.Configured
		port int
	}{
		{"the documented one", nil, 8472},
		{"the cluster's", &results.Configured{Encapsulation: "vxlan", Port: 4789, OverheadBytes: 50}, 4789},
		{"of another encapsulation", &results.Configured{Encapsulation: "wireguard", Port: 51821, OverheadBytes: 60}, 8472},
		{"unknown", &results.Configured{Encapsulation: "unknown"}, 8472},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := factsOf("l2", only(onL2, "flannel-vxlan"))
			f.Plugins[0].Configured = tt.of
			r := Recommend(results.Needs{PodCIDR: netip.MustParsePrefix("10.244.0.0/16")}, f)
			if len(r.Firewall) != 1 || r.Firewall[0].Port != tt.port {
				t.Errorf("firewall %+v", r.Firewall)
			}
			if len(r.Configuration) != 1 || !strings.Contains(r.Configuration[0].Text, fmt.Sprintf(`"Port": %d`, tt.port)) {
				t.Errorf("configuration %+v", r.Configuration)
			}
		})
	}
}

// TestConfiguration parses the plugins' own configuration files.
func TestConfiguration(t *testing.T) {
	n := results.Needs{PodCIDR: netip.MustParsePrefix("10.0.0.0/12"), Nodes: 150}
	var conf map[string]any
	r := recommended(t, modeOf("flannel-vxlan-directrouting"), n)
	if err := json.Unmarshal([]byte(r.Configuration[0].Text), &conf); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"Network": "10.0.0.0/12", "SubnetLen": 24.0, "Backend": map[string]any{"Type": "vxlan", "Port": 8472.0, "DirectRouting": true}}
	if !reflect.DeepEqual(conf, want) {
		t.Errorf("%v", conf)
	}
	r = recommended(t, modeOf("calico-ipip"), n)
	kinds := map[string]map[string]any{}
	for _, text := range strings.Split(r.Configuration[0].Text, "---\n") {
		var resource struct {
			APIVersion, Kind string
			Spec             map[string]any
		}
		if err := yaml.Unmarshal([]byte(text), &resource); err != nil || resource.APIVersion != "projectcalico.org/v3" {
			t.Fatalf("%v in\n%s", err, text)
		}
		kinds[resource.Kind] = resource.Spec
	}
	if kinds["IPPool"]["ipipMode"] != "Always" || kinds["IPPool"]["cidr"] != "10.0.0.0/12" || kinds["FelixConfiguration"] != nil ||
		kinds["BGPConfiguration"]["nodeToNodeMeshEnabled"] != false {
		t.Errorf("%s", fmt.Sprint(kinds))
	}
}

// TestMTU checks that an MTU is written only if it was measured on a cluster and is that of the path,
// and that otherwise the reason is given.
func TestMTU(t *testing.T) {
	found := func(name string) []Finding { return []Finding{{name, words.Quote("what a probe says")}} }
	for _, c := range []struct {
		name, plugin, testbed string
		path, overhead        int
		findings              []Finding
		want                  int
		says                  string
	}{
		{"a lab", "calico-vxlan", "lab", 1450, 50, nil, 0, "did not measure this cluster's path"},
		{"a lab of jumbo frames", "calico-ipip", "lab", 8980, 20, nil, 0, "did not measure this cluster's path"},
		{"a cluster", "calico-vxlan", "cluster", 1450, 50, nil, 1450, ""},
		{"a cluster of jumbo frames", "calico-ipip", "cluster", 8980, 20, nil, 8980, ""},
		{"a cluster without the probe", "calico-bgp", "cluster", 0, 0, nil, 0, "did not measure this cluster's path"},
		{"pods send more than passes", "calico-vxlan", "cluster", 1450, 50, found("pod-mtu-too-large"), 1450, ""},
		{"pods send less than would pass", "calico-vxlan", "cluster", 1450, 50, found("pod-mtu-too-small"), 0, "more would fit"},
		{"the underlay fragments", "calico-vxlan", "cluster", 1500, 50, found("underlay-fragments"), 0, "cut packets up"},
		{"one subnet of several", "calico-vxlan-crosssubnet", "cluster", 1500, 0, nil, 0, "between subnets less fits"},
		{"between subnets", "calico-vxlan-crosssubnet", "cluster", 1450, 50, nil, 1450, ""},
		{"flannel in a lab", "flannel-vxlan", "lab", 1450, 50, nil, 0, "did not measure this cluster's path"},
		{"flannel on a cluster", "flannel-vxlan", "cluster", 1410, 50, nil, 0, "that passed on this cluster has 1410 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := factsOf("vpc", []shown{{c.plugin, yes, c.overhead, yes, yes, 0.9, false}})
			f.Testbed, f.Plugins[0].PathMTU, f.Plugins[0].Findings = c.testbed, c.path, c.findings
			r := Recommend(results.Needs{}, f)
			text := r.Kubespray + r.Configuration[0].Text
			var vars map[string]any
			if err := yaml.Unmarshal([]byte(r.Kubespray), &vars); err != nil {
				t.Fatal(err)
			}
			if got, _ := vars["calico_mtu"].(float64); int(got) != c.want {
				t.Errorf("calico_mtu is %v, want %d", vars["calico_mtu"], c.want)
			}
			tunnel := strings.Contains(c.plugin, "calico-vxlan") || c.plugin == "calico-ipip"
			if felix := strings.Contains(text, fmt.Sprintf("MTU: %d\n", c.want)); tunnel && felix != (c.want > 0) {
				t.Errorf("Felix's MTU in\n%s", text)
			}
			if !strings.Contains(text, c.says) {
				t.Errorf("%q is not in\n%s", c.says, text)
			}
			if c.testbed == "lab" && strings.Contains(text, fmt.Sprint(c.path)) {
				t.Errorf("the lab's %d is in\n%s", c.path, text)
			}
		})
	}
}
