package results

// Kernels that the nodes of a lab may run on.
const (
	KernelAuto = "auto" // the machine's own, and UML for what that lacks
	KernelHost = "host" // the machine's own
	KernelUML  = "uml"  // User-Mode Linux
)

// Kernels lists what may be asked for.
var Kernels = []string{KernelAuto, KernelHost, KernelUML}

// Topology is where figures may be compared with each other: a topology of
// nodes, in one kernel. It is written to JSON by its name alone; a journal has the
// kernel beside the record, and report.json beside the topology.
type Topology struct {
	Name   string // with its options, such as vpc:l3-only
	Kernel string // such as "uml 6.1.176"; "" for the machine's own
}

// On is a topology in the machine's own kernel.
func On(name string) Topology { return Topology{Name: name} }

// In is the topology in a kernel, "" for the machine's own.
func (t Topology) In(kernel string) Topology { return Topology{t.Name, kernel} }

// String names the topology, and the kernel if it is not the machine's own.
func (t Topology) String() string {
	if t.Kernel == "" {
		return t.Name
	}
	return t.Name + " in " + t.Kernel
}

// MarshalText writes the name.
func (t Topology) MarshalText() ([]byte, error) { return []byte(t.Name), nil }

// UnmarshalText reads a name.
func (t *Topology) UnmarshalText(text []byte) error {
	*t = On(string(text))
	return nil
}
