package results

import "github.com/cnibench/cnibench/words"

// Cluster identifies a Kubernetes cluster and describes what it runs on. Two records belong to
// the same cluster if their UIDs are equal.
type Cluster struct {
	Context    string `json:"context,omitempty"` // context in the kubeconfig file, "" for the current one
	UID        string `json:"uid,omitempty"`     // of the namespace kube-system; "" if it cannot be read
	CA         string `json:"ca,omitempty"`      // SHA-256 of the certificate authority that the API server is verified against
	Kubernetes string `json:"kubernetes,omitempty"`
	KubeProxy  string `json:"kube_proxy,omitempty"` // mode, or the plugin that replaces it (cilium); "" if unknown
	// Plugin is what was found out about the plugin that connects pods; nil in old records, and if
	// the run installs plugins itself.
	Plugin *ClusterPlugin `json:"plugin,omitempty"`
	Nodes  []ClusterNode  `json:"nodes"`
}

// ClusterPlugin is what a cluster says about the plugin that connects its pods.
type ClusterPlugin struct {
	Name       string      `json:"name"`                 // in the run: of the catalogue, made from what was found, or unknown
	Text       words.Text  `json:"text"`                 // the evidence, and what could not be read
	Configured *Configured `json:"configured,omitempty"` // nil if the catalogue's values hold
}

// Configured is what a cluster's own settings say about the packets between its nodes. It takes the
// place of what the catalogue says about the plugin.
type Configured struct {
	Encapsulation string `json:"encapsulation"`  // none, vxlan, udp, ipip, wireguard, geneve, or unknown
	Port          int    `json:"port,omitempty"` // outer UDP destination port
	// OverheadBytes is the length of the outer headers: with IPv6 outside, 20 bytes more than with IPv4.
	OverheadBytes int  `json:"overhead_bytes"`
	SubnetsOnly   bool `json:"subnets_only,omitempty"` // used only between nodes of different subnets
	VNI           int  `json:"vni,omitempty"`          // of VXLAN or Geneve
	MTU           int  `json:"mtu,omitempty"`          // of pods, in bytes, if it is configured
}

// ClusterNode is what the API reports about a node that takes part in a run.
type ClusterNode struct {
	Name         string `json:"name"`
	Zone         string `json:"zone,omitempty"`
	InstanceType string `json:"instance_type,omitempty"` // label node.kubernetes.io/instance-type
	Arch         string `json:"arch,omitempty"`
	CPUs         int    `json:"cpus,omitempty"`
	MemoryBytes  uint64 `json:"memory_bytes,omitempty"`
	Kernel       string `json:"kernel,omitempty"`
	OS           string `json:"os,omitempty"`
	Runtime      string `json:"runtime,omitempty"` // container runtime and version
	Kubelet      string `json:"kubelet,omitempty"`
}
