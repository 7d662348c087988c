package report_test

import (
	"html"
	"io"
	"strings"
	"testing"

	"github.com/cnibench/cnibench/report/facts"
	ashtml "github.com/cnibench/cnibench/report/html"
	"github.com/cnibench/cnibench/report/machine"
	"github.com/cnibench/cnibench/report/markdown"
	astext "github.com/cnibench/cnibench/report/text"
	"github.com/cnibench/cnibench/results"
)

// TestClustersAreDescribed checks that the report of a cluster's run describes the
// cluster, and says nothing that applies only to the lab or to the machine that ran
// cnibench.
func TestClustersAreDescribed(t *testing.T) {
	cluster := results.Cluster{Context: "prod", UID: "u", Kubernetes: "v1.33.1", KubeProxy: "ipvs", Nodes: []results.ClusterNode{
		{Name: "worker-a", Kernel: "6.1.0-aws", OS: "Bottlerocket", Runtime: "containerd://1.7.2", Kubelet: "v1.33.1", CPUs: 4, MemoryBytes: 16 << 30, Arch: "arm64", InstanceType: "m7g.xlarge", Zone: "eu-west-1a"},
		{Name: "worker-b"}}}
	laptop := []string{"6.18.0-laptop", "Laptop CPU"}
	for _, c := range []struct {
		name     string
		clusters []results.Cluster
		install  []string
		want     []string
		took     string
		works    string // for a network with only setup figures
	}{
		{"a cluster", []results.Cluster{cluster}, nil,
			[]string{"cluster prod: Kubernetes v1.33.1, mode of kube-proxy: ipvs",
				"node worker-a: Linux 6.1.0-aws, Bottlerocket, containerd://1.7.2, kubelet v1.33.1, CPUs: 4, memory: 16 GiB, arm64, instance type m7g.xlarge, zone eu-west-1a",
				"node worker-b: nothing is known about it"}, "from making the pods to the first packet between them", "yes"},
		{"plugins that the run installed", []results.Cluster{cluster}, []string{"flannel-vxlan"}, []string{"cluster prod"}, "from installing the plugin to the first packet between pods", "yes"},
		{"a record that does not describe its cluster", nil, nil, []string{"the record does not describe the cluster and its nodes"}, "pods ready after", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			recorded := record(network("host", "ok", "", 1500), network("flannel-vxlan", "ok", "", 1450),
				results.Record{Setup: &results.Setup{Plugin: "flannel-vxlan", Topology: results.On("cluster"), NetworkReadyMS: 1500}})
			recorded.Run.Asked.Testbed, recorded.Run.Asked.Topology, recorded.Run.Asked.Wire = "cluster", []string{"cluster"}, []string{"none"}
			recorded.Run.Asked.Install = c.install
			recorded.Run.Clusters, recorded.Run.CongestionControl = c.clusters, "cubic"
			recorded.Run.Host = results.Host{Kernel: laptop[0], CPU: laptop[1], CPUs: 8, Virtualization: "none", Privilege: "root"}
			for i := range recorded.Records {
				if n := recorded.Records[i].Network; n != nil {
					n.Topology = results.On("cluster")
				}
			}
			r := build(t, recorded)
			if got := facts.Works(r, "flannel-vxlan", results.On("cluster")); got.Value != c.works {
				t.Errorf("works: %+v", got)
			}
			lab := append([]string{"nodes of its own", "segmentation offloads", ">first packet between pods after<", "topology  first packet between pods after", "of which machine"}, laptop...)
			for format, render := range map[string]func(io.Writer) error{"text": people(astext.Write, r, nil), "page": people(ashtml.Write, r, nil), "Markdown": people(markdown.Write, r, nil), "OpenMetrics": of(machine.OpenMetrics, r),
				"CSV": of(machine.CSV, recorded), "Go benchmarks": of(machine.Benchfmt, recorded)} {
				got := html.UnescapeString(rendered(t, render))
				for _, text := range lab {
					if strings.Contains(got, text) {
						t.Errorf("%s says %q of a cluster", format, text)
					}
				}
				if format != "text" && format != "page" && format != "Markdown" {
					continue
				}
				for _, text := range c.want {
					if !strings.Contains(got, text) {
						t.Errorf("%s does not say %q:\n%s", format, text, got)
					}
				}
				if format != "Markdown" && !strings.Contains(got, c.took) {
					t.Errorf("%s does not say %q", format, c.took)
				}
			}
			zh := chinese(t)
			for format, render := range map[string]func(io.Writer) error{"text": people(astext.Write, r, zh), "page": people(ashtml.Write, r, zh), "Markdown": people(markdown.Write, r, zh)} {
				text := marks.ReplaceAllString(html.UnescapeString(rendered(t, render)), "\n")
				for _, left := range english.FindAllString(asItIs.ReplaceAllString(text, ""), -1) {
					if !strings.Contains("the run ended before it was brought up", left) {
						at := strings.Index(text, left)
						t.Errorf("%s: left in English: %q", format, text[max(0, at-60):min(len(text), at+60)])
					}
				}
			}
		})
	}
}
