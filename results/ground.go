package results

import "strings"

// Kernels that the nodes of a lab may run on.
const (
	KernelAuto = "auto" // the machine's own, and UML for what that lacks
	KernelHost = "host" // the machine's own
	KernelUML  = "uml"  // User-Mode Linux
)

// Kernels lists what may be asked for.
var Kernels = []string{KernelAuto, KernelHost, KernelUML}

// groundKernel stands between the two parts of a ground.
const groundKernel = " in "

// Ground names where figures may be compared with each other: a topology, in
// one kernel. kernel is a [Record]'s.
func Ground(topology, kernel string) string {
	if kernel == "" {
		return topology
	}
	return topology + groundKernel + kernel
}

// SplitGround is the reverse of [Ground].
func SplitGround(ground string) (topology, kernel string) {
	topology, kernel, _ = strings.Cut(ground, groundKernel)
	return topology, kernel
}
