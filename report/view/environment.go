package view

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
)

// Machines describes what the run was made on: the machine of a lab, or the
// clusters and their nodes. The machine that called a cluster is never one.
func Machines(r *model.Report) []string {
	if !r.OnCluster() {
		return []string{fmt.Sprintf("Linux %s, %d × %s, virtualization %s", r.Host.Kernel, r.Host.CPUs, r.Host.CPU, r.Host.Virtualization)}
	}
	if len(r.Run.Clusters) == 0 {
		return []string{"the record does not describe the cluster and its nodes"}
	}
	var all []string
	for _, c := range r.Run.Clusters {
		all = append(all, clusterText(c))
		for _, n := range c.Nodes {
			all = append(all, nodeText(n))
		}
	}
	return all
}

// clusterText describes a cluster as far as it is known.
func clusterText(c results.Cluster) string {
	text := "cluster"
	if c.Context != "" {
		text += " " + c.Context
	}
	version, proxy := c.Kubernetes, c.KubeProxy
	if version == "" {
		version = "of unknown version"
	}
	if proxy == "" {
		proxy = "unknown"
	}
	return fmt.Sprintf("%s: Kubernetes %s, mode of kube-proxy: %s", text, version, proxy)
}

// nodeText describes a node as far as it is known.
func nodeText(n results.ClusterNode) string {
	var parts []string
	add := func(known bool, format string, args ...any) {
		if known {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	add(n.Kernel != "", "Linux %s", n.Kernel)
	add(n.OS != "", "%s", n.OS)
	add(n.Runtime != "", "%s", n.Runtime)
	add(n.Kubelet != "", "kubelet %s", n.Kubelet)
	add(n.CPUs > 0, "CPUs: %d", n.CPUs)
	add(n.MemoryBytes > 0, "memory: %s", quantity.Format(float64(n.MemoryBytes), "byte"))
	add(n.Arch != "", "%s", n.Arch)
	add(n.InstanceType != "", "instance type %s", n.InstanceType)
	add(n.Zone != "", "zone %s", n.Zone)
	if len(parts) == 0 {
		parts = []string{"nothing is known of it"}
	}
	return fmt.Sprintf("node %s: %s", n.Name, strings.Join(parts, ", "))
}

// SetupTook names the time that it took to bring a network up.
func SetupTook(r *model.Report) string {
	switch {
	case !r.OnCluster():
		return "first packet between pods after"
	case !facts.SentAtSetup(r):
		return "pods ready after"
	case len(r.Run.Asked.Install) > 0:
		return "from installing the plugin to the first packet between pods"
	}
	return "from making the pods to the first packet between them"
}

// Versions lists the programs behind the cells.
func Versions(r *model.Report) string {
	all := map[string]string{}
	for _, c := range r.Cells {
		maps.Copy(all, c.Versions)
	}
	var list []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, name+" "+all[name])
	}
	return strings.Join(list, ", ")
}
