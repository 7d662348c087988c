// Package manifests embeds example specs of acceptance tests and the objects that
// --install creates on a cluster.
package manifests

import "embed"

// Acceptance contains example specs for cnibench accept, in acceptance/.
//
//go:embed acceptance/*.yaml
var Acceptance embed.FS

// Flannel is a file of several Kubernetes objects that install flannel on a cluster.
//
//go:embed flannel/flannel.yaml
var Flannel []byte

// Calico is a file of several Kubernetes objects that install Calico on a cluster,
// and CalicoKinds one of the kinds in which it keeps its state.
var (
	//go:embed calico/calico.yaml
	Calico []byte
	//go:embed calico/crds.yaml
	CalicoKinds []byte
)
