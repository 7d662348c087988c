package words

// How long a network took to come up.
var (
	FirstPacketHead      = text("setup.first-packet-head", "first packet between pods after")
	FirstPacketAfter     = message("setup.first-packet-after", "first packet between pods after %s")
	PodsReadyAfter       = text("setup.pods-ready-after", "pods ready after")
	InstallToFirstPacket = text("setup.install-to-first-packet", "from installing the plugin to the first packet between pods")
	PodsToFirstPacket    = text("setup.pods-to-first-packet", "from making the pods to the first packet between them")
	CNIADDMedian         = text("setup.cniadd-median", "CNI ADD (median)")
	CNIADD               = text("setup.cniadd", "CNI ADD")
	TheirResidentMemory  = text("setup.their-resident-memory", "their resident memory")
	TheirMemory          = text("setup.their-memory", "their memory")
	AgentsTookCPUs       = message("setup.agents-took-cp-us", "its agents took %.2f CPUs while a stream passed")
	SamplesOf            = message("setup.samples-of", "%d samples of %s")
	SampleOf             = message("setup.sample-of", "%d sample of %s")
)
