package words

// How long a network took to come up.
var (
	FirstPacketBetweenPods      = text("setup.first-packet-between-pods", "first packet between pods after")
	FirstPacketBetweenPodsAfter = message("setup.first-packet-between-pods-after", "first packet between pods after %s")
	PodsReadyAfter              = text("setup.pods-ready-after", "pods ready after")
	FromInstallingPluginTo      = text("setup.from-installing-plugin-to", "from installing the plugin to the first packet between pods")
	FromMakingPodsTo            = text("setup.from-making-pods-to", "from making the pods to the first packet between them")
	CNIADDMedian                = text("setup.cniadd-median", "CNI ADD (median)")
	CNIADD                      = text("setup.cniadd", "CNI ADD")
	TheirResidentMemory         = text("setup.their-resident-memory", "their resident memory")
	TheirMemory                 = text("setup.their-memory", "their memory")
	ItsAgentsTookCPUs           = message("setup.its-agents-took-cp-us", "its agents took %.2f CPUs while a stream passed")
	SamplesOf                   = message("setup.samples-of", "%d samples of %s")
	SampleOf                    = message("setup.sample-of", "%d sample of %s")
)
