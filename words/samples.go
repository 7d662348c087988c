package words

// Warnings of single samples.
var (
	HypervisorTookPercentProcessor = message("samples.hypervisor-took-percent-processor", "the hypervisor took %.1f %% of the processor time during this sample")
	RoundTripsSharedTheir          = text("samples.round-trips-shared-their", "the round trips shared their CPUs with the stream, so the latency contains the wait for a CPU")
	CongestionControlIsBecause     = message("samples.congestion-control-is-because", "congestion control is %s, because %s cannot be set: %v")
	CongestionControlIsAlthough    = message("samples.congestion-control-is-although", "congestion control is %s although %s was set")
	RequestsOrAnswersWere          = message("samples.requests-or-answers-were", "%d requests or answers were lost and sent again")
	RunIsStillGoingOn              = text("samples.run-is-still-going-on", "the run is still going on")
	RunWasResumed                  = message("samples.run-was-resumed", "the run was interrupted and resumed at round %d")
	InAnotherEnvironment           = text("samples.in-another-environment", "in another environment")
	LastLineWasCut                 = message("samples.last-line-was-cut", "%s:%d: the last line is cut and was dropped")
)
