package change

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
)

// onCluster reports whether a run measured Kubernetes clusters. Its Host is then the
// machine that ran cnibench, which does not affect the figures.
func onCluster(r results.Run) bool { return r.Asked.Testbed == "cluster" || len(r.Clusters) > 0 }

// Machine lists the differences between the machines of two runs that make absolute
// figures incomparable. Clusters count as one machine if they are known to be the same
// cluster and the same nodes were measured.
func Machine(a, b results.Run) []string {
	switch {
	case onCluster(a) != onCluster(b):
		name := map[bool]string{true: "cluster", false: "lab"}
		return []string{fmt.Sprintf("testbed %s, now %s", name[onCluster(a)], name[onCluster(b)])}
	case onCluster(a):
		return clusters(a.Clusters, b.Clusters)
	}
	x, y := a.Host, b.Host
	return differences([][3]string{
		{"CPU", x.CPU, y.CPU}, {"CPUs", fmt.Sprint(x.CPUs), fmt.Sprint(y.CPUs)},
		{"virtualization", x.Virtualization, y.Virtualization}, {"memory", memory(x.MemoryBytes), memory(y.MemoryBytes)},
	})
}

// memory formats the size of a machine's memory, rounded down to GiB because firmware may
// reserve a slightly different amount at each boot.
func memory(bytes uint64) string {
	if bytes == 0 {
		return ""
	}
	return quantity.Format(float64(bytes>>30<<30), "byte")
}

// clusters lists the differences between the clusters of two runs.
func clusters(a, b []results.Cluster) []string {
	switch {
	case len(a) == 0 && len(b) == 0:
		return []string{"cluster: neither record identifies its cluster"}
	case len(a) == 0 || len(b) == 0:
		return []string{"cluster: one record does not identify its cluster"}
	case len(a) != len(b):
		return differences([][3]string{{"clusters", fmt.Sprint(len(a)), fmt.Sprint(len(b))}})
	}
	var all []string
	for i := range a {
		all = append(all, identity(a[i], b[i])...)
		all = append(all, differences([][3]string{{"nodes of the cluster", nodes(a[i]), nodes(b[i])}})...)
	}
	return all
}

// identity compares the uid of kube-system, and the certificate authority where
// one of the two records has no uid.
func identity(a, b results.Cluster) []string {
	switch {
	case a.UID != "" && b.UID != "":
		return differences([][3]string{{"cluster", a.UID, b.UID}})
	case a.CA != "" && b.CA != "":
		return differences([][3]string{{"certificate authority of the cluster", a.CA, b.CA}})
	}
	return []string{"cluster: the records have no identifier in common"}
}

// nodes describes the measured nodes of a cluster.
func nodes(c results.Cluster) string {
	var all []string
	for _, n := range c.Nodes {
		all = append(all, fmt.Sprintf("%s (%s, Linux %s)", n.Name, cmp.Or(n.InstanceType, "unknown machine type"), n.Kernel))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// software lists the differences between clusters in software that can change on the
// same nodes.
func software(a, b results.Run) []string {
	var all []string
	for i := range min(len(a.Clusters), len(b.Clusters)) {
		x, y := a.Clusters[i], b.Clusters[i]
		all = append(all, differences([][3]string{
			{"Kubernetes", x.Kubernetes, y.Kubernetes}, {"mode of kube-proxy", x.KubeProxy, y.KubeProxy},
			{"container runtime", runtimes(x), runtimes(y)},
		})...)
	}
	return all
}

// runtimes lists the container runtimes of a cluster's nodes, each once.
func runtimes(c results.Cluster) string {
	var all []string
	for _, n := range c.Nodes {
		all = append(all, n.Runtime)
	}
	slices.Sort(all)
	return strings.Join(slices.Compact(all), ", ")
}
