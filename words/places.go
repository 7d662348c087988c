package words

// Where something was measured.
var (
	On               = message("places.on", "%s on %s")
	Against          = message("places.against", "%s against %s")
	OverOnly         = message("places.over-only", "over %s")
	Over             = message("places.over", "%s over %s")
	UnshapedTopology = message("places.unshaped-topology", "%s unshaped")
)
