package words

// Where something was measured.
var (
	On             = message("places.on", "%s on %s")
	Against        = message("places.against", "%s against %s")
	OverRate       = message("places.over-rate", "over %s")
	FigureOverRate = message("places.figure-over-rate", "%s over %s")
)
