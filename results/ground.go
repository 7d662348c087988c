package results

import "strings"

// Kernels that the nodes of a lab can run on.
const (
	KernelAuto = "auto" // the machine's own, and UML for what that does not support
	KernelHost = "host" // the machine's own
	KernelUML  = "uml"  // User-Mode Linux
)

// Kernels lists the kernels that can be requested.
var Kernels = []string{KernelAuto, KernelHost, KernelUML}

// groundKernel separates the two parts of a ground.
const groundKernel = " in "

// Ground names the conditions under which figures can be compared with each other: a topology in
// one kernel. The kernel is that of a [Record].
func Ground(topology, kernel string) string {
	if kernel == "" {
		return topology
	}
	return topology + groundKernel + kernel
}

// SplitGround is the inverse of [Ground].
func SplitGround(ground string) (topology, kernel string) {
	topology, kernel, _ = strings.Cut(ground, groundKernel)
	return topology, kernel
}
