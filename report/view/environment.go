package view

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/cnibench/cnibench/report/facts"
	"github.com/cnibench/cnibench/report/model"
	"github.com/cnibench/cnibench/report/quantity"
	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/words"
)

// Machines describes where the run was made: the machine of a lab, or the clusters and
// their nodes. It never describes the machine that ran cnibench against a cluster.
func Machines(r *model.Report) []words.Text {
	if !r.OnCluster() {
		return []words.Text{words.List(words.Quote("Linux "+r.Host.Kernel), words.CPUsVirtualization.With(r.Host.CPUs, r.Host.CPU, Setting(r.Host.Virtualization)))}
	}
	if len(r.Run.Clusters) == 0 {
		return []words.Text{words.ClusterNotDescribed}
	}
	var all []words.Text
	for _, c := range r.Run.Clusters {
		all = append(all, clusterText(c))
		for _, n := range c.Nodes {
			all = append(all, nodeText(n))
		}
	}
	return all
}

// clusterText describes the recorded properties of a cluster.
func clusterText(c results.Cluster) words.Text {
	text := words.Cluster
	if c.Context != "" {
		text = words.ClusterNamed.With(c.Context)
	}
	version := cmp.Or(words.Quote(c.Kubernetes), words.UnknownVersion)
	proxy := cmp.Or(words.Quote(c.KubeProxy), words.Unknown)
	return words.KubernetesAndProxy.With(text, version, proxy)
}

// nodeText describes the recorded properties of a node.
func nodeText(n results.ClusterNode) words.Text {
	var parts []words.Text
	add := func(known bool, text words.Text) {
		if known {
			parts = append(parts, text)
		}
	}
	add(n.Kernel != "", words.Quote("Linux "+n.Kernel))
	add(n.OS != "", words.Quote(n.OS))
	add(n.Runtime != "", words.Quote(n.Runtime))
	add(n.Kubelet != "", words.Quote("kubelet "+n.Kubelet))
	add(n.CPUs > 0, words.CPUs.With(n.CPUs))
	add(n.MemoryBytes > 0, words.Memory.With(quantity.Format(float64(n.MemoryBytes), "byte")))
	add(n.Arch != "", words.Quote(n.Arch))
	add(n.InstanceType != "", words.InstanceType.With(n.InstanceType))
	add(n.Zone != "", words.Zone.With(n.Zone))
	if len(parts) == 0 {
		parts = []words.Text{words.NothingKnown}
	}
	return words.Node.With(n.Name, words.List(parts...))
}

// SetupTook returns the heading for the time that it took to bring a network up.
func SetupTook(r *model.Report) words.Text {
	switch {
	case !r.OnCluster():
		return words.FirstPacketHead
	case !facts.SentAtSetup(r):
		return words.PodsReadyAfter
	case len(r.Run.Asked.Install) > 0:
		return words.InstallToFirstPacket
	}
	return words.PodsToFirstPacket
}

// Versions lists the programs that the cells used, with their versions.
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

var settings = map[string]words.Text{"none": words.None, "unknown": words.Unknown, "user namespace": words.UserNamespace}

// Setting returns the text of a setting: a name, or one of the words in settings.
func Setting(value string) words.Text { return words.Named(settings, value) }
