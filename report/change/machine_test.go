package change

import (
	"slices"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/results"
)

// TestMachine checks that two runs count as made on one machine only if that is known.
func TestMachine(t *testing.T) {
	laptop := results.Host{CPU: "one", CPUs: 8}
	node := results.ClusterNode{Name: "n1", InstanceType: "m5.large", Kernel: "6.1", Runtime: "containerd 2.0"}
	of := func(uid, ca string, nodes ...results.ClusterNode) results.Run {
		return results.Run{Host: laptop, Asked: results.Asked{Testbed: "cluster"}, Clusters: []results.Cluster{{UID: uid, CA: ca, Kubernetes: "v1.33", KubeProxy: "iptables", Nodes: nodes}}}
	}
	with := func(change func(*results.ClusterNode)) results.ClusterNode {
		n := node
		change(&n)
		return n
	}
	lab := results.Run{Host: laptop, Asked: results.Asked{Testbed: "lab"}}
	withMemory := func(bytes uint64) results.Run {
		host := laptop
		host.MemoryBytes = bytes
		return results.Run{Host: host, Asked: results.Asked{Testbed: "lab"}}
	}
	old := results.Run{Host: laptop, Asked: results.Asked{Testbed: "cluster"}}
	elsewhere := of("u", "c", node)
	elsewhere.Host.CPU = "two"
	two := of("u", "c", node)
	two.Clusters = append(two.Clusters, two.Clusters[0])
	for _, c := range []struct {
		name string
		a, b results.Run
		says string // "": the same machine
	}{
		{"the same laptop, the lab", lab, lab, ""},
		{"the same laptop, whose firmware keeps more", withMemory(25262596096), withMemory(25262500000), ""},
		{"more memory", withMemory(25262596096), withMemory(2 * 25262596096), "memory 23 GiB, now 47 GiB"},
		{"the same cluster", of("u", "c", node), of("u", "c", node), ""},
		{"the same cluster from another laptop", of("u", "c", node), elsewhere, ""},
		{"another cluster from the same laptop", of("u", "c", node), of("v", "d", node), "cluster u, now v"},
		{"another cluster with the same authority", of("u", "c", node), of("v", "c", node), "cluster u, now v"},
		{"no uid, the same authority", of("", "c", node), of("u", "c", node), ""},
		{"no uid, another authority", of("", "c", node), of("", "d", node), "certificate authority"},
		{"nothing that identifies it", of("", "", node), of("", "", node), "no identifier in common"},
		{"records made before clusters were named", old, old, "neither record identifies"},
		{"one such record", old, of("u", "c", node), "one record does not identify"},
		{"other nodes", of("u", "c", node), of("u", "c", with(func(n *results.ClusterNode) { n.Name = "n2" })), "n2"},
		{"another machine type", of("u", "c", node), of("u", "c", with(func(n *results.ClusterNode) { n.InstanceType = "c5.large" })), "c5.large"},
		{"another kernel", of("u", "c", node), of("u", "c", with(func(n *results.ClusterNode) { n.Kernel = "6.2" })), "6.2"},
		{"one cluster and two", of("u", "c", node), two, "clusters 1, now 2"},
		{"the lab and a cluster", lab, of("u", "c", node), "testbed lab, now cluster"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := strings.Join(Machine(c.a, c.b), "; ")
			if (got == "") != (c.says == "") || !strings.Contains(got, c.says) {
				t.Errorf("%q, want %q", got, c.says)
			}
			x, y := side(8, 10, 0.001), side(9, 10, 0.001)
			x.Run, y.Run = c.a, c.b
			if between := Between(x, y, 0.03); between.SameMachine != (c.says == "") {
				t.Errorf("the same machine: %v", between.SameMachine)
			}
		})
	}
}

func TestSoftwareOfAClusterIsEnvironment(t *testing.T) {
	run := func(kubernetes, proxy, runtime string) results.Run {
		return results.Run{Asked: results.Asked{Testbed: "cluster"}, Clusters: []results.Cluster{{UID: "u", Kubernetes: kubernetes, KubeProxy: proxy,
			Nodes: []results.ClusterNode{{Name: "n1", Runtime: runtime}}}}}
	}
	got := Environment(run("v1.32", "iptables", "containerd 1.7"), run("v1.33", "nftables", "containerd 2.0"))
	want := []string{"Kubernetes v1.32, now v1.33", "mode of kube-proxy iptables, now nftables", "container runtime containerd 1.7, now containerd 2.0"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
