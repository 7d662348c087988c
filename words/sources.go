package words

// Where reasons come from.
var (
	Arithmetic = text("sources.arithmetic", "arithmetic")
)
