// Package manifests holds the files that the program carries along: example
// specs of acceptance tests, and what --install puts on a cluster.
package manifests

import "embed"

// Acceptance are example specs for cnibench accept, below acceptance/.
//
//go:embed acceptance/*.yaml
var Acceptance embed.FS

// Flannel is flannel for a cluster: Kubernetes objects, several in one file.
//
//go:embed flannel/flannel.yaml
var Flannel []byte
