package results

// Cluster identifies a Kubernetes cluster and describes what it runs on. Two records belong to
// the same cluster if their UIDs are equal.
type Cluster struct {
	Context    string        `json:"context,omitempty"` // context in the kubeconfig file, "" for the current one
	UID        string        `json:"uid,omitempty"`     // of the namespace kube-system; "" if it cannot be read
	CA         string        `json:"ca,omitempty"`      // SHA-256 of the certificate authority that the API server is verified against
	Kubernetes string        `json:"kubernetes,omitempty"`
	KubeProxy  string        `json:"kube_proxy,omitempty"` // mode, "" if unknown
	Nodes      []ClusterNode `json:"nodes"`
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
