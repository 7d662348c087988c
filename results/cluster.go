package results

// Cluster identifies a Kubernetes cluster and describes what it runs on. Two
// records are of one cluster if UID is the same.
type Cluster struct {
	Context    string        `json:"context,omitempty"` // of the kubeconfig file, "" for its current one
	UID        string        `json:"uid,omitempty"`     // of the namespace kube-system; "" if it may not be read
	CA         string        `json:"ca,omitempty"`      // SHA-256 of the certificate authority that the API server is trusted by
	Kubernetes string        `json:"kubernetes,omitempty"`
	KubeProxy  string        `json:"kube_proxy,omitempty"` // mode, "" if it cannot be told
	Nodes      []ClusterNode `json:"nodes"`
}

// ClusterNode is what the API says of a node that takes part in a run.
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
