package advice

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Needs that test cases start from.
var (
	policy     = results.Needs{NetworkPolicy: true}
	reachable  = results.Needs{PodIPsReachable: true}
	noOverlay  = results.Needs{NoOverlay: true}
	encryption = results.Needs{Encryption: true}
)

func in(cloud string, n results.Needs) results.Needs {
	n.Cloud = cloud
	return n
}

func with(change func(*results.Needs)) results.Needs {
	var n results.Needs
	change(&n)
	return n
}

func nodes(now int) results.Needs { return results.Needs{Nodes: now} }

// TestRecommendation checks that the winner follows from the needs and the facts. Neighbouring cases
// differ in the one thing that decides.
func TestRecommendation(t *testing.T) {
	for _, c := range []struct {
		name  string
		on    string
		needs results.Needs
		run   []shown // nil for everything
		want  string  // "" if nothing fits
	}{
		{"l2 without needs takes the fastest, which does not encapsulate", "l2", results.Needs{}, nil, "flannel-host-gw"},
		{"l2 of one's own", "l2", in("none", results.Needs{}), nil, "flannel-host-gw"},
		{"l2 for sure", "l2", results.Needs{L2: results.Yes}, nil, "flannel-host-gw"},
		{"l2 that is not known", "l2", results.Needs{L2: results.Unknown}, nil, "flannel-host-gw"},
		{"l2 in the lab but not in the cluster", "l2", results.Needs{L2: results.No}, nil, "flannel-vxlan-directrouting"},
		{"l2 in the lab, a cloud for the cluster", "l2", in("aws", results.Needs{}), nil, "flannel-vxlan"},
		{"l2 with policy", "l2", policy, nil, "calico-bgp"},
		{"l2 with policy, no l2 in the cluster", "l2", with(func(n *results.Needs) { n.NetworkPolicy, n.L2 = true, results.No }), nil, "calico-vxlan-crosssubnet"},
		{"l2 with policy in a cloud", "l2", in("alibaba", policy), nil, "calico-vxlan"},
		{"l2 with encryption", "l2", encryption, nil, "flannel-wireguard"},
		{"l2 with encryption and policy", "l2", with(func(n *results.Needs) { n.NetworkPolicy, n.Encryption = true, true }), nil, ""},
		{"l2 with encryption and no overlay", "l2", with(func(n *results.Needs) { n.NoOverlay, n.Encryption = true, true }), nil, ""},
		{"l2 without overlay", "l2", noOverlay, nil, "flannel-host-gw"},
		{"l2 without overlay, with policy", "l2", with(func(n *results.Needs) { n.NoOverlay, n.NetworkPolicy = true, true }), nil, "calico-bgp"},
		{"l2 with reachable pods", "l2", reachable, nil, ""},
		{"l2 with reachable pods that a plugin has", "l2", reachable, but(onL2, "calico-bgp", func(s *shown) { s.reach = yes }), "calico-bgp"},
		{"l2 when host-gw fails", "l2", results.Needs{}, but(onL2, "flannel-host-gw", func(s *shown) { s.works = no }), "flannel-vxlan-directrouting"},
		{"l2 when host-gw did not come up here", "l2", results.Needs{}, but(onL2, "flannel-host-gw", func(s *shown) { s.works = "" }), "flannel-vxlan-directrouting"},
		{"l2 when host-gw was not in the run", "l2", results.Needs{}, without(onL2, "flannel-host-gw"), "flannel-vxlan-directrouting"},
		{"l2 with overlays alone", "l2", results.Needs{}, only(onL2, "flannel-vxlan", "calico-vxlan"), "flannel-vxlan"},
		{"l2 with overlays alone and policy", "l2", policy, only(onL2, "flannel-vxlan", "calico-vxlan"), "calico-vxlan"},
		{"l2 with flannel alone and policy", "l2", policy, only(onL2, "flannel-vxlan", "flannel-host-gw", "flannel-udp"), ""},
		{"udp is for debugging, even alone", "l2", results.Needs{}, only(onL2, "flannel-udp"), ""},
		{"udp is for debugging, even if it were the fastest", "l2", results.Needs{}, but(onL2, "flannel-udp", func(s *shown) { s.speed = 2 }), "flannel-host-gw"},
		{"what this kernel lacks is not recommended, even alone", "l2", results.Needs{}, only(onL2, "flannel-ipip"), ""},
		{"an empty run", "l2", results.Needs{}, []shown{}, ""},
		{"policy that was not measured does not count", "l2", policy, but(only(onL2, "calico-bgp"), "calico-bgp", func(s *shown) { s.policy = "" }), ""},
		{"policy of another plugin that was", "l2", policy, but(onL2, "calico-bgp", func(s *shown) { s.policy = "" }), "calico-vxlan-crosssubnet"},
		{"a wire that nobody saw is no proof against overlays", "l2", noOverlay, but(onL2, "flannel-host-gw", func(s *shown) { s.overhead = -1 }), "flannel-vxlan-directrouting"},
		{"a wire that nobody saw without that need", "l2", results.Needs{}, but(onL2, "flannel-host-gw", func(s *shown) { s.overhead = -1 }), "flannel-host-gw"},
		{"encryption that nobody saw", "l2", encryption, but(onL2, "flannel-wireguard", func(s *shown) { s.overhead = -1 }), ""},
		{"reachability that was not measured", "l2", reachable, but(onL2, "calico-bgp", func(s *shown) { s.reach = "" }), ""},
		{"reachability of some pods only", "l2", reachable, but(onL2, "calico-bgp", func(s *shown) { s.reach = partly }), ""},
		{"equals: fewer bytes", "l2", results.Needs{}, but(only(onL2, "flannel-vxlan", "calico-bgp"), "calico-bgp", func(s *shown) { s.speed = 0.80 }), "calico-bgp"},
		{"equals: fewer moving parts", "l2", results.Needs{}, but(only(onL2, "flannel-host-gw", "calico-bgp"), "calico-bgp", func(s *shown) { s.speed = 0.95 }), "flannel-host-gw"},
		{"equals: own agents before a data path", "vpc", results.Needs{}, but(only(onVPC, "flannel-vxlan", "cce-tunnel"), "cce-tunnel", func(s *shown) { s.speed = 0.80 }), "flannel-vxlan"},
		{"equals: by name", "l2", results.Needs{}, but(only(onL2, "flannel-host-gw", "flannel-vxlan-directrouting"), "flannel-vxlan-directrouting", func(s *shown) { s.speed = 0.95 }), "flannel-host-gw"},
		{"speed outweighs moving parts", "l2", results.Needs{}, but(only(onL2, "flannel-host-gw", "calico-bgp"), "calico-bgp", func(s *shown) { s.speed = 0.99 }), "calico-bgp"},
		{"a speed that is not known does not win", "l2", results.Needs{}, but(only(onL2, "flannel-host-gw", "calico-bgp", "flannel-vxlan"), "flannel-host-gw", func(s *shown) { s.speed = 0 }), "calico-bgp"},
		{"no speeds at all", "l2", results.Needs{}, but(but(only(onL2, "flannel-vxlan", "calico-bgp"), "flannel-vxlan", func(s *shown) { s.speed = 0 }), "calico-bgp", func(s *shown) { s.speed = 0 }), "calico-bgp"},
		{"routed without needs takes an overlay", "routed", results.Needs{}, nil, "flannel-vxlan"},
		{"routed with policy", "routed", policy, nil, "calico-vxlan"},
		{"routed with policy, crosssubnet alone", "routed", policy, only(onRouted, "flannel-vxlan", "calico-vxlan-crosssubnet"), "calico-vxlan-crosssubnet"},
		{"routed without overlay", "routed", noOverlay, nil, ""},
		{"routed with encryption", "routed", encryption, nil, "flannel-wireguard"},
		{"routed with reachable pods", "routed", reachable, nil, ""},
		{"routed where routers peer, without overlay", "routed", noOverlay, but(onRouted, "calico-bgp", func(s *shown) { *s = shown{"calico-bgp", yes, 0, yes, yes, 0.9, false} }), "calico-bgp"},
		{"routed in a cloud trusts no subnet", "routed", in("aws", policy), but(onRouted, "calico-vxlan-crosssubnet", func(s *shown) { s.speed = 0.9 }), "calico-vxlan"},
		{"routed of one's own trusts it", "routed", in("none", policy), but(onRouted, "calico-vxlan-crosssubnet", func(s *shown) { s.speed = 0.9 }), "calico-vxlan-crosssubnet"},
		{"vpc of a cloud that is not known", "vpc", results.Needs{}, nil, "terway-eni"},
		{"vpc of Alibaba with reachable pods", "vpc", in("alibaba", reachable), nil, "terway-eni"},
		{"vpc of AWS with reachable pods", "vpc", in("aws", reachable), without(onVPC, "vpc-route"), "aws-vpc-cni"},
		{"vpc of AWS, a route a node is faster", "vpc", in("aws", reachable), nil, "vpc-route"},
		{"vpc of Huawei with reachable pods", "vpc", in("huawei", reachable), nil, "vpc-route"},
		{"vpc of Azure with reachable pods", "vpc", in("azure", reachable), nil, "vpc-route"},
		{"vpc that is no cloud's, with reachable pods", "vpc", in("none", reachable), nil, ""},
		{"vpc that is no cloud's", "vpc", in("none", results.Needs{}), nil, "flannel-vxlan"},
		{"vpc with policy", "vpc", policy, nil, "calico-vxlan"},
		{"vpc of Huawei with policy, the tunnel network faster", "vpc", in("huawei", policy), but(onVPC, "cce-tunnel", func(s *shown) { s.speed = 0.9 }), "cce-tunnel"},
		{"the same in AWS", "vpc", in("aws", policy), but(onVPC, "cce-tunnel", func(s *shown) { s.speed = 0.9 }), "calico-vxlan"},
		{"vpc with policy and reachable pods", "vpc", with(func(n *results.Needs) { n.NetworkPolicy, n.PodIPsReachable = true, true }), nil, ""},
		{"vpc with policy and reachable pods, which one has", "vpc", with(func(n *results.Needs) { n.NetworkPolicy, n.PodIPsReachable = true, true }), but(onVPC, "terway-eniip", func(s *shown) { s.policy = yes }), "terway-eniip"},
		{"vpc with encryption", "vpc", encryption, nil, "flannel-wireguard"},
		{"vpc without overlay", "vpc", in("alibaba", noOverlay), nil, "terway-eni"},
		{"routes within the quota", "vpc", in("huawei", with(func(n *results.Needs) { n.PodIPsReachable, n.Nodes = true, 200 })), nil, "vpc-route"},
		{"routes above the default but within what may be asked for", "vpc", in("alibaba", with(func(n *results.Needs) { n.Nodes = 900 })), only(onVPC, "vpc-route", "flannel-vxlan"), "vpc-route"},
		{"routes above what may be asked for", "vpc", in("alibaba", with(func(n *results.Needs) { n.Nodes = 1001 })), only(onVPC, "vpc-route", "flannel-vxlan"), "flannel-vxlan"},
		{"routes above it later", "vpc", in("alibaba", with(func(n *results.Needs) { n.Nodes, n.NodesLater = 10, 1001 })), only(onVPC, "vpc-route", "flannel-vxlan"), "flannel-vxlan"},
		{"a quota of one's own", "vpc", in("alibaba", with(func(n *results.Needs) { n.Nodes, n.Limits.VPCRoutes = 1001, 1500 })), only(onVPC, "vpc-route", "flannel-vxlan"), "vpc-route"},
		{"a smaller quota of one's own", "vpc", in("alibaba", with(func(n *results.Needs) { n.Nodes, n.Limits.VPCRoutes = 60, 50 })), only(onVPC, "vpc-route", "flannel-vxlan"), "flannel-vxlan"},
		{"more pods than adapters", "vpc", in("alibaba", with(func(n *results.Needs) { n.PodsPerNode, n.Limits.Adapters, n.Limits.IPsPerAdapter = 30, 4, 10 })), only(onVPC, "terway-eni", "terway-eniip"), "terway-eniip"},
		{"fewer pods than adapters", "vpc", in("alibaba", with(func(n *results.Needs) { n.PodsPerNode, n.Limits.Adapters, n.Limits.IPsPerAdapter = 3, 4, 10 })), only(onVPC, "terway-eni", "terway-eniip"), "terway-eni"},
		{"more pods than secondary addresses", "vpc", in("alibaba", with(func(n *results.Needs) { n.PodsPerNode, n.Limits.Adapters, n.Limits.IPsPerAdapter = 31, 4, 10 })), only(onVPC, "terway-eni", "terway-eniip"), ""},
		{"more nodes than the tunnel network takes", "vpc", in("huawei", nodes(2001)), only(onVPC, "cce-tunnel"), ""},
		{"as many nodes as the tunnel network takes", "vpc", in("huawei", nodes(2000)), only(onVPC, "cce-tunnel"), "cce-tunnel"},
		{"IP in IP", "vpc", in("aws", results.Needs{}), []shown{{"calico-ipip", yes, 20, yes, no, 0.8, false}}, "calico-ipip"},
		{"IP in IP in Azure", "vpc", in("azure", results.Needs{}), []shown{{"calico-ipip", yes, 20, yes, no, 0.8, false}}, ""},
		{"crosssubnet on a vpc that let it pass", "vpc:srcdst-off", in("aws", results.Needs{}), []shown{{"calico-vxlan-crosssubnet", yes, 0, yes, no, 0.8, false}}, "calico-vxlan-crosssubnet"},
		{"the same for Google Cloud", "vpc:srcdst-off", in("gce", results.Needs{}), []shown{{"calico-vxlan-crosssubnet", yes, 0, yes, no, 0.8, false}}, ""},
		{"host-gw where the check is off", "vpc:srcdst-off", results.Needs{}, []shown{{"flannel-host-gw", yes, 0, no, no, 0.9, false}, {"flannel-vxlan", yes, 50, no, no, 0.8, false}}, "flannel-host-gw"},
		{"host-gw where the fabric knows addresses alone", "vpc:l3-only", results.Needs{}, []shown{{"flannel-host-gw", no, -1, "", "", 0, false}, {"flannel-vxlan", yes, 50, no, no, 0.8, false}}, "flannel-vxlan"},
		{"a plugin that is not documented here", "l2", results.Needs{}, []shown{{"weave", yes, 50, yes, no, 0.8, false}}, "weave"},
	} {
		t.Run(c.name, func(t *testing.T) {
			kind, _, _ := strings.Cut(c.on, ":")
			run := c.run
			if run == nil {
				run = runs[kind]
			}
			f := factsOf(c.on, run)
			got := Recommend(c.needs, f)
			if got.Plugin != c.want {
				t.Errorf("recommended %q, want %q: %s\n%+v", got.Plugin, c.want, got.Summary, got.Rejected)
			}
			holdTogether(t, c.needs, f, got)
		})
	}
}

// holdTogether checks what must be true of every recommendation.
func holdTogether(t *testing.T, n results.Needs, f Facts, r Recommendation) {
	t.Helper()
	if r.Summary.Empty() || r.Confidence.RestsOn.Empty() {
		t.Errorf("no summary or confidence: %+v", r)
	}
	rejected := map[string]bool{}
	for _, other := range r.Rejected {
		rejected[other.Plugin] = true
		if len(other.Because) == 0 {
			t.Errorf("%s is rejected without a reason", other.Plugin)
		}
		for _, reason := range other.Because {
			if reason.Text.Empty() || reason.Source.Empty() || strings.ContainsAny(reason.Text.String()+reason.Source.String(), "{}%") {
				t.Errorf("%s: a reason is incomplete: %+v", other.Plugin, reason)
			}
		}
	}
	for _, p := range f.Plugins {
		if (p.Name == r.Plugin) == rejected[p.Name] {
			t.Errorf("%s must be either recommended or rejected", p.Name)
		}
	}
	if r.Plugin == "" {
		if r.Kubespray != "" || len(r.Configuration) > 0 || len(r.Firewall) > 0 {
			t.Errorf("nothing is recommended, but there is a configuration to paste: %+v", r)
		}
		return
	}
	winner := f.plugin(r.Plugin)
	for fact, needed := range map[string]bool{Works: true, Policy: n.NetworkPolicy, Reachable: n.PodIPsReachable, Encrypts: n.Encryption} {
		if needed && winner.Facts[fact].Value != yes {
			t.Errorf("%s is recommended, but %s is %q", r.Plugin, fact, winner.Facts[fact].Value)
		}
	}
	if n.NoOverlay && winner.Facts[Encapsulates].Value != no {
		t.Errorf("%s is recommended without overlay, but its packets were not seen without one", r.Plugin)
	}
	if winner.Fidelity == DataPath && (!strings.Contains(r.Summary.String(), "data path") || r.Confidence.Level == words.High) {
		t.Errorf("a data path is presented as the plugin: %s (%s)", r.Summary, r.Confidence.Level)
	}
	if len(r.Because) == 0 || r.Because[0].Evidence.Empty() {
		t.Errorf("%s is recommended without evidence", r.Plugin)
	}
}

// TestNothingRestsOnWhatWasNotMeasured removes each fact from the winner on every topology, under needs
// that require the fact: the plugin must no longer be recommended.
func TestNothingRestsOnWhatWasNotMeasured(t *testing.T) {
	for topology, run := range runs {
		for fact, needs := range map[string]results.Needs{Works: {}, Policy: policy, Reachable: reachable, Encapsulates: noOverlay, Encrypts: encryption} {
			f := factsOf(topology, run)
			before := Recommend(needs, f)
			if before.Plugin == "" {
				continue
			}
			t.Run(topology+" "+fact, func(t *testing.T) {
				delete(f.plugin(before.Plugin).Facts, fact)
				after := Recommend(needs, f)
				if after.Plugin == before.Plugin {
					t.Errorf("%s is recommended without %s", after.Plugin, fact)
				}
				if !slices.ContainsFunc(after.NotMeasured, func(s words.Text) bool { return strings.HasPrefix(s.String(), before.Plugin+": ") }) {
					t.Errorf("nothing says that %s of %s was not measured: %q", fact, before.Plugin, after.NotMeasured)
				}
			})
		}
	}
}

// TestRejectionsNameTheNeed checks that the summary names the needs that exclude plugins when nothing
// fits.
func TestRejectionsNameTheNeed(t *testing.T) {
	r := Recommend(with(func(n *results.Needs) { n.NetworkPolicy, n.Encryption = true, true }), factsOf("l2", onL2))
	for _, says := range []string{"nothing that was measured fits", "the need network_policy excludes flannel-vxlan", "the need encryption excludes calico-bgp"} {
		if !strings.Contains(r.Summary.String(), says) {
			t.Errorf("%q is not in %s", says, r.Summary)
		}
	}
}

// TestNotes checks the notes that must accompany a recommendation.
func TestNotes(t *testing.T) {
	for _, c := range []struct {
		name, on string
		needs    results.Needs
		run      []shown
		rule     string // "" for none of the notes
		says     string
	}{
		{"a managed cluster's plugin is fixed", "vpc", in("alibaba", reachable), onVPC, "fixed-at-creation", "needs a new cluster"},
		{"the AWS plugin is not", "vpc", in("aws", reachable), without(onVPC, "vpc-route"), "", ""},
		{"another plugin on a managed cluster", "vpc", with(func(n *results.Needs) { n.Cloud, n.NetworkPolicy, n.ExistingCluster = "huawei", true, true }), onVPC, "managed-cluster-stays", "needs a new cluster"},
		{"Kubespray keeps a pool's mode", "l2", with(func(n *results.Needs) { n.ExistingCluster = true }), onL2, "pool-mode-stays", "refuses to change"},
		{"a new cluster has no pool", "l2", results.Needs{L2: results.Yes}, onL2, "", ""},
		{"l2 is not known", "l2", results.Needs{}, onL2, "l2-not-known", "adjacency"},
		{"a cloud is no l2", "l2", in("gce", results.Needs{}), onL2, "network-is-a-vpc", "Google Cloud is a VPC"},
		{"a mesh of 101 nodes", "l2", with(func(n *results.Needs) { n.NetworkPolicy, n.L2, n.Nodes = true, results.Yes, 101 }), onL2, "route-reflectors", "5050 sessions"},
		{"a mesh of 100 nodes", "l2", with(func(n *results.Needs) { n.NetworkPolicy, n.L2, n.Nodes = true, results.Yes, 100 }), onL2, "", ""},
		{"a quota to raise", "vpc", in("alibaba", nodes(201)), only(onVPC, "vpc-route"), "raise-the-quota", "gives 200 unless more is asked for"},
		{"only a data path", "vpc", results.Needs{}, onVPC, "data-path-only", "only its documented data path"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Recommend(c.needs, factsOf(c.on, c.run))
			i := slices.IndexFunc(r.Notes, func(n Reason) bool { return n.Rule == c.rule })
			switch {
			case c.rule == "":
				allowed := []string{"data-path-only", "no-kubespray"}
				if i := slices.IndexFunc(r.Notes, func(n Reason) bool { return !slices.Contains(allowed, n.Rule) }); i >= 0 {
					t.Errorf("%s: %+v", r.Plugin, r.Notes[i])
				}
			case i < 0 || !strings.Contains(r.Notes[i].Text.String(), c.says):
				t.Errorf("%s: %+v", r.Plugin, r.Notes)
			}
		})
	}
}

// TestConfidence checks that confidence falls with the quality of what the advice rests on.
func TestConfidence(t *testing.T) {
	sure := results.Needs{L2: results.Yes}
	for _, c := range []struct {
		name  string
		needs results.Needs
		run   []shown
		alter func(*Facts)
		want  string
	}{
		{"all was measured", sure, onL2, func(*Facts) {}, "high"},
		{"l2 is not known", results.Needs{}, onL2, func(*Facts) {}, "medium"},
		{"the run was interrupted", sure, onL2, func(f *Facts) { f.Complete = false }, "medium"},
		{"the wire was not captured", sure, but(onL2, "flannel-host-gw", func(s *shown) { s.overhead = -1 }), func(*Facts) {}, "medium"},
		{"speed does not settle it", sure, but(onL2, "calico-bgp", func(s *shown) { s.speed = 0.95 }), func(*Facts) {}, "medium"},
		{"speed was not compared", sure, onL2, func(f *Facts) { f.Comparisons = nil }, "low"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := factsOf("l2", c.run)
			c.alter(&f)
			if got := Recommend(c.needs, f).Confidence; got.Level.String() != c.want {
				t.Errorf("%+v, want %s", got, c.want)
			}
		})
	}
}

func TestFirewallAndLimits(t *testing.T) {
	r := Recommend(with(func(n *results.Needs) { n.NetworkPolicy, n.Nodes = true, 150 }), factsOf("l2", onL2))
	if !slices.ContainsFunc(r.Firewall, func(o Opening) bool { return o.Protocol == "tcp" && o.Port == 179 }) {
		t.Errorf("no opening for BGP: %+v", r.Firewall)
	}
	for _, c := range []struct {
		name  string
		needs results.Needs
		run   []shown
		what  string
		limit int
	}{
		{"the pod network", nodes(64), onVPC, "nodes that the pod network has room for", 64},
		{"smaller parts for more nodes", nodes(65), onVPC, "nodes that the pod network has room for", 128},
		{"a network of one's own", with(func(n *results.Needs) { n.PodCIDR = netip.MustParsePrefix("10.0.0.0/12") }), onVPC, "nodes that the pod network has room for", 4096},
		{"routes of Alibaba", in("alibaba", nodes(10)), only(onVPC, "vpc-route"), "VPC routes", 200},
		{"routes of AWS", in("aws", nodes(10)), only(onVPC, "vpc-route"), "VPC routes", 50},
		{"routes of nobody knows whom", nodes(10), only(onVPC, "vpc-route"), "VPC routes", 0},
		{"pods of AWS", in("aws", with(func(n *results.Needs) { n.Limits.Adapters, n.Limits.IPsPerAdapter = 4, 15 })), only(onVPC, "aws-vpc-cni"), "pods on a node", 58},
		{"pods of AWS on an unknown machine", in("aws", results.Needs{}), only(onVPC, "aws-vpc-cni"), "pods on a node", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := Recommend(c.needs, factsOf("vpc", c.run))
			i := slices.IndexFunc(r.Limits, func(l Limit) bool { return l.What.String() == c.what })
			if i < 0 || r.Limits[i].Limit != c.limit {
				t.Errorf("%s: %+v, want %d", r.Plugin, r.Limits, c.limit)
			}
		})
	}
}
