package words

// Warnings of single samples.
var (
	CPUWithoutTick        = message("samples.cpu-without-tick", "the clock of the processor time (%d ms) did not tick during this sample, which counts as half a tick")
	CPUStolen             = message("samples.cpu-stolen", "the hypervisor took %.1f %% of the processor time during this sample")
	RoundTripsShareCPUs   = text("samples.round-trips-share-cp-us", "the round trips shared their CPUs with the stream, so the latency contains the wait for a CPU")
	FlowNotSteady         = message("samples.flow-not-steady", "the stream's rate was still rising or falling after %s; it was measured nevertheless")
	DirectionEndedEarly   = message("samples.direction-ended-early", "for %s one direction was measured without the other, which became steady earlier")
	StreamEndedEarly      = text("samples.stream-ended-early", "the stream ended before the round trips")
	CongestionCannotBeSet = message("samples.congestion-cannot-be-set", "congestion control is %s, because %s cannot be set: %v")
	CongestionNotAsSet    = message("samples.congestion-not-as-set", "congestion control is %s although %s was set")
	RequestsSentAgain     = message("samples.requests-sent-again", "%d requests or answers were lost and sent again")
	RunIsStillGoingOn     = text("samples.run-is-still-going-on", "the run is still going on")
	RunWasResumed         = message("samples.run-was-resumed", "the run was interrupted and resumed at round %d")
	InAnotherEnvironment  = text("samples.in-another-environment", "in another environment")
	LastLineWasCut        = message("samples.last-line-was-cut", "%s:%d: the last line is cut and was dropped")
)
