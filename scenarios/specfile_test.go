package scenarios

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
)

func TestReadSpec(t *testing.T) {
	a := Defaults()
	err := ReadSpec([]byte(`plugins: [flannel-*, calico]
duration: 0.5
node_selector: {pool: a}
tolerations: ["gpu=yes:NoSchedule"]
requests: {cpu: 200m}
needs:
  network_policy: true
  l2: no
  cloud: aws
  nodes: 20
  nodes_later: 300
  pod_cidr: 10.0.0.0/12
  node_cidr: 172.16.0.0/16
  limits: {vpc_routes: 500}
`), &a)
	if err != nil {
		t.Fatal(err)
	}
	if len(a.Plugins) != 2 || a.Duration != 0.5 || a.MTU != 1500 {
		t.Errorf("%+v", a)
	}
	if a.NodeSelector["pool"] != "a" || len(a.Tolerations) != 1 || a.Requests["cpu"] != "200m" {
		t.Errorf("of a cluster: %+v", a)
	}
	n := a.Needs
	if n == nil || !n.NetworkPolicy || n.L2 != results.No || n.Cloud != "aws" || n.Largest() != 300 || n.Limits.VPCRoutes != 500 || n.PodCIDR.Bits() != 12 {
		t.Errorf("needs %+v", n)
	}
}

func TestReadNeedsOfEitherForm(t *testing.T) {
	for name, text := range map[string]string{
		"keys alone":            "encryption: true\n",
		"the section of a spec": "plugins: [calico]\nneeds:\n  encryption: true\n",
	} {
		t.Run(name, func(t *testing.T) {
			n, err := ReadNeeds([]byte(text))
			if err != nil || !n.Encryption {
				t.Errorf("%+v, %v", n, err)
			}
		})
	}
	for _, empty := range []string{"", "# nothing\n", "---\n", "null\n"} {
		if n, err := ReadNeeds([]byte(empty)); err != nil || *n != (results.Needs{}) {
			t.Errorf("%q: %+v, %v", empty, n, err)
		}
	}
}

// TestNonsenseIsRefusedWithItsLine checks that every rejection names the line.
func TestNonsenseIsRefusedWithItsLine(t *testing.T) {
	for _, c := range []struct{ name, text, says string }{
		{"an unknown key of the run", "plugins: [calico]\nroundz: 3\n", `line 2: there is no key "roundz"; did you mean rounds`},
		{"an unknown need", "needs:\n  network_policy: true\n  encyption: true\n", `line 3: there is no key "encyption"; did you mean encryption`},
		{"an unknown limit", "needs:\n  limits:\n    routes: 5\n", `line 3: there is no key "routes"; did you mean vpc_routes`},
		{"a key twice", "mtu: 1500\nnodes: 2\nmtu: 9000\n", "line 3: mtu is given twice, first in line 1"},
		{"a need twice", "needs:\n  nodes: 2\n  nodes: 3\n", "line 3: nodes is given twice"},
		{"a negative node count", "needs:\n  nodes: -4\n", "line 2: nodes: -4 is outside 1 to 5000"},
		{"no nodes", "needs:\n\n  nodes: 0\n", "line 3: nodes: 0 must be at least 1"},
		{"more nodes than Kubernetes takes", "needs:\n  nodes: 5001\n", "line 2: nodes: 5001"},
		{"half a node", "needs:\n  nodes: 2.5\n", "line 2: nodes: takes a value of type int"},
		{"a word for a number", "needs:\n  nodes: many\n", "line 2: nodes: takes a value of type int, not a string"},
		{"a cluster that shrinks", "needs:\n  nodes: 30\n  nodes_later: 3\n", "line 3: nodes_later: 3 is fewer than the 30 nodes now"},
		{"an unknown cloud", "needs:\n  cloud: alibba\n", "line 2: cloud: there is no cloud \"alibba\"; did you mean alibaba"},
		{"an answer that is none", "needs:\n  l2: perhaps\n", `line 2: l2: takes yes, no or unknown, not "perhaps"`},
		{"no boolean", "needs:\n  encryption: strong\n", "line 2: encryption: takes a value of type bool"},
		{"overlapping pod and node networks", "needs:\n  pod_cidr: 10.0.0.0/8\n  node_cidr: 10.1.0.0/16\n", "line 2: pod_cidr: the pod network 10.0.0.0/8 overlaps with the node network 10.1.0.0/16"},
		{"overlapping pod and service networks", "needs:\n  service_cidr: 10.1.0.0/16\n  pod_cidr: 10.1.128.0/18\n", "line 3: pod_cidr: the pod network 10.1.128.0/18 overlaps with the service network"},
		{"Kubespray's own service network", "needs:\n  pod_cidr: 10.233.0.0/16\n", "line 2: pod_cidr: 10.233.0.0/16 overlaps with Kubespray's service network"},
		{"a pod network too small", "needs:\n  nodes: 5\n  pod_cidr: 10.1.0.0/22\n", "line 3: pod_cidr: 10.1.0.0/22 holds 4 networks of /24, one per node, which is not enough for 5 nodes"},
		{"too small later", "needs:\n  nodes: 3\n  nodes_later: 5\n  pod_cidr: 10.1.0.0/22\n", "line 4: pod_cidr"},
		{"no part for even one node", "needs:\n  pod_cidr: 10.1.0.0/25\n", "line 2: pod_cidr: 10.1.0.0/25 holds 0 networks of /24"},
		{"a node network too small", "needs:\n  nodes: 300\n  node_cidr: 10.1.0.0/24\n", "line 3: node_cidr: 10.1.0.0/24 has 254 addresses for 300 nodes"},
		{"more pods than addresses", "needs:\n  pods_per_node: 300\n", "line 2: pods_per_node: a node's /24 has 254 addresses"},
		{"an address for a network", "needs:\n  pod_cidr: 10.1.2.3/16\n", "line 2: pod_cidr: 10.1.2.3/16 is an address, not a network; the network is 10.1.0.0/16"},
		{"no network at all", "needs:\n  pod_cidr: large\n", "line 2: pod_cidr: netip.ParsePrefix"},
		{"IPv6", "needs:\n  pod_cidr: fd00::/64\n", "line 2: pod_cidr: fd00::/64 is not an IPv4 network"},
		{"a negative quota", "needs:\n  limits:\n    vpc_routes: -1\n", "line 3: vpc_routes: -1 is outside"},
		{"a list for a section", "needs: [network_policy]\n", "line 1: needs: must be a mapping of keys to values"},
		{"a list for the file", "- mtu\n", "line 1: must be a mapping of keys to values"},
		{"an alias", "mtu: &m 1500\nnodes: *m\n", "line 1: anchors and aliases are not supported"},
		{"no YAML", "mtu: 1500\n  nodes: [", "line 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := Defaults()
			err := ReadSpec([]byte(c.text), &a)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
		})
	}
}

// FuzzReadNeeds checks that accepted needs pass the checks and survive being recorded and read
// back.
func FuzzReadNeeds(f *testing.F) {
	for _, seed := range []string{"needs: {nodes: 3, l2: yes}", "cloud: aws\npod_cidr: 10.0.0.0/12\nlimits: {adapters: 4}\n", "needs:\n- 1", "a: &a [*a]", "nodes: 1e3", "l2: null\nneeds: {}"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		n, err := ReadNeeds(text)
		if err != nil {
			return
		}
		if n == nil {
			t.Fatal("neither needs nor an error")
		}
		if err := CheckNeeds(*n); err != nil {
			t.Fatalf("accepted, but %v", err)
		}
		kept, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		var again results.Needs
		if err := json.Unmarshal(kept, &again); err != nil || !reflect.DeepEqual(*n, again) {
			t.Fatalf("%+v became %+v: %v", *n, again, err)
		}
	})
}
