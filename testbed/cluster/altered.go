package cluster

import (
	"slices"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cnibench/cnibench/results"
	"github.com/cnibench/cnibench/testbed/cluster/kube"
	"github.com/cnibench/cnibench/words"
)

// refuseProxies asks service meshes to leave a pod alone: what passes their proxies is
// not what the plugin does. Sources: Istio documentation, setup/additional-setup/
// sidecar-injection and ambient/usage/add-workloads; Linkerd, features/proxy-injection;
// Kuma, data-plane/kubernetes; Consul, k8s/annotations-and-labels.
func refuseProxies(m *metav1.ObjectMeta) {
	metav1.SetMetaDataLabel(m, "sidecar.istio.io/inject", "false")
	metav1.SetMetaDataLabel(m, "istio.io/dataplane-mode", "none")
	metav1.SetMetaDataLabel(m, "kuma.io/sidecar-injection", "disabled")
	metav1.SetMetaDataAnnotation(m, "sidecar.istio.io/inject", "false")
	metav1.SetMetaDataAnnotation(m, "kuma.io/sidecar-injection", "disabled")
	metav1.SetMetaDataAnnotation(m, "linkerd.io/inject", "disabled")
	metav1.SetMetaDataAnnotation(m, "consul.hashicorp.com/connect-inject", "false")
}

// alterations says what the cluster changed about a running pod that changes what is
// measured: containers that were added, and a limit of the CPU.
func (c *Config) alterations(p *core.Pod) []words.Text {
	var all []words.Text
	if added := addedContainers(p); len(added) > 0 {
		all = append(all, words.ContainersAdded.With(words.ListNames(added), results.Printable(p.Name)))
	}
	_, ours := c.Limits[core.ResourceCPU]
	for _, container := range p.Spec.Containers {
		if cpu, limited := container.Resources.Limits[core.ResourceCPU]; limited && !ours && container.Name == kube.Container {
			all = append(all, words.CPUIsLimited.With(results.Printable(p.Name), cpu.String()))
		}
	}
	return all
}

// addedContainers returns the names of containers that run beside ours in a pod,
// those included that are written as init containers (Kubernetes documentation,
// concepts/workloads/pods/sidecar-containers).
func addedContainers(p *core.Pod) []string {
	var names []string
	add := func(name string) {
		if name = results.Printable(name); name != kube.Container && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, c := range p.Spec.Containers {
		add(c.Name)
	}
	for _, c := range p.Status.ContainerStatuses {
		add(c.Name)
	}
	for _, c := range p.Spec.InitContainers {
		if c.RestartPolicy != nil && *c.RestartPolicy == core.ContainerRestartPolicyAlways {
			add(c.Name)
		}
	}
	return names
}

// sayAltered records what the cluster changed about the network's pods.
func (n *network) sayAltered() {
	var said []words.Text
	for _, e := range n.ends {
		for _, text := range e.pod.altered {
			if !slices.Contains(said, text) {
				said = append(said, text)
			}
		}
	}
	if len(said) > 0 && n.cluster.config.Event != nil {
		n.cluster.config.Event(results.Event{Name: results.EventAltered, Plugin: n.facts.Plugin, Topology: n.facts.Topology, Text: words.Clauses(said...)})
	}
}
